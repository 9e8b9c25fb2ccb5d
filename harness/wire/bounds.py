"""How far the tasks of a run may go: how many calls they may make, and how many calls and uses of tools that bring nothing new."""

from __future__ import annotations

from collections.abc import Callable

from harness.errors import NoProgress
from harness.kernel import Kernel
from harness.kernel.current_world import is_in_task
from harness.kernel.sim_thread import RunIsOver
from harness.spans import NO_PROGRESS, SpanLog
from harness.wire.calls import Calls
from harness.wire.progress import FAILED
from harness.wire.rounds import report_of_calls
from harness.wire.routing import Scope

StopTask = Callable[[int, str, str], bool]
"""Ends a task of a workload, by its number, with an error and words about it, and tells whether it did."""


class Bounds:
    """The bounds of the tasks of one run.

    Args:
        kernel: The clock.
        log: Where it is noted that a task makes no progress.
        calls: The calls of the run.
        calls_per_task: How many calls a task may make.
        stop_task: Ends a task that makes no progress; None ends the run.
    """

    def __init__(
        self,
        kernel: Kernel,
        log: SpanLog,
        calls: Calls,
        calls_per_task: float,
        stop_task: StopTask | None,
    ) -> None:
        self.calls_per_task = calls_per_task
        self._kernel = kernel
        self._log = log
        self._calls = calls
        self._stop_task = stop_task

    def count_call(self, task: int, made: int | None = None) -> None:
        """Note one more call of a task, or one more attempt of a call.

        Raises:
            LimitExceeded: It is one too many.
        """
        if (made or self._calls.count("made", task)) <= self.calls_per_task:
            return
        self._kernel.describe_work = lambda: report_of_calls(self._calls.made, task)
        raise self._kernel.exceeded(
            "calls_per_task",
            self.calls_per_task,
            "The program keeps making calls. Let it stop after a number of rounds, or raise `calls_per_task`.",
        )

    def stop_without_progress(self, task: int) -> None:
        """End a task of a workload whose calls only repeat what was asked and answered before, if tasks can be ended.

        Raises:
            RunIsOver: It is ended, and the code that runs is a thread's, which cannot be cancelled.
        """
        cycle = self._calls.progress.cycle(task)
        if cycle and self._stop_task is not None and self._stop_task(task, NO_PROGRESS, cycle):
            self._calls.progress.forget(task)
            if not is_in_task():
                raise RunIsOver

    def check_progress(self, scope: Scope) -> None:
        """End the run if the calls of a task only repeat what was asked and answered before.

        Raises:
            NoProgress: They do.
        """
        progress, task = self._calls.progress, scope.span.task
        cycle = progress.cycle(task)
        if not cycle:
            return
        progress.forget(task)
        self._log.event(NO_PROGRESS, scope.span, cycle)
        self._kernel.describe_work = lambda: report_of_calls(self._calls.made, task)
        raise self._kernel.exceeded(
            "repeats_per_task",
            progress.repeats_max,
            f"the last {progress.repeats_max:,.0f} calls of task {task} brought nothing new: {cycle}\n"
            "  How to fix: let the program stop when nothing changes, or after a number of rounds. If it is meant, raise "
            "`repeats_per_task`.",
            NoProgress,
        )

    def check_before_use(self, scope: Scope) -> None:
        """End the task, or else the run, if a task that uses a tool has only repeated what failed before.

        Raises:
            NoProgress: It has, and tasks cannot be ended.
            RunIsOver: The task is ended, and the code that runs is a thread's.
        """
        self.stop_without_progress(scope.span.task)
        self.check_progress(scope)

    def note_rejected(self, scope: Scope, provider: str, digest: bytes, told: str) -> None:
        """Note a request that an API rejects, which may be sent again and again.

        Args:
            scope: What it belongs to.
            provider: Whose API it is.
            digest: Of its bytes.
            told: The answer, in words.
        """
        self._log.event("rejected", scope.span, told)
        progress = self._calls.progress
        progress.note(
            scope.span.task, "", f"{FAILED}{told}", lambda: digest, progress.asked(), lambda: f"program > {provider}: {told}",
        )  # fmt: skip

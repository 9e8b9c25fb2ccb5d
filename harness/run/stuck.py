"""Tasks of a workload that are stuck: they are ended with an error, and the others go on.

A task is stuck if its agents wait for one another. That is looked for when nothing is left to happen before the horizon, and
from time to time while only timers go on. A program's task that makes no progress is told by its server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.kernel import deadlock_report
from harness.kernel.agent_circle import Circle, circle_beside_timers, find_circle
from harness.kernel.kernel import Kernel
from harness.kernel.lineage import Lineage
from harness.spans import DEADLOCK, Span, SpanLog

AnyTask = asyncio.Task[object]


@dataclass(slots=True)
class _Open:
    """A task of the workload that is being worked on."""

    span: Span
    error: str = ""
    """Why it was stopped."""


@dataclass(slots=True)
class StuckTasks:
    """The open tasks of a workload.

    Args:
        log: Where it is noted that one is stuck.
    """

    log: SpanLog
    _open: dict[AnyTask, _Open] = field(default_factory=dict)

    def watch(self, kernel: Kernel, horizon_s: float) -> None:
        """Look for tasks that are stuck, from now on.

        Args:
            kernel: The clock of the run.
            horizon_s: When the tasks that are left are ended [s].
        """
        kernel.idle_at_s = horizon_s
        kernel.find_circle = lambda *, strict: self._circle(kernel, strict=strict)
        kernel.on_idle = lambda: self._end_circles(kernel)

    @contextmanager
    def working_on(self, span: Span) -> Iterator[None]:
        """Context manager: the asyncio task that runs works on a task of the workload."""
        me = asyncio.current_task()
        assert me is not None, "tasks of a workload run on a loop"
        self._open[me] = _Open(span)
        try:
            yield
        finally:
            del self._open[me]

    def why_stopped(self) -> str:
        """The error with which the task was stopped that is worked on here; empty if it was not. It is cancelled no more then."""
        me = asyncio.current_task()
        mine = None if me is None else self._open.get(me)
        if me is None or mine is None or not mine.error:
            return ""
        while me.cancelling():
            me.uncancel()
        return mine.error

    def stop(self, number: int, error: str, words: str) -> bool:
        """End a task of the workload with an error.

        Args:
            number: Of the task.
            error: Its error, and the name of the event.
            words: The detail of the event.

        Returns:
            Whether it is stopped; False if it was stopped before and goes on.
        """
        for task, mine in self._open.items():
            if mine.span.task == number and not mine.error:
                mine.error = error
                self.log.event(error, mine.span, words)
                task.cancel()
                return True
        return False

    def _circle(self, kernel: Kernel, *, strict: bool) -> list[Circle] | None:
        """The circles that no timer can end; None if there are none."""
        agent_of = kernel.watcher.agent_of
        found = [
            circle
            for tasks in self._by_task().values()
            if (circle := circle_beside_timers(tasks, agent_of, strict=strict)) is not None
        ]
        return found or None

    def _end_circles(self, kernel: Kernel) -> bool:
        """Stop every task whose agents wait for one another; whether there was one."""
        agent_of = kernel.watcher.agent_of
        stopped = []
        for open_task, tasks in self._by_task().items():
            circle = find_circle(tasks, agent_of)
            if circle is not None:
                number = self._open[open_task].span.task
                stopped.append(self.stop(number, DEADLOCK, circle.words))
        return any(stopped)

    def _by_task(self) -> dict[AnyTask, list[AnyTask]]:
        """The asyncio tasks that work on each task of the workload which was not stopped, it first."""
        going = [task for task, mine in self._open.items() if not mine.error]
        if not going:
            return {}
        by_lineage = {_lineage(task): task for task in going}
        found: dict[AnyTask, list[AnyTask]] = {task: [] for task in going}
        for task in deadlock_report.tasks_in_order(going[0].get_loop()):
            line = _lineage(task)
            while line is not None:
                if line in by_lineage:
                    found[by_lineage[line]].append(task)
                    break
                line = line.ancestor
        return found


def _lineage(task: AnyTask) -> Lineage | None:
    lineage: Lineage | None = getattr(task, "lineage", None)
    return lineage

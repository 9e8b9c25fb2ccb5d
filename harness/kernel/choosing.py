"""Kernel and loop of a recorded run: timers and tasks are recorded, and may be overridden.

They stand in for the plain classes in a run that has `Choices`, so that the others pay nothing.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import math
import queue
import re
import sys
import sysconfig
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from heapq import heappush
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple
from weakref import ref

from harness.chance.choices import Choices, TaskRecord, TimerKind, TimerRecord
from harness.kernel import deadlock_report
from harness.kernel.code_places import ASYNCIO, OURS, PACKAGES
from harness.kernel.current_world import lineage_here
from harness.kernel.handles import Timer
from harness.kernel.identity import Identity
from harness.kernel.kernel import BEFORE_THE_RUN, Kernel
from harness.kernel.loop import LOOP_WAITS, SimLoop
from harness.kernel.sim_thread import Waiter
from harness.kernel.suspension import Suspension

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_SLEEP = "time.sleep"
"""What the waiter of a thread that sleeps is called."""


def kernel_for(choices: Choices | None, **bounds: Any) -> Kernel:  # noqa: ANN401 - those of Kernel
    """Make the kernel of a run.

    Args:
        choices: The object that overrides and records choices; None means none.
        bounds: The arguments of `Kernel`.
    """
    return Kernel(**bounds) if choices is None else ChoosingKernel(choices, **bounds)


def loop_for(kernel: Kernel) -> SimLoop:
    """Make a loop on a kernel, one that chooses where the kernel does."""
    return SimLoop(kernel) if kernel.choices is None else ChoosingLoop(kernel)


_PASS_ON = (
    OURS,
    ASYNCIO,
    *(module.__file__ or "" for module in (queue, threading)),
    str(Path(concurrent.futures.__file__).parent),
    str(Path(sysconfig.get_path("purelib")) / "anyio"),
)
"""Code that sets timers for whoever calls it."""

_OpenTask = tuple["ref[Any]", Identity, float, bool, TaskRecord | None]
"""A task, its identity, when it was created [virtual s], whether the program created it and no library for itself, and its
record, made in the first turn after it has got its name."""

_DEFAULT_NAME = re.compile(r"Task-\d+")
"""The name that asyncio gives to a task that the program does not name."""


class ChoosingKernel(Kernel):
    """A kernel that records the timed waits of threads, and has the bounds that its choices state."""

    choices: Choices

    def __init__(self, choices: Choices, **bounds: Any) -> None:  # noqa: ANN401 - those of Kernel
        super().__init__(**bounds)
        self.choices = choices
        if choices.steps_per_instant is not None:
            self.steps_per_instant = choices.steps_per_instant
        self._idle = 0

    def note_call(self) -> None:
        """Record that the program made a call; see `Kernel.note_call`."""
        super().note_call()
        self._idle = 0

    def count_step(self, at_s: float) -> None:
        """Note that something happens at a time; see `Kernel.count_step`."""
        if at_s > self._instant_s:
            self._idle = 0 if self.open_calls else self._idle + 1
        super().count_step(at_s)
        if self._idle > self.choices.idle_instants:
            self._idle = 0
            raise self.exceeded(
                "idle_instants",
                self.choices.idle_instants,
                "Something polls or beats, and waits for nothing outside: no call is open.",
            )

    def park(self, waiter: Waiter, until_s: float = math.inf) -> bool:
        """Wait until woken, or until a time that may be chosen later; see `Kernel.park`."""
        if until_s == math.inf or waiter.name in (LOOP_WAITS, BEFORE_THE_RUN):
            return super().park(waiter, until_s)
        kind: TimerKind = "sleep" if waiter.name == _SLEEP else "wait"
        record = self.choices.set_timer(
            _path_here(), kind, self.now_s(), until_s, of_program=_is_of_program()
        )
        woken = super().park(waiter, record.due_s)
        if woken:
            record.cancelled_s = self.now_s()
        else:
            record.fired_s = self.now_s()
        return woken


class _RecordedTimer(Timer):
    """A timer that notes when it is cancelled."""

    __slots__ = ("record",)

    record: TimerRecord
    """Not of a timer that the loop sets for a planned cancellation."""

    def cancel(self) -> None:
        """Forget the callback; see `Timer.cancel`."""
        record = getattr(self, "record", None)
        if record is not None and record.fired_s is None and record.cancelled_s is None:
            record.cancelled_s = self._loop.time()
        super().cancel()


class ChoosingLoop(SimLoop):
    """A loop that records its timers and tasks, and applies overrides of timers and cancellations."""

    timer_class = _RecordedTimer
    _plans_made = False

    def __init__(self, made_of: Any) -> None:  # noqa: ANN401 - a kernel, or the world that a program's loop is made of
        super().__init__(made_of)
        self._open: list[_OpenTask] = []
        """Tasks that were not done after the latest turn, with what is on record of them."""

    @property
    def choices(self) -> Choices:
        """Who overrides and watches."""
        choices = self.kernel.choices
        assert choices is not None, "a plain kernel has plain loops"
        return choices

    # -- timers ---------------------------------------------------------------------------------------------------

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call back after `delay` virtual seconds, or as much later as is chosen."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call back at the virtual time `when` [s], or as much later as is chosen."""
        record = self.choices.set_timer(
            _path_here(), "timer", self.time(), when, of_program=_is_of_program()
        )

        def fire() -> None:
            record.fired_s = self.time()
            callback(*args)

        timer = super().call_at(record.due_s, fire, context=context)
        if isinstance(timer, _RecordedTimer):
            timer.record = record
        return timer

    def sleep_until(self, when_s: float) -> Suspension:
        """Await a virtual time [s], or one that is chosen later."""
        record = self.choices.set_timer(
            _path_here(), "sleep", self.time(), when_s, of_program=_is_of_program()
        )
        sleep = _RecordedSleep(self, record)
        sleep._scheduled = True  # noqa: SLF001 - as SimLoop does
        heappush(self._timers, (record.due_s, next(self._timer_order), sleep))
        return sleep

    # -- tasks ----------------------------------------------------------------------------------------------------

    def create_task(
        self,
        coro: Generator[object, None, T] | Coroutine[object, None, T],
        *,
        name: object = None,
        **kwargs: object,
    ) -> asyncio.Task[T]:
        """Create a task, and record it."""
        began_s = self.time()
        task = super().create_task(coro, name=name, **kwargs)
        lineage = getattr(task, "lineage", None)
        if lineage is not None:
            self._open.append((ref(task), lineage.identity, began_s, _is_of_program(), None))
        return task

    def _run_once(self) -> None:
        super()._run_once()
        self._note_tasks()

    def _note_tasks(self) -> None:
        """Note which tasks began and ended in this turn; a callback on each would be work of the loop, and change its order."""
        still: list[_OpenTask] = []
        for task_ref, identity, began_s, of_program, known in self._open:
            record = known or TaskRecord(identity.path, began_s)
            record.path = identity.path  # a task may get a better one in its first step
            task = task_ref()
            if known is None:
                self.choices.tasks.append(record)
                if task is not None:
                    self._cancel_unbegun(task, record)
            if task is not None:
                record.is_named = of_program and not _is_default(task.get_name())
            if task is None or task.done():
                record.ended_s = self.time()
            else:
                still.append((task_ref, identity, began_s, of_program, record))
        self._open = still

    # -- cancellation from outside ----------------------------------------------------------------------------------

    def run_forever(self) -> None:
        """Run until stopped; what is to be cancelled from outside is planned when it runs first."""
        if not self._plans_made:
            self._plans_made = True
            for path, at_s in self.choices.cancellations():
                if at_s >= self.time():
                    super().call_at(at_s, self._cancel, path, at_s)
        super().run_forever()

    def _cancel_unbegun(self, task: asyncio.Task[Any], record: TaskRecord) -> None:
        """Cancel a task that is to be cancelled in the instant of its creation, before its first step."""
        key = ("cancel", record.path)
        if self.choices.overrides.get(key) == record.began_s and key not in self.choices.made:
            self.choices.choose(key, record.began_s)
            task.cancel()

    def _cancel(self, path: str, at_s: float) -> None:
        for task in deadlock_report.tasks_in_order(self):
            lineage = getattr(task, "lineage", None)
            if lineage is not None and lineage.path == path:
                self.choices.choose(("cancel", path), at_s)
                task.cancel()


class _RecordedSleep(Suspension):
    """A sleep that notes when it is over."""

    __slots__ = ("_record",)

    def __init__(self, loop: SimLoop, record: TimerRecord) -> None:
        super().__init__(loop)
        self._record = record

    def due(self, ready: deque[object]) -> None:
        """Go from the heap into the queue."""
        self._record.fired_s = self._loop.kernel.now_s()
        super().due(ready)


def _is_default(name: str) -> bool:
    """Whether the name of a task is one that asyncio gives, or anyio, which calls it after its function: `my_app.jobs.work`."""
    module, dot, _ = name.partition(".")
    return _DEFAULT_NAME.fullmatch(name) is not None or (dot == "." and module in sys.modules)


def _path_here() -> str:
    """The path of the task or thread that runs now; empty in a callback of a loop."""
    lineage = lineage_here()
    return "" if lineage is None else lineage.path


def _is_of_program() -> bool:
    """Whether the nearest code on the stack that does not set timers for others is the program's."""
    frame = sys._getframe(2)  # noqa: SLF001 - `inspect` has it from there, at a hundred times the price
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_PASS_ON):
            return not file.startswith((*PACKAGES, "<"))
        frame = frame.f_back  # type: ignore[assignment]  # None at the end of the stack
    return False

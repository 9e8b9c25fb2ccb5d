"""The protocol of an observer of a program's loops and tasks."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import PurePath
from types import FrameType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from harness.errors import HarnessError
from harness.kernel.code_places import ASYNCIO, OURS, PACKAGES, PROGRAM_START

if TYPE_CHECKING:
    from harness.kernel.lineage import Lineage

AGENTS: Final = "  agents: "
"""How the line of a report begins that names agents that wait for one another."""

Blocking = Literal["call", "wait"]
"""What blocks a loop: a call of a blocking client, or another wait, such as `time.sleep`."""


class Death(NamedTuple):
    """A task that failed and whose exception was never retrieved."""

    order: int
    """Its number in its loop."""
    task: str
    """Its name and its coroutine."""
    error: BaseException
    lineage: Lineage | None


class Watcher:
    """Is told; this one does nothing about it. `Kernel.watcher` is one."""

    def blocked(self, waited_s: float, what: Blocking, place: str, *, held_up: bool) -> None:
        """The program stood still in a thread in which a loop runs.

        Args:
            waited_s: How long, until now [s].
            what: What it waited for.
            place: File and line of the program, such as `app.py:12`.
            held_up: Whether something in the loop was ready to run meanwhile.
        """

    def ended(self) -> None:
        """The main function of the program has ended; tasks that it has started may still run."""

    def agent_of(self, doer: object) -> str:
        """The agent whose calls a task or thread makes; empty if that is not known."""
        return ""

    def deadlocked(self, words: str) -> None:
        """Nothing can run again, or agents wait for one another in a circle.

        Args:
            words: The circle, or the first that waits.
        """

    def died(self, death: Death) -> None:
        """A task of the program failed, and its exception was never retrieved."""


def place_here() -> str:
    """File (its base name) and line where the program stands that runs in this thread; empty if there is none."""
    frames = list(_frames_here())
    for packages in (PACKAGES, (OURS, ASYNCIO)):
        for frame in frames:
            file = frame.f_code.co_filename
            if not file.startswith(packages):
                return f"{PurePath(file).name}:{frame.f_lineno}"
    return ""


def _frames_here() -> Iterator[FrameType]:
    """The frames of the program that runs in this thread, innermost first."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the way to one's own frames
    while frame is not None and frame.f_code.co_filename != PROGRAM_START:
        yield frame
        frame = frame.f_back


def death_of(task: asyncio.Future[object]) -> Death | None:
    """How a task died without anybody looking; None if it did not."""
    if not isinstance(task, asyncio.Task) or not task.done():
        return None
    error = getattr(task, "_exception", None)  # asking in public would count as having looked
    if not isinstance(error, Exception) or isinstance(error, HarnessError):
        return None
    coroutine = getattr(task.get_coro(), "__qualname__", "?")
    return Death(
        getattr(task, "order", 0),
        f"{task.get_name()} ({coroutine})",
        error,
        getattr(task, "lineage", None),
    )


def unseen_deaths(loop: asyncio.AbstractEventLoop) -> list[Death]:
    """The tasks of a loop that died and are still there, without anybody having looked at their errors."""
    found = (death_of(task) for task in unseen_failures(loop))
    return [death for death in found if death is not None]


def unseen_failures(loop: asyncio.AbstractEventLoop) -> list[asyncio.Task[object]]:
    """The tasks of a loop that ended with an error at which nobody has looked, in no order."""
    # Since Python 3.12 the set of all tasks has another name. A copy is made at once, whatever tasks begin and end meanwhile in other threads.
    name = "_scheduled_tasks" if hasattr(asyncio.tasks, "_scheduled_tasks") else "_all_tasks"
    there = [reference() for reference in getattr(asyncio.tasks, name).data.copy()]
    return [
        task
        for task in there
        if task is not None
        and task.get_loop() is loop
        and task.done()
        and getattr(task, "_log_traceback", False)
    ]

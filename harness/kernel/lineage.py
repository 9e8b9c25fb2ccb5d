"""Which task started which.

A program may give each try of one piece of work to a task of its own: `asyncio.wait_for` does up to Python 3.11, and so do
transports with a timeout. What such tries have in common is the task that began them.
"""

from __future__ import annotations

import asyncio
import math
from typing import Protocol
from weakref import ref

from harness.kernel.identity import Identity, RootIdentity


class Doer(Protocol):
    """A task, or a thread."""

    def done(self) -> bool:
        """Whether it has ended."""


class Worker(Protocol):
    """A thread that is known by the work that it does."""

    identity: Identity


class Lineage:
    """A task, and the tasks that it descends from; it keeps no task alive.

    Args:
        task: The task, or the thread where no loop runs in it; None for the main thread.
        parent: Of the task that began it.
        identity: Its path; None means that of the thread.
        begun_s: When [virtual s].
    """

    __slots__ = ("_identity", "_parent", "_task", "begun_s")

    def __init__(
        self,
        task: Doer | None,
        parent: Lineage | None,
        begun_s: float = 0.0,
        identity: Identity | None = None,
    ) -> None:
        self._task = None if task is None else ref(task)
        self._identity = identity
        self._parent = parent
        self.begun_s = begun_s

    @property
    def identity(self) -> Identity:
        """The path of the task; of a thread that works for a pool, the path of its present work."""
        if self._identity is not None:
            return self._identity
        thread = None if self._task is None else self._task()
        return getattr(thread, "identity", _MAIN)

    @property
    def path(self) -> str:
        """The path of spawning: who began the task, its name, its number among those of that name."""
        return self.identity.path

    @property
    def has_ended(self) -> bool:
        """Whether the task is done."""
        if self._task is None:
            return False
        task = self._task()
        return task is None or task.done()

    @property
    def is_being_cancelled(self) -> bool:
        """Whether the task or one of its ancestors was cancelled and has not ended yet."""
        line: Lineage | None = self
        while line is not None:
            task = None if line._task is None else line._task()  # noqa: SLF001 - of its own kind
            cancelling = getattr(task, "cancelling", None)
            if cancelling is not None and cancelling() > 0:
                return True
            line = line._parent  # noqa: SLF001 - of its own kind
        return False

    @property
    def ancestor(self) -> Lineage | None:
        """The nearest task above it that still runs; None only of `NO_TASK`."""
        found = self._parent
        while found is not None and found.has_ended:
            found = found._parent  # noqa: SLF001 - of its own kind
        # Tasks that begin one another in a row must not make a chain without end.
        self._parent = found
        return found

    def steps_to(self, earlier: Lineage, ended_s: float) -> int | None:
        """How far this task is from one whose work it may go on with; None if it may not.

        It may if it is the same task; or if both descend from one that still runs, and this one was begun when the
        work of the other had ended, so that it may have been begun because of that.

        Args:
            earlier: The other task.
            ended_s: When the other's work ended [virtual s].

        Returns:
            The number of tasks between the two that are alive, 0 for the same task.
        """
        heir = earlier.ancestor if earlier.has_ended else earlier
        mine: Lineage | None = self
        steps, begun_s = 0, math.inf
        while mine is not None:
            if mine is heir:
                return steps if begun_s >= ended_s else None
            steps, begun_s = steps + 1, mine.begun_s
            mine = mine.ancestor
        return None


_MAIN = RootIdentity()

NO_TASK = Lineage(None, None)
"""A program without a loop; every task descends from it."""


def child_of(
    parent: asyncio.Task[object] | None,
    task: asyncio.Task[object],
    begun_s: float,
    thread: Worker,
    name: str | None,
) -> Lineage:
    """The lineage of a new task.

    Args:
        parent: The task that begins it; None outside of all tasks.
        task: The new task.
        begun_s: The present time [virtual s].
        thread: The thread that runs, to which tasks outside of all tasks belong.
        name: What the task is called; None means that it is its parent's in everything but asyncio's eyes.
    """
    line = NO_TASK if parent is None else getattr(parent, "lineage", NO_TASK)
    above = line._parent  # noqa: SLF001 - of its own kind
    if above is not None and above._task is not None:  # noqa: SLF001 - this runs for every task
        task_above = above._task()  # noqa: SLF001
        if task_above is None or task_above.done():
            line.ancestor  # noqa: B018 - shortens the chain
    spawner = line._identity or thread.identity  # noqa: SLF001 - of a task; `identity` would ask for the thread
    return Lineage(task, line, begun_s, spawner if name is None else Identity(spawner, name))


def call_task_here(path: str) -> None:
    """Set the path of the task that runs now."""
    lineage: Lineage = asyncio.current_task().lineage  # type: ignore[union-attr]  # a task of a simulated loop
    lineage.identity.become(path)

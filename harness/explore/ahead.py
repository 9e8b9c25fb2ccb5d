"""Run ahead: while a search makes one run, forked processes make those that it will probably make next.

A run is a function of its deviations, so that the number of processes changes how long a search takes and not what it finds. A
process that is forked goes on with the search as if the runs before its own had taught nothing, which is so of most; if they did, its
run is kept until it is wanted. Systems without fork make one run after the other.
"""

from __future__ import annotations

import os
import pickle
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness.explore.deviation import Deviation, Deviations

CAN_FORK = hasattr(os, "fork")

_CHUNK = 1 << 16


@dataclass(slots=True)
class _Child:
    """A process that makes one run."""

    pid: int
    reads: int
    """Where its result comes from."""


class Ahead:
    """The processes of one search.

    Args:
        jobs: How many runs are made at once.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs if CAN_FORK else 1
        self._children: list[_Child] = []
        self._done: dict[frozenset[Deviation], Any] = {}
        self._writes = -1
        self._assumed = 0

    @property
    def is_child(self) -> bool:
        """Whether this process makes a single run for another one."""
        return self._writes >= 0

    def fork(self) -> bool:
        """Start processes for the runs after the one that is made next; whether this is one of them."""
        if self._jobs == 1 or self.is_child:
            return False
        for skipped in range(self._jobs - 1):
            reads, writes = os.pipe()
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore", DeprecationWarning
                )  # threads that are not of a run stay behind
                pid = os.fork()
            if pid == 0:
                os.close(reads)
                self._writes, self._assumed = writes, skipped
                return True
            os.close(writes)
            self._children.append(_Child(pid, reads))
        return False

    def assumes(self) -> bool:
        """In such a process: whether the next run is left out, as one that teaches nothing."""
        self._assumed -= 1
        return self._assumed >= 0

    def send(self, deviations: Deviations, result: object) -> None:
        """In such a process: hand over the run, and end."""
        try:
            view = memoryview(pickle.dumps((frozenset(deviations), result)))
            while view:
                view = view[os.write(self._writes, view[:_CHUNK]) :]
        finally:
            os._exit(0)

    def leave(self) -> None:
        """In such a process: end without a run."""
        if self.is_child:
            os._exit(0)

    def take(self, deviations: Deviations, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - as it was made
        """Return the result of a run: of a process that has made it, or made here."""
        wanted = frozenset(deviations)
        while wanted not in self._done and self._children:
            self._gather(self._children.pop(0))
        return self._done.pop(wanted) if wanted in self._done else make()

    @property
    def waits(self) -> bool:
        """Whether processes are under way."""
        return bool(self._children)

    def end(self) -> None:
        """Let all processes end."""
        for child in self._children:
            self._gather(child)
        self._children.clear()

    def _gather(self, child: _Child) -> None:
        parts = list(iter(partial(os.read, child.reads, _CHUNK), b""))
        os.close(child.reads)
        os.waitpid(child.pid, 0)
        if parts:
            deviations, result = pickle.loads(b"".join(parts))  # noqa: S301 - of a process of our own
            self._done.setdefault(deviations, result)

"""A thread of a run, what it waits with, and the gate at which it waits for the baton.

Who runs when is decided in `baton.py`.
"""

from __future__ import annotations

import _thread
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from harness.kernel.identity import Identity, RootIdentity
from harness.kernel.lineage import Lineage


class RunIsOver(SystemExit):
    """Raised in a thread that outlives its run; `threading` and asyncio propagate a SystemExit silently."""


@dataclass(slots=True, eq=False)
class Waiter:
    """Something that waits: a loop with nothing to do, a `time.sleep`, a lock, a blocking read.

    Its thread makes it, parks with it, and may park with it again.
    """

    name: str
    woken: bool = False
    """Set when it is woken, taken back by `park`."""
    queued: bool = False
    """Whether its thread has given the baton away, so that waking it puts it in line."""
    thread: SimThread | None = None
    """The thread that is parked with it."""
    ordinal: int = 0
    """Of its present wait; the alarm of an earlier one means nothing."""


class Entered(Protocol):
    """Something that can be left and entered again."""

    def enter(self) -> None:
        """Begin."""

    def leave(self) -> None:
        """End for now."""


class Passing(Protocol):
    """What a thread that does not belong to a run may ask of its baton."""

    current: SimThread

    def wake_from_outside(self, waiter: Waiter) -> None:
        """Wake a waiter of the run."""


_lock_type: Any = type(_thread.allocate_lock())
# The baton is passed with the real methods, which are replaced while a world is open (`locks.py`).
acquire: Callable[..., bool] = _lock_type.__dict__["acquire"]
release: Callable[[Any], None] = _lock_type.__dict__["release"]


def take_gate(gate: object, timeout_s: float) -> tuple[bool, BaseException | None]:
    """Take a gate; gives whether it is taken, and what interrupted that, such as Ctrl-C."""
    taken: list[bool] = []
    try:
        # C from end to end: an interrupt comes before the gate is taken, or after that is known.
        taken.extend(map(partial(acquire, timeout=timeout_s), (gate,)))
    except BaseException as error:  # noqa: BLE001 - it waits until the baton is there
        return any(taken), error
    return any(taken), None


def shut_gate() -> Any:  # noqa: ANN401 - a lock, whose type has no public name
    """A new gate, which nobody passes until it is released."""
    gate = _thread.allocate_lock()
    acquire(gate)
    return gate


@dataclass(slots=True, eq=False, weakref_slot=True)
class SimThread:
    """A thread of a run."""

    baton: Passing
    name: str
    number: int
    """0 for the main thread, then in the order of starting."""
    daemon: bool = False
    gate: Any = field(default_factory=shut_gate)
    """The thread waits here for the baton."""
    waits_for: Waiter | None = None
    since_s: float = 0.0
    """When it parked [virtual s]."""
    failure: BaseException | None = None
    """Raised in it as soon as it has the baton again."""
    ending: bool = False
    """Whether the run is over and it must end."""
    has_ended: bool = False
    is_stuck: bool = False
    """Whether it swallows what ends it, and is kept from running for good."""
    ident: int = 0
    """The operating system's number of it."""
    on_done: list[Waiter] = field(default_factory=list)
    """What waits for its end."""
    endings: int = 0
    lineage: Lineage | None = None
    """The task or thread that started it; None of the main thread."""
    identity: Identity = field(default_factory=RootIdentity)
    """Its path; of a worker of a pool, that of the work that it does."""
    entered: Entered | None = None
    """What holds for the whole process while it runs, and is left while it waits."""

    def done(self) -> bool:
        """Whether it has ended, asked as one asks a task."""
        return self.has_ended

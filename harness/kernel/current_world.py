"""The simulated world of the current thread.

What is changed while a world is open (clocks, entropy, threads, sockets) is changed for the whole process. Every
stand-in therefore asks here first: in a thread that is in no world it does what the original does.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from queue import SimpleQueue
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, WeakValueDictionary

from harness.chance.draws import Draws
from harness.errors import NotSimulated
from harness.kernel.kernel import Kernel
from harness.kernel.lineage import NO_TASK, Lineage
from harness.kernel.looking import Looking
from harness.kernel.loop import SimLoop, running
from harness.kernel.sim_thread import SimThread, Waiter
from harness.kernel.watcher import Blocking, Death, place_here

TURNS_BETWEEN_COLLECTIONS = 10_000
"""Garbage is looked for at every ten thousandth turn of a loop. That is a few hundred calls of an SDK, which leave some
ten megabytes in circles; and looking through what a run has made takes less than a hundredth of the time they take."""

_FIRST_SIMULATED_SOCKET = 2**30
"""Numbers of descriptors that no operating system gives."""

REFUSALS_MAX = 100
"""A program that is refused so often tries for ever."""

CLOCK_READS_PER_TURN = 5_000_000
"""Far more than a program reads while it computes; reading them takes some two seconds."""


class Notification(NamedTuple):
    """One `notify` of a condition."""

    thread: SimThread
    """Who gave it."""
    at_s: float
    """Virtual [s]."""
    was_awaited: bool
    """Whether anybody waited for it."""


@dataclass(slots=True, eq=False)
class World:
    """What a user's program sees instead of the real world: one kernel and one seed."""

    kernel: Kernel
    draws: Draws
    """Where its random values come from."""
    running: bool = False
    """Whether a program runs in it now."""
    loops: list[SimLoop] = field(default_factory=list)
    """The loops made in it, closed ones too."""
    threads: WeakKeyDictionary[threading.Thread, SimThread] = field(
        default_factory=WeakKeyDictionary
    )
    """Those that the program has started."""
    pools: WeakKeyDictionary[ThreadPoolExecutor, dict[str, object]] = field(
        default_factory=WeakKeyDictionary
    )
    """The pools that the program has used, each with what it had before."""
    notified: WeakKeyDictionary[threading.Condition, Notification] = field(
        default_factory=WeakKeyDictionary
    )
    """Who notified each condition last."""
    woken_outside: bool = False
    """Whether the program has released a lock that a thread outside of the run has taken."""
    answers_awaited: int = 0
    """How often an answer of such a thread was looked out for."""
    work_queues: list[SimpleQueue[Any]] = field(default_factory=list)
    """What those pools have to do."""
    places: Iterator[int] = field(default_factory=lambda: count(1))
    """Where its futures and threads stand in sets."""
    counts: dict[tuple[str, ...], int] = field(default_factory=dict)
    """How often each source of entropy was asked, by its key."""
    descriptors: set[int] = field(default_factory=set)
    """The sockets that the program has made and may use."""
    simulated_sockets: WeakValueDictionary[int, Any] = field(default_factory=WeakValueDictionary)
    """The sockets in memory, of which the operating system knows nothing, by number; see `harness.virtual.waits`."""
    apart: WeakKeyDictionary[Any, dict[str, Any]] = field(default_factory=WeakKeyDictionary)
    """What attributes are in it that every world has for itself (`harness.virtual.apart`), by object and name."""
    latest_apart: tuple[Callable[[], object], dict[str, Any]] = field(
        default_factory=lambda: (lambda: None, {})
    )
    """The object whose attributes were asked for last, by a weak reference, and what is in `apart` for it."""
    temporary_names: Iterator[str] | None = None
    """Where `tempfile` takes its names from."""
    last_uuid1: int = 0
    """The time in the last `uuid1`, which no other may have [100 ns]."""
    listeners: dict[int, Any] = field(default_factory=dict)
    """The servers of its program (`harness.virtual.servers.Listener`), by port."""
    children: dict[int, Any] = field(default_factory=dict)
    """The simulated processes that it started (`harness.virtual.child.Child`), by their numbers."""
    signal_handlers: dict[int, Any] = field(default_factory=dict)
    """What its program has set to handle signals."""
    signal_mask: set[int] = field(default_factory=set)
    """The signals that it has blocked."""
    real_loop: asyncio.Runner | None = None
    """On which functions that stay real are awaited; see `harness.virtual.reality`."""
    deaths: list[Death] = field(default_factory=list)
    """Tasks that died unseen and are gone already."""
    refusals: int = 0
    """How often it was refused something."""
    turns: int = 0
    """Turns of its loops so far."""
    clock_reads: int = 0
    """How often the clock was read since the last turn."""
    looking: Looking = field(default_factory=Looking)
    """Its threads' looks at locks and queues that they do not wait for."""

    def now_s(self) -> float:
        """The virtual time, read by the program [s].

        Raises:
            LimitExceeded: It has been read over and over; virtual time does not pass by itself.
        """
        self.clock_reads += 1
        if self.clock_reads > CLOCK_READS_PER_TURN:
            self.clock_reads = 0
            raise self.kernel.exceeded(
                "clock_reads_per_turn",
                CLOCK_READS_PER_TURN,
                "Virtual time moves only while something waits, so a loop such as `while time.monotonic() < end: ...` "
                "never ends. Let it sleep.",
            )
        return self.kernel.env._now  # noqa: SLF001 - see `Kernel.now_s`

    def refuse(self, what: str, advice: str) -> NotSimulated:
        """The error for something that is not simulated; the run fails with it even if the program swallows it.

        Args:
            what: What was touched, by its public name.
            advice: What to use instead.
        """
        error = NotSimulated(what, advice)
        self.refusals += 1
        self.kernel.fail(error, halt=self.refusals >= REFUSALS_MAX)
        return error

    def block(self, seconds: float) -> None:
        """Let virtual time pass while the program stands still [s]."""
        kernel = self.kernel
        began_s = kernel.now_s()
        kernel.park(Waiter("time.sleep"), began_s + seconds)
        self.note_blocked(began_s)
        self.count_turn()

    def look_in_vain(self) -> None:
        """Note that the program found a lock taken or a queue empty, and does not wait for it."""
        began_s = self.kernel.now_s()
        if self.looking.look(self.kernel):
            self.note_blocked(began_s)
            self.count_turn()

    def note_blocked(self, began_s: float, what: Blocking = "wait") -> None:
        """Note that the program has stood still since a time [s]; it matters if a loop runs in this thread."""
        waited_s = self.kernel.now_s() - began_s
        if running.loop is not None and not running.loop.is_aside and waited_s > 0:
            held_up = running.loop.has_work
            self.kernel.watcher.blocked(waited_s, what, place_here(), held_up=held_up)

    def count_turn(self) -> None:
        """Note a turn, and look for garbage at the same turns of every run."""
        self.turns += 1
        self.clock_reads = 0
        if self.turns % TURNS_BETWEEN_COLLECTIONS == 0:
            gc.collect()

    def add_simulated_socket(self, opened: object) -> int:
        """Give a socket in memory a number, by which `select` finds it."""
        number = _FIRST_SIMULATED_SOCKET + self.next_count("simulated socket")
        self.simulated_sockets[number] = opened
        return number

    def next_count(self, *key: str) -> int:
        """How often the source was asked before; asks once more."""
        count = self.counts.get(key, 0)
        self.counts[key] = count + 1
        return count


class _ThisThread(threading.local):
    world: World | None = None
    """The world that this thread is in."""
    network: object = None
    """The simulated network of this thread; see `harness.wire.network`."""
    commands: Any = None
    """Who answers for the commands that this thread runs; see `harness.virtual.commands`."""
    current_loop: asyncio.AbstractEventLoop | None = None
    """What `asyncio.set_event_loop` was told in this thread."""


this_thread = _ThisThread()


def lineage_here() -> Lineage | None:
    """The lineage of the code that runs now; None in a callback, and in a task that is not of a simulated loop."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return lineage_of_thread()
    return getattr(task, "lineage", None)


def is_in_task() -> bool:
    """Whether the code that runs now is a task's, which can be cancelled."""
    try:
        return asyncio.current_task() is not None
    except RuntimeError:
        return False


def lineage_of_thread() -> Lineage:
    """The lineage of the thread that runs now, where no loop runs in it."""
    world = this_thread.world
    return NO_TASK if world is None else world.kernel.baton.current.lineage or NO_TASK

"""Waits for descriptors (`select`, `selectors`), in virtual time.

Nobody but the program itself can make a real descriptor of the run ready. So one that is not ready now will not be while the
program waits, and the wait is a sleep. Simulated sockets have numbers of their own, and become ready when their server sends
something. `select.epoll` is a class of C, whose objects cannot be reached; it knows no simulated socket.
"""

from __future__ import annotations

import math
import select
import selectors
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from harness.kernel.current_world import World, this_thread
from harness.kernel.sim_thread import Waiter
from harness.virtual.patching import Attribute, StandIn, method, stand_in
from harness.virtual.sockets import connection_from_before, is_foreign

_MS_PER_S = 1_000.0


class SimulatedSocket(Protocol):
    """A socket in memory."""

    waiting: dict[Waiter, None]
    """What is woken when there is something to read."""

    @property
    def has_news(self) -> bool:
        """Whether a read would not wait."""


def _number_of(one: Any) -> int:  # noqa: ANN401 - a descriptor, or what has one
    number: int = one if isinstance(one, int) else one.fileno()
    return number


def _check(world: World, waited_for: Iterable[object]) -> None:
    for one in waited_for:
        if is_foreign(world, _number_of(one)):
            raise connection_from_before(None)


def _ready(
    world: World,
    look: Callable[[], Any],
    timeout_s: float | None,
    read: Iterable[SimulatedSocket] = (),
) -> Any:  # noqa: ANN401 - what `look` gives
    """What is ready; if nothing is, virtual time passes until a simulated socket is, or until the timeout.

    Raises:
        Deadlock: There is none, and nothing is planned.
    """
    found = look()
    if any(found) or (timeout_s is not None and timeout_s <= 0):
        return found
    kernel, me = world.kernel, Waiter("select")
    watched = list(read)
    for one in watched:
        one.waiting[me] = None
    began_s = kernel.now_s()
    try:
        kernel.park(me, math.inf if timeout_s is None else began_s + timeout_s)
        world.note_blocked(began_s)
    finally:
        for one in watched:
            del one.waiting[me]
    world.count_turn()
    return look()


def _select(
    world: World,
    read: Iterable[object],
    write: Iterable[object],
    exceptional: Iterable[object],
    timeout: float | None = None,
) -> Any:  # noqa: ANN401 - three lists
    lists = list(read), list(write), list(exceptional)
    known = world.simulated_sockets
    ours = [[one for one in part if _number_of(one) in known] for part in lists]
    theirs = [[one for one in part if _number_of(one) not in known] for part in lists]
    _check(world, [one for part in theirs for one in part])

    def look() -> Any:  # noqa: ANN401 - see above
        readable, writable, broken = _stock_select(*theirs, 0)
        news = [one for one in ours[0] if known[_number_of(one)].has_news]
        return news + readable, ours[1] + writable, broken

    return _ready(world, look, timeout, [known[_number_of(one)] for one in ours[0]])


class _Poll:
    """What `select.poll()` gives in a world; it may outlive it."""

    def __init__(self, _: World) -> None:
        self._poll = _stock_poll()
        self._simulated: dict[int, int] = {}
        """What is waited for on simulated sockets, by their numbers."""

    def register(self, fd: object, *eventmask: int) -> None:
        """As `select.poll` does.

        Raises:
            NotSimulated: It is a socket that the run did not make.
        """
        if this_thread.world is not None:
            if _number_of(fd) in this_thread.world.simulated_sockets:
                self._simulated[_number_of(fd)] = eventmask[0] if eventmask else _ANY
                return
            _check(this_thread.world, [fd])
        self._poll.register(fd, *eventmask)

    def modify(self, fd: object, eventmask: int) -> None:
        """As `select.poll` does."""
        if _number_of(fd) in self._simulated:
            self._simulated[_number_of(fd)] = eventmask
        else:
            self._poll.modify(fd, eventmask)

    def unregister(self, fd: object) -> None:
        """As `select.poll` does."""
        if self._simulated.pop(_number_of(fd), None) is None:
            self._poll.unregister(fd)

    def poll(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - a list of pairs
        """Wait in virtual time [ms]."""
        world = this_thread.world
        if world is None:
            return self._poll.poll(timeout)
        forever = timeout is None or timeout < 0
        timeout_s = None if forever or timeout is None else timeout / _MS_PER_S
        known = world.simulated_sockets
        waited_for = [known[n] for n, mask in self._simulated.items() if mask & _IN and n in known]
        return _ready(
            world, lambda: self._events(known) + self._poll.poll(0), timeout_s, waited_for
        )

    def _events(self, known: Mapping[int, SimulatedSocket]) -> list[tuple[int, int]]:
        """What simulated sockets are ready for; one that is closed is no descriptor."""
        found = []
        for number, mask in self._simulated.items():
            opened = known.get(number)
            events = _NONE if opened is None else mask & (_IN * opened.has_news | _OUT)
            if events:
                found.append((number, events))
        return found


def _wait_of(owner: type) -> Callable[..., object]:
    stock: Any = vars(owner)["select"]

    def use(world: World, selector: Any, timeout: float | None = None) -> Any:  # noqa: ANN401 - a selector of `selectors`
        _check(world, selector.get_map() or ())
        return _ready(world, lambda: stock(selector, 0), timeout)

    return use


_stock_select: Any = select.select
_stock_poll: Any = getattr(select, "poll", None)
# Not on Windows.
_IN, _OUT, _NONE = (getattr(select, f"POLL{name}", 0) for name in ("IN", "OUT", "NVAL"))
_ANY = _IN | _OUT

STAND_INS: tuple[StandIn, ...] = (
    stand_in(select.select, _select),
    *(() if _stock_poll is None else (stand_in(_stock_poll, _Poll),)),
)
_SELECTORS: tuple[type, ...] = tuple(
    kind
    for name in ("SelectSelector", "_PollLikeSelector", "EpollSelector", "KqueueSelector")
    if (kind := getattr(selectors, name, None)) is not None and "select" in vars(kind)
)
ATTRIBUTES: tuple[Attribute, ...] = tuple(
    method(owner, "select", _wait_of(owner)) for owner in _SELECTORS
)

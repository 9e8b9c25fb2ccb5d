"""Waiting for descriptors (`select`, `selectors`): on those of the run alone, and in virtual time.

Nobody but the program itself can make a descriptor of the run ready. So one that is not ready now will not be while the
program waits, and the wait is a sleep. `select.epoll` is a class of C, whose objects cannot be reached.
"""

from __future__ import annotations

import math
import select
import selectors
from collections.abc import Callable, Iterable
from typing import Any

from harness.kernel.captured import Attribute, StandIn, method, stand_in
from harness.kernel.here import World, here
from harness.kernel.sockets import connection_from_before, is_foreign

_MS_PER_S = 1_000.0


def _check(world: World, waited_for: Iterable[Any]) -> None:
    for one in waited_for:
        descriptor = one if isinstance(one, int) else one.fileno()
        if is_foreign(world, descriptor):
            raise connection_from_before(None)


def _ready(world: World, look: Callable[[], Any], timeout_s: float | None) -> Any:  # noqa: ANN401 - what `look` gives
    """What is ready; if nothing is, virtual time passes until the timeout.

    Raises:
        Deadlock: There is none, and nothing is planned.
    """
    found = look()
    if any(found) or (timeout_s is not None and timeout_s <= 0):
        return found
    world.block(math.inf if timeout_s is None else timeout_s)
    return look()


def _select(
    world: World,
    read: Iterable[Any],
    write: Iterable[Any],
    exceptional: Iterable[Any],
    timeout: float | None = None,
) -> Any:  # noqa: ANN401 - three lists
    lists = list(read), list(write), list(exceptional)
    _check(world, [one for part in lists for one in part])
    return _ready(world, lambda: _stock_select(*lists, 0), timeout)


class _Poll:
    """What `select.poll()` gives in a world; it may outlive it."""

    def __init__(self, _: World) -> None:
        self._poll = _stock_poll()

    def register(self, fd: Any, *eventmask: int) -> None:  # noqa: ANN401 - a descriptor, or what has one
        """As `select.poll` does.

        Raises:
            NotSimulated: It is a socket that the run did not make.
        """
        if here.world is not None:
            _check(here.world, [fd])
        self._poll.register(fd, *eventmask)

    def modify(self, fd: Any, eventmask: int) -> None:  # noqa: ANN401 - see above
        """As `select.poll` does."""
        self._poll.modify(fd, eventmask)

    def unregister(self, fd: Any) -> None:  # noqa: ANN401 - see above
        """As `select.poll` does."""
        self._poll.unregister(fd)

    def poll(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - a list of pairs
        """Wait in virtual time [ms]."""
        if here.world is None:
            return self._poll.poll(timeout)
        forever = timeout is None or timeout < 0
        timeout_s = None if forever or timeout is None else timeout / _MS_PER_S
        return _ready(here.world, lambda: self._poll.poll(0), timeout_s)


def _wait_of(owner: type) -> Callable[..., Any]:
    stock: Any = vars(owner)["select"]

    def use(world: World, selector: Any, timeout: float | None = None) -> Any:  # noqa: ANN401 - a selector of `selectors`
        _check(world, selector.get_map() or ())
        return _ready(world, lambda: stock(selector, 0), timeout)

    return use


_stock_select: Any = select.select
_stock_poll: Any = getattr(select, "poll", None)

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

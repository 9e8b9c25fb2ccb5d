"""Waits for descriptors: `select` and what is built on it.

Nothing outside of a run may decide what happens in it, so a descriptor is ready at once or not at all. A wait with a
timeout takes virtual time; one without would last for ever.
"""

from __future__ import annotations

import select
import selectors
from typing import Any

from harness.kernel.captured import Attribute, StandIn, method, stand_in
from harness.kernel.here import World, here

_WAITING = "a wait for a descriptor (select, poll)"


def _select(world: World, *lists: Any) -> tuple[list[Any], list[Any], list[Any]]:  # noqa: ANN401 - and a timeout
    *descriptors, timeout = lists if len(lists) > 3 else (*lists, None)
    ready: tuple[list[Any], list[Any], list[Any]] = _stock_select(*descriptors, 0)
    if not any(ready):
        _let_pass(world, timeout)
    return ready


def _select_of(cls: type[selectors.BaseSelector]) -> Attribute:
    stock: Any = cls.select

    def inside(world: World, selector: Any, timeout: float | None = None) -> list[Any]:  # noqa: ANN401 - see above
        ready: list[Any] = stock(selector, 0)
        if not ready:
            _let_pass(world, timeout)
        return ready

    return method(cls, "select", inside)


class _Poll:
    """A `select.poll` whose timeouts are virtual."""

    def __init__(self) -> None:
        self._stock = _stock_poll()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the stock object's
        return getattr(self._stock, name)

    def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]:
        """What is ready now; the timeout [ms] passes in virtual time if nothing is."""
        ready: list[tuple[int, int]] = self._stock.poll(0)
        if not ready and here.world is not None:
            _let_pass(here.world, None if timeout is None or timeout < 0 else timeout / 1000)
        return ready


def _let_pass(world: World, timeout: float | None) -> None:
    if timeout is None:
        raise world.kernel.refuse_thread(_WAITING)
    if timeout > 0:
        world.block(timeout)


_stock_select: Any = select.select
_stock_poll: Any = getattr(select, "poll", None)  # not on Windows

STAND_INS: tuple[StandIn, ...] = (
    stand_in(select.select, _select),
    *(() if _stock_poll is None else (stand_in(_stock_poll, lambda _: _Poll()),)),
)
ATTRIBUTES: tuple[Attribute, ...] = tuple(
    _select_of(getattr(selectors, name))
    for name in (
        "SelectSelector",
        "PollSelector",
        "EpollSelector",
        "DevpollSelector",
        "KqueueSelector",
    )
    if hasattr(selectors, name)
)

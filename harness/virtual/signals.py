"""Signals: handlers may be set but are never called, and signals and timers are refused.

Handlers are kept in the world and end with it, so that Ctrl-C and the signals that end a session go to the handler that was set
before the run.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from harness.kernel.current_world import World
from harness.virtual.patching import StandIn, stand_in

_CALL_THE_HANDLER = "call what handles the signal, or raise the error that it leads to."
_WAIT_OTHERWISE = (
    "use asyncio.timeout, asyncio.wait_for or loop.call_later, which are in virtual time."
)


def handler_of(world: World, number: int) -> Any:  # noqa: ANN401 - as `signal.getsignal`
    """What the program has set for a signal, or what was there before the run."""
    before = _stock_handler_of(number)  # complains of a number that is none
    return world.signal_handlers.get(number, before)


def _handle(world: World, number: int, handler: object) -> Any:  # noqa: ANN401 - as `signal.signal`
    before = handler_of(world, number)
    if not callable(handler) and handler not in (signal.SIG_DFL, signal.SIG_IGN):
        raise TypeError(
            "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object"
        )
    world.signal_handlers[number] = handler
    return before


def _set_alarm(world: World, seconds: int) -> int:
    if seconds:
        raise world.refuse("signal.alarm", _WAIT_OTHERWISE)
    return 0  # there was none


def _set_timer(world: World, _: int, seconds: float, __: float = 0.0) -> tuple[float, float]:
    if seconds:
        raise world.refuse("signal.setitimer", _WAIT_OTHERWISE)
    return 0.0, 0.0  # there was none


def _timer(_: World, __: int) -> tuple[float, float]:
    return 0.0, 0.0


def _mask(world: World, how: int, mask: Iterable[int]) -> set[int]:
    """Blocks nothing, since nothing comes; gives back what was asked for before."""
    before, given = set(world.signal_mask), set(mask)
    if how == signal.SIG_BLOCK:
        world.signal_mask |= given
    elif how == signal.SIG_UNBLOCK:
        world.signal_mask -= given
    else:
        world.signal_mask = given
    return before


def _refuse(name: str, advice: str) -> Callable[..., NoReturn]:
    def refuse(world: World, *_: object, **__: object) -> NoReturn:
        raise world.refuse(name, advice)

    return refuse


_REFUSED = (
    ("raise_signal pthread_kill pidfd_send_signal", _CALL_THE_HANDLER),
    ("pause sigwait sigwaitinfo sigtimedwait", "wait for an asyncio.Event that the test sets."),
    ("set_wakeup_fd", "leave it out of the program under test."),
)


def _stand_ins() -> Iterator[StandIn]:
    yield stand_in(signal.signal, _handle)
    yield stand_in(signal.getsignal, handler_of)
    for name, inside in (("alarm", _set_alarm), ("setitimer", _set_timer), ("getitimer", _timer)):
        if hasattr(signal, name):
            yield stand_in(getattr(signal, name), inside)
    if hasattr(signal, "pthread_sigmask"):
        yield stand_in(signal.pthread_sigmask, _mask)
    for names, advice in _REFUSED:
        for name in names.split():
            if hasattr(signal, name):
                yield stand_in(getattr(signal, name), _refuse(f"signal.{name}", advice))


_stock_handler_of = signal.getsignal
STAND_INS: tuple[StandIn, ...] = tuple(_stand_ins())

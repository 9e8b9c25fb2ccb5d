"""Ways of signals and timers."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from tests.isolation.way import Way, kept_in_a_generator

_ALSO = "cancelling, as `signal.alarm(0)`, is accepted and does nothing"


_real_handler = kept_in_a_generator(signal.getsignal, signal.SIGTERM)


def _send_a_harmless_one(kept: Iterator[object]) -> bool:
    return next(kept) is None


def _handler(_: int, __: FrameType | None) -> None:
    raise AssertionError("no signal is real")


def _set_handler(really: Iterator[object]) -> bool:
    before = signal.signal(signal.SIGTERM, _handler)
    return (
        before is next(really)
        and signal.getsignal(signal.SIGTERM) is _handler
        and next(really) is not _handler
    )


async def _set_handler_of_loop(really: Iterator[object]) -> bool:
    loop, before = asyncio.get_running_loop(), next(really)
    loop.add_signal_handler(signal.SIGTERM, print)
    return next(really) is before and loop.remove_signal_handler(signal.SIGTERM)


def _block(really_blocked: Iterator[set[int]]) -> bool:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    real = next(really_blocked)
    blocked = signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
    return blocked == {signal.SIGUSR1} and signal.SIGUSR1 not in real


def _refused(what: str, program: Callable[[], object], names: str, consequence: str = "") -> Way:
    return Way(
        what=what,
        outcome="refused",
        program=lambda _: program(),
        names=names,
        consequence=consequence,
    )


WAYS: tuple[Way, ...] = (
    Way(
        what="`signal.signal`",
        outcome="virtual",
        program=_set_handler,
        prepare=_real_handler,
        consequence="the handler is kept for `signal.getsignal`, never called, and forgotten with the run",
    ),
    Way(
        what="`loop.add_signal_handler`",
        outcome="virtual",
        program=_set_handler_of_loop,
        prepare=_real_handler,
        consequence="likewise",
    ),
    Way(
        what="`signal.signal` with the handler of `asyncio.run`",
        outcome="virtual",
        program=lambda _: asyncio.Runner().run(asyncio.sleep(0, result=True)),
        consequence="Ctrl-C reaches the handler that was there before the run, and ends the run",
    ),
    _refused("`signal.alarm`", lambda: signal.alarm(5), "signal.alarm", _ALSO),
    _refused(
        "`signal.setitimer`",
        lambda: signal.setitimer(signal.ITIMER_REAL, 5.0),
        "signal.setitimer",
        _ALSO,
    ),
    Way(
        what="`signal.alarm(0)`",
        outcome="virtual",
        program=lambda _: signal.alarm(0) == 0,
        consequence="a real timer, such as the one of pytest-timeout, goes on",
    ),
    Way(
        what="`signal.setitimer(which, 0)`",
        outcome="virtual",
        program=lambda _: (
            signal.setitimer(signal.ITIMER_REAL, 0)
            == signal.getitimer(signal.ITIMER_REAL)
            == (0, 0)
        ),
        consequence="likewise",
    ),
    _refused(
        "`signal.raise_signal`", lambda: signal.raise_signal(signal.SIGWINCH), "signal.raise_signal"
    ),
    _refused(
        "`signal.pthread_kill`",
        lambda: signal.pthread_kill(threading.get_ident(), signal.SIGWINCH),
        "signal.pthread_kill",
    ),
    _refused(
        "`os.kill` of the own process",
        lambda: os.kill(os.getpid(), signal.SIGWINCH),
        f"a signal to process {os.getpid()}",
    ),
    _refused(
        "`os.kill` of another process",
        lambda: os.kill(os.getppid(), 0),
        f"a signal to process {os.getppid()}",
        "simulated processes can be killed",
    ),
    _refused(
        "`os.killpg`",
        lambda: os.killpg(os.getpgrp(), signal.SIGWINCH),
        f"a signal to process {os.getpgrp()}",
        "likewise",
    ),
    _refused("`signal.pause`", lambda: signal.pause(), "signal.pause"),  # noqa: PLW0108 - looked up in the run
    _refused("`signal.sigwait`", lambda: signal.sigwait({signal.SIGUSR1}), "signal.sigwait"),
    _refused(
        "`signal.sigtimedwait`",
        lambda: signal.sigtimedwait({signal.SIGUSR1}, 1),
        "signal.sigtimedwait",
    ),
    Way(
        what="`signal.pthread_sigmask`",
        outcome="virtual",
        program=_block,
        prepare=kept_in_a_generator(signal.pthread_sigmask, signal.SIG_BLOCK, ()),
        consequence="the mask is kept for the program, and the real one stays",
    ),
    Way(
        what="`signal.alarm`, `signal.setitimer`, `signal.raise_signal` or `signal.pause`, kept before the run where no "
        "search comes to it, such as in a generator",
        outcome="real",
        program=_send_a_harmless_one,
        prepare=kept_in_a_generator(signal.raise_signal, signal.SIGURG),
        consequence="Python raises no audit event for these; call them by their names, as libraries do",
    ),
    _refused("`signal.set_wakeup_fd`", lambda: signal.set_wakeup_fd(-1), "signal.set_wakeup_fd"),
)

"""Timeout with a default answer: the caller goes on with it, and is told the real one when it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TypeVar

from harness.models import CALL_ERRORS, Reply, Request, error_name
from harness.provider.tokens import count_tokens
from harness.resilience.api import Call
from harness.spans import SpanLog
from harness.units import PositiveSeconds

T = TypeVar("T")

DEFAULTED = "default_answer"
CORRECTED = "corrected"
NEVER_CORRECTED = "never_corrected"

Correct = Callable[[Request, Reply], None]
"""Told the real reply to a request that was answered by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultAnswer:
    """What is answered when the reply is late. The call goes on, and its reply corrects the answer."""

    after_s: PositiveSeconds
    """How long to wait for the reply [s]."""
    text: str = "no answer yet"
    """The default answer."""


class Late:
    """Calls that go on after their default answer was given; for use by hand on any event loop."""

    def __init__(self) -> None:
        self._running: list[asyncio.Task[None]] = []

    async def or_default(
        self,
        ask: Coroutine[None, None, T],
        after_s: float,
        default: Callable[[], T],
        ended: Callable[[T | Exception], None],
        failures: tuple[type[Exception], ...] = (Exception,),
    ) -> T:
        """The result of a call, or a default if that is late.

        Args:
            ask: The call.
            after_s: How long to wait [s].
            default: Gives the default.
            ended: Told the result, or the failure, of a call that was late.
            failures: What the call may fail with.
        """
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        asked = loop.create_task(_waking(ask, woken))
        timer = loop.call_later(after_s, _wake, woken)
        try:
            await woken
        except asyncio.CancelledError:
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            ask.close()  # if it was not even begun
            raise
        finally:
            timer.cancel()
        if asked.done():
            return asked.result()
        self._running = [one for one in self._running if not one.done()]
        self._running.append(asyncio.create_task(self._told(asked, ended, failures)))
        return default()

    @staticmethod
    async def _told(
        asked: asyncio.Task[T],
        ended: Callable[[T | Exception], None],
        failures: tuple[type[Exception], ...],
    ) -> None:
        try:
            ended(await asked)
        except failures as error:
            ended(error)


async def _waking(ask: Coroutine[None, None, T], waiter: asyncio.Future[None]) -> T:
    """A call that wakes a waiter when it ends; a callback of its task would do it one turn of the loop later."""
    try:
        return await ask
    finally:
        _wake(waiter)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def with_default_answer(
    call: Call, stated: DefaultAnswer | None, log: SpanLog, correct: Correct
) -> Call:
    """Answer by default when the reply is late, and correct the answer when it comes.

    Args:
        call: The call, with all its other policies.
        stated: When, and what to answer; None leaves the call as it is.
        log: Where it is noted.
        correct: Told the real reply when it comes.
    """
    if stated is None:
        return call
    late = Late()

    async def ask(request: Request) -> Reply:
        return await call(request)

    async def call_or_default(request: Request) -> Reply:
        def default() -> Reply:
            log.event(DEFAULTED, request.call_span)
            return Reply(stated.text, output_tokens=count_tokens(stated.text))

        def ended(outcome: Reply | Exception) -> None:
            if isinstance(outcome, Reply):
                log.event(CORRECTED, request.call_span)
                correct(request, outcome)
            else:
                log.event(NEVER_CORRECTED, request.call_span, error_name(outcome))

        return await late.or_default(ask(request), stated.after_s, default, ended, CALL_ERRORS)

    return call_or_default

"""Hedged call: ask again when the reply is late, and take the first (Dean and Barroso, "The Tail at Scale", CACM 2013)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from harness.models import CALL_ERRORS, Reply, Request
from harness.resilience.api import Call, Note, silent
from harness.resilience.branches import branch
from harness.spans import HEDGED, SpanLog
from harness.units import Count, PositiveSeconds

T = TypeVar("T")

LOSER = "hedge_cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedge:
    """When a second request is sent beside the first; the loser is cancelled."""

    after_s: PositiveSeconds
    """How long to wait for a reply before asking again [s]."""
    extra: Count = 1
    """Most requests beside the first; each is sent `after_s` after the one before."""


async def hedged(
    ask: Callable[[int], Awaitable[T]],
    hedge: Hedge,
    *,
    failures: tuple[type[Exception], ...] = (Exception,),
    note: Note = silent,
) -> T:
    """The first reply of several requests; the others are cancelled. For use by hand on any event loop.

    Args:
        ask: Sends a request; is told how many were sent before.
        hedge: When to send another.
        failures: Errors for which the others are waited for; any other error is raised at once.
        note: Told of each request beside the first, and of each that is cancelled.

    Raises:
        Exception: The first failure, when all that were sent have failed.
    """
    copies = _Copies(ask, hedge, failures, note)
    failure: Exception | None = None
    try:
        try:
            return await ask(0)
        except asyncio.CancelledError:
            if not copies.have_won():
                raise
            note(LOSER)
        except failures as error:
            failure = error
        return await copies.outcome(failure)
    finally:
        left = copies.stop()
        if left:
            await asyncio.gather(*left, return_exceptions=True)


class _Copies(Generic[T]):
    """The requests beside the first, which its own task awaits: that is cancelled when one of these wins.

    The first is not put into a task, because most calls are answered before there is a second.
    """

    def __init__(
        self,
        ask: Callable[[int], Awaitable[T]],
        hedge: Hedge,
        failures: tuple[type[Exception], ...],
        note: Note,
    ) -> None:
        owner = asyncio.current_task()
        assert owner is not None
        self._owner = owner
        self._cancelling = owner.cancelling()
        self._has_cancelled = False
        self._ask = ask
        self._hedge = hedge
        self._failures = failures
        self._note = note
        self._sent = 0
        self._running: list[asyncio.Task[T]] = []
        self._winner: asyncio.Task[T] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._loop = owner.get_loop()
        self._timer = self._loop.call_later(hedge.after_s, self._send)

    def have_won(self) -> bool:
        """Whether the first was cancelled because of a copy, and not by others."""
        if not self._has_cancelled:
            return False
        self._has_cancelled = False
        return self._owner.uncancel() <= self._cancelling

    async def outcome(self, failure: Exception | None) -> T:
        """What comes of the copies after the first failed or lost.

        Raises:
            Exception: The failure of the first, if no copy does better.
        """
        if self._winner is None and self._running:
            self._waiter = self._loop.create_future()
            await self._waiter
        if self._winner is not None:
            return self._winner.result()
        assert failure is not None
        raise failure

    def stop(self) -> list[asyncio.Task[T]]:
        """Send no more, and cancel what still runs.

        Returns:
            What was cancelled.
        """
        self._timer.cancel()
        if self._has_cancelled:
            self._owner.uncancel()
        left, self._running = self._running, []
        for one in left:
            one.cancel()
            self._note(LOSER)
        return left

    def _send(self) -> None:
        self._sent += 1
        copy = self._loop.create_task(_copy(self._ask, self._sent))
        copy.add_done_callback(self._ended)
        self._running.append(copy)
        self._note(HEDGED)
        if self._sent < self._hedge.extra:
            self._timer = self._loop.call_later(self._hedge.after_s, self._send)

    def _ended(self, copy: asyncio.Task[T]) -> None:
        if copy not in self._running:  # it was cancelled
            return
        self._running.remove(copy)
        if self._winner is None and not self._has_failed(copy):
            self._winner = copy
            self._timer.cancel()
        if self._waiter is not None:
            if not self._waiter.done() and (self._winner is not None or not self._running):
                self._waiter.set_result(None)
        elif self._winner is copy:
            self._has_cancelled = True
            self._owner.cancel()

    def _has_failed(self, copy: asyncio.Task[T]) -> bool:
        return copy.cancelled() or isinstance(copy.exception(), self._failures)


async def _copy(ask: Callable[[int], Awaitable[T]], number: int) -> T:
    return await ask(number)


def with_hedge(call: Call, hedge: Hedge | None, log: SpanLog) -> Call:
    """Send another attempt when a reply is late, and take the first reply.

    Args:
        call: One attempt.
        hedge: When to send another; None leaves the call as it is.
        log: Where it is noted.
    """
    if hedge is None:
        return call

    async def call_hedged(request: Request) -> Reply:
        before = request.attempt
        copies: list[Request] = []

        def ask(number: int) -> Awaitable[Reply]:
            if not number:
                return call(request)
            copies.append(branch(request, f"hedge {before + 1}.{number}", before))
            return call(copies[-1])

        try:
            return await hedged(
                ask,
                hedge,
                failures=CALL_ERRORS,
                note=lambda what: log.event(what, request.call_span),
            )
        finally:
            for copy in copies:
                request.cost_usd += copy.cost_usd

    return call_hedged

"""Hedged call: ask again when the reply is late, and take the first (Dean and Barroso, "The Tail at Scale", CACM 2013)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TypeVar

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
    ask: Callable[[int], Coroutine[None, None, T]],
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
    running = [asyncio.create_task(ask(0))]
    sent, failure = 1, None
    try:
        while running:
            wait_s = hedge.after_s if sent <= hedge.extra else None
            await asyncio.wait(running, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
            ended = [one for one in running if one.done()]
            for one in ended:
                running.remove(one)
                error = one.exception()
                if error is None:
                    return one.result()
                if not isinstance(error, failures):
                    raise error
                failure = failure or error
            if not ended:
                running.append(asyncio.create_task(ask(sent)))
                sent += 1
                note(HEDGED)
    finally:
        for one in running:
            one.cancel()
            note(LOSER)
        if running:
            await asyncio.gather(*running, return_exceptions=True)
    assert failure is not None
    raise failure


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

        async def ask(number: int) -> Reply:
            if not number:
                return await call(request)
            copies.append(branch(request, f"hedge {before + 1}.{number}", before))
            return await call(copies[-1])

        try:
            return await hedged(
                ask,
                hedge,
                failures=CALL_ERRORS,
                note=lambda what: log.event(what, request.call_span),
            )
        finally:
            request.cost_usd += sum(copy.cost_usd for copy in copies)

    return call_hedged

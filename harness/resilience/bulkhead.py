"""Bulkhead: a limit of calls in flight for one agent."""

from __future__ import annotations

import asyncio
import heapq
import itertools

from harness.models import Reply, Request
from harness.resilience.api import Call
from harness.spans import CANCELLED, OK, WAIT, SpanLog


def with_bulkhead(call: Call, max_in_flight: int | None, log: SpanLog) -> Call:
    """Limit the number of calls in flight. Others wait, by the priority of their tasks and then in order, and leave a `wait` span.

    Args:
        call: The call to limit. Around one attempt, it does not count as in flight while a retry backs off.
        max_in_flight: The bound; None leaves the call as it is.
        log: Where the waits are noted.
    """
    if max_in_flight is None:
        return call
    places = _Places(max_in_flight)

    async def call_in_flight(request: Request) -> Reply:
        if not places.take():
            span = log.open(WAIT, "in_flight", request.span, request.agent)
            status = CANCELLED
            try:
                await places.wait(request.priority)
                status = OK
            finally:
                log.close(span, status)
        try:
            return await call(request)
        finally:
            places.give_back()

    return call_in_flight


class _Places:
    """So many places, and who waits for one: a semaphore whose queue is ordered by priority."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def take(self) -> bool:
        """Take a place, if one is free and no call waits."""
        if not self._free or any(not place.cancelled() for _, _, place in self._waiting):
            return False
        self._free -= 1
        return True

    async def wait(self, priority: int) -> None:
        """Wait for a place, before all whose priority is lower."""
        place = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (-priority, next(self._order), place))
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.give_back()  # it came at the moment at which its call was given up
            raise

    def give_back(self) -> None:
        """Give a place back, to the first of those who wait."""
        self._free += 1
        while self._free and self._waiting:
            _, _, place = heapq.heappop(self._waiting)
            if not place.done():
                self._free -= 1
                place.set_result(None)

"""Bulkhead: a limit of calls in flight for one agent."""

from __future__ import annotations

from harness.models import Reply, Request
from harness.resilience.api import Call
from harness.resilience.places import Places
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
    places = Places(max_in_flight)

    async def call_in_flight(request: Request) -> Reply:
        if not places.take():
            span = log.open(WAIT, "in_flight", request.span, request.agent)
            status = CANCELLED
            try:
                await places.wait(-request.priority)
                status = OK
            finally:
                log.close(span, status)
        try:
            return await call(request)
        finally:
            places.give_back()

    return call_in_flight

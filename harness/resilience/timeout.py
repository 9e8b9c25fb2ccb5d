"""Timeout of an attempt."""

from __future__ import annotations

from harness.models import Reply, Request
from harness.resilience.api import Call
from harness.resilience.time_limit import TimeLimit


def with_timeout(call: Call, timeout_s: float | None) -> Call:
    """Bound the time of a call.

    Around one attempt it is what SDKs call a timeout; around a call with all its retries it is a deadline.

    Args:
        call: What is bounded.
        timeout_s: The bound [s]; None leaves the call as it is.
    """
    if timeout_s is None:
        return call

    async def call_with_timeout(request: Request) -> Reply:
        with TimeLimit(timeout_s):
            return await call(request)

    return call_with_timeout

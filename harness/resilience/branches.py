"""Several requests for one call: a hedge, a sample, a second try that says what was wrong."""

from __future__ import annotations

from dataclasses import replace

from harness.models import Request


def branch(request: Request, name: str, attempt: int = 0) -> Request:
    """A request of the same call with draws of its own.

    Args:
        request: What the call asks.
        name: Tells it from other requests of the call; part of the key of its draws.
        attempt: Attempts that come before its first.
    """
    return replace(
        request,
        key=f"{request.key}/{name}",
        span=request.call_span,
        attempt=attempt,
        cost_usd=0.0,
        ended=None,
    )

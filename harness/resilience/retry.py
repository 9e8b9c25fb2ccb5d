"""Retry with back-off, for errors that a retry can solve.

Back-off is exponential with jitter (Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015). A wait that
the API asks for is obeyed as it is, as the SDKs do.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import count
from typing import Literal

from harness.chance import Draws
from harness.models import CALL_ERRORS, ModelError, Reply, Request, error_name
from harness.resilience.api import Call
from harness.spans import CANCELLED, OK, WAIT, SpanLog
from harness.units import Count, Seconds, whole_microseconds

SDK_JITTER = 0.25
"""The SDKs of Anthropic and OpenAI take up to a quarter off the back-off (anthropic/_base_client.py)."""

_DOUBLINGS_MAX = 1000
"""More would be too large for a float; any back-off has met its bound long before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When and how often to retry.

    Retried are timeouts, broken connections, 408, 409, 429 and everything from 500 up; nothing else.
    """

    attempts: Count = 3
    """How often to ask in all; 1 means no retry."""
    first_wait_s: Seconds = 0.5
    """Back-off after the first failure [s]; it doubles each time."""
    max_wait_s: Seconds = 8.0
    """Longest back-off [s], not less than the first."""
    jitter: Literal["full", "equal", "sdk", "none"] = "full"
    """How the back-off w is spread: `full` 0 to w, `equal` w/2 to w, `sdk` 3w/4 to w, `none` exactly w."""
    honour_retry_after: bool = True
    """Whether to wait as long as the API asks, instead of backing off."""

    def __post_init__(self) -> None:
        if self.first_wait_s > self.max_wait_s:
            raise ValueError(
                f"first_wait_s ({self.first_wait_s:g}) is above max_wait_s ({self.max_wait_s:g}), which bounds every wait; "
                "give both"
            )

    def wait_s(self, error: Exception, attempt: int, draws: Draws, key: str) -> float:
        """How long to wait after a failed attempt [s].

        Args:
            error: What it failed with.
            attempt: Ordinal of the attempt, from 1.
            draws: Source of random values.
            key: Names the attempt.
        """
        asked_s = error.retry_after_s if isinstance(error, ModelError) else None
        if self.honour_retry_after and asked_s is not None and asked_s > 0:
            return asked_s
        doublings = min(attempt - 1, _DOUBLINGS_MAX)
        backoff_s: float = min(self.first_wait_s * 2.0**doublings, self.max_wait_s)
        low = {"full": 0.0, "equal": 0.5, "sdk": 1 - SDK_JITTER, "none": 1.0}[self.jitter]
        if low < 1.0:
            backoff_s *= low + (1 - low) * draws.uniform(key, "jitter")
        return whole_microseconds(backoff_s)


def with_retry(call: Call, retry: Retry | None, log: SpanLog, draws: Draws) -> Call:
    """Retry a call that failed with a retryable error.

    Args:
        call: What is tried.
        retry: When and how often; None leaves the call as it is.
        log: Where the waits are noted.
        draws: Source of random values.
    """
    if retry is None or retry.attempts == 1:
        return call

    async def call_with_retry(request: Request) -> Reply:
        for attempt in count(1):
            try:
                return await call(request)
            except CALL_ERRORS as error:
                if attempt >= retry.attempts or not _is_retryable(error):
                    raise
                log.event("retry", request.span, error_name(error))
                wait_s = retry.wait_s(error, attempt, draws, request.attempt_key)
            span = log.open(WAIT, "backoff", request.span, request.agent)
            status = CANCELLED
            try:
                await asyncio.sleep(wait_s)
                status = OK
            finally:
                log.close(span, status)
        raise AssertionError("counting never ends")

    return call_with_retry


def _is_retryable(error: Exception) -> bool:
    return not isinstance(error, ModelError) or error.is_retryable

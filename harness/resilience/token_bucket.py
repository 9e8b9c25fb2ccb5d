"""Token bucket on the client's side: callers that share a quota wait, instead of being refused by the provider.

Who comes takes from the bucket at once, and waits until what it took has flowed in. So the order is that of arrival, and the
wait is known when it begins.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt

from harness.models import Reply, Request
from harness.resilience.api import Call
from harness.spans import CANCELLED, OK, WAIT, SpanLog
from harness.units import MICROSECONDS_PER_SECOND, PositiveSeconds

_MINUTE_S = 60.0
_ROUNDING = 1e-3
"""Errors of sums of floats, which are no reason to wait another microsecond [us]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBucket:
    """How many requests and tokens are sent a minute."""

    requests_per_min: Annotated[float, Gt(0)] | None = None
    """Requests a minute; absent means no bound."""
    tokens_per_min: Annotated[float, Gt(0)] | None = None
    """Tokens a minute, read and generated; absent means no bound. Those of a reply are taken when it is there."""
    burst_s: PositiveSeconds = 60.0
    """How much may be sent at once after a pause, as a time of refill [s]: 60 is the amount of a minute, 1 spreads requests evenly."""
    shared: str | None = None
    """Agents with the same name here share one bucket; absent means one of its own for each agent."""

    def __post_init__(self) -> None:
        if self.requests_per_min is None and self.tokens_per_min is None:
            raise ValueError("give `requests_per_min`, `tokens_per_min`, or both")


class Bucket:
    """The state of a token bucket, full at first; for use by hand on any event loop.

    Args:
        stated: Its parameters.
    """

    def __init__(self, stated: TokenBucket) -> None:
        self._requests = _Level(stated.requests_per_min, stated.burst_s)
        self._tokens = _Level(stated.tokens_per_min, stated.burst_s)

    def take(self, tokens: float = 0) -> float:
        """Take one request and its tokens.

        Args:
            tokens: Size of what is sent [tokens].

        Returns:
            How long to wait before it is sent [s].
        """
        now_s = asyncio.get_running_loop().time()
        return max(self._requests.take(1, now_s), self._tokens.take(tokens, now_s))

    def settle(self, tokens: float) -> None:
        """Take what a reply turned out to be, and wait for nothing; the next ones wait for it.

        Args:
            tokens: Size of the reply [tokens].
        """
        self._tokens.take(tokens, asyncio.get_running_loop().time())

    def give_back(self, tokens: float = 0) -> None:
        """Give back what was taken for a request that was not sent."""
        self._requests.give_back(1)
        self._tokens.give_back(tokens)

    async def wait(self, tokens: float = 0) -> None:
        """Take one request and its tokens, and wait until it may be sent."""
        wait_s = self.take(tokens)
        if wait_s > 0:
            try:
                await asyncio.sleep(wait_s)
            except asyncio.CancelledError:
                self.give_back(tokens)
                raise


class _Level:
    """How full a bucket is; below zero while somebody waits."""

    def __init__(self, per_min: float | None, burst_s: float) -> None:
        self._per_s = math.inf if per_min is None else per_min / _MINUTE_S
        self._capacity = max(1.0, self._per_s * burst_s)
        self._level = self._capacity
        self._at_s = -math.inf

    def take(self, amount: float, now_s: float) -> float:
        if self._per_s == math.inf:
            return 0.0
        refilled = self._level + (now_s - self._at_s) * self._per_s
        level = self._level = min(self._capacity, refilled) - amount
        self._at_s = now_s
        if level >= 0:
            return 0.0
        wait_us = -level / self._per_s * MICROSECONDS_PER_SECOND
        return max(0.0, math.ceil(wait_us - _ROUNDING) / MICROSECONDS_PER_SECOND)

    def give_back(self, amount: float) -> None:
        if self._per_s != math.inf:
            self._level = min(self._capacity, self._level + amount)


def with_token_bucket(call: Call, bucket: Bucket | None, log: SpanLog) -> Call:
    """Let an attempt wait until the bucket has enough for it; the wait leaves a `wait` span.

    Args:
        call: One attempt.
        bucket: The bucket; None leaves the call as it is.
        log: Where the waits are noted.
    """
    if bucket is None:
        return call

    async def call_within_rate(request: Request) -> Reply:
        wait_s = bucket.take(request.input_tokens)
        if wait_s > 0:
            span = log.open(WAIT, "token_bucket", request.call_span, request.agent)
            status = CANCELLED
            try:
                await asyncio.sleep(wait_s)
                status = OK
            finally:
                log.close(span, status)
                if status == CANCELLED:
                    bucket.give_back(request.input_tokens)
        reply = await call(request)
        if reply.output_tokens:
            bucket.settle(reply.output_tokens)
        return reply

    return call_within_rate

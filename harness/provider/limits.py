"""Rate limits as providers enforce them: token buckets with continuous refill, one set per pool of models.

An attempt is admitted if all three buckets have room, and refused with a 429 that says when to come back otherwise;
nothing waits inside a limiter. Levels are whole numbers and are computed from the time that has passed, so that they
neither drift nor cost an event (Anthropic, "Rate limits": https://docs.claude.com/en/api/rate-limits).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt

_MICRO = 1_000_000
_UNITS_PER_TOKEN = 60 * _MICRO
"""A bucket counts in sixtieths of a micro-token: what a limit of one a minute refills in one microsecond. Refill is
then exact in integers, and refilling twice is refilling once."""

PerMinute = Annotated[int, Gt(0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Rate limits of one pool of models, per minute; absent means no limit."""

    requests_per_min: PerMinute | None = None
    """Requests."""
    input_tokens_per_min: PerMinute | None = None
    """Tokens read, cached ones not counted; estimated and charged when an attempt is admitted."""
    output_tokens_per_min: PerMinute | None = None
    """Tokens generated; charged when they have been, so that an attempt is admitted while any are left."""

    def in_words(self) -> str:
        """The limits for people, such as `6 requests a minute`."""
        stated = {
            "requests": self.requests_per_min,
            "input tokens": self.input_tokens_per_min,
            "output tokens": self.output_tokens_per_min,
        }
        return ", ".join(
            f"{number:,} {what} a minute" for what, number in stated.items() if number is not None
        )


class Bucket:
    """A token bucket, full at time 0.

    Args:
        per_min: Refill and capacity [tokens per minute, tokens].
    """

    __slots__ = ("_at_us", "_capacity", "_level", "per_min")

    def __init__(self, per_min: int) -> None:
        self.per_min = per_min
        self._capacity = per_min * _UNITS_PER_TOKEN
        self._level = self._capacity
        self._at_us = 0

    def tokens(self, now_s: float) -> float:
        """What is in it [tokens]; below zero when more was generated than there was."""
        self._refill(now_s)
        return self._level / _UNITS_PER_TOKEN

    def take(self, tokens: int, now_s: float) -> None:
        """Take tokens; the level may become negative."""
        self._refill(now_s)
        self._level -= tokens * _UNITS_PER_TOKEN

    def wait_s(self, tokens: int, now_s: float) -> float:
        """Time until it holds that many tokens [s]; 0.0 if it does already. More than the capacity counts as the capacity."""
        self._refill(now_s)
        missing = min(tokens * _UNITS_PER_TOKEN, self._capacity) - self._level
        return missing / self.per_min / _MICRO if missing > 0 else 0.0

    def _refill(self, now_s: float) -> None:
        now_us = round(now_s * _MICRO)
        if now_us > self._at_us:
            self._level = min(self._capacity, self._level + (now_us - self._at_us) * self.per_min)
            self._at_us = now_us


@dataclass(frozen=True, slots=True)
class LimitHit:
    """Why a limiter refused an attempt."""

    what: str
    """`requests`, `input tokens` or `output tokens`."""
    per_min: int
    """The limit."""
    retry_after_s: int
    """Time until the attempt would be admitted if no other came [s], in whole seconds, as in the header."""

    @property
    def name(self) -> str:
        """As `Limits` calls it, such as `output_tokens_per_min`."""
        return f"{self.what.replace(' ', '_')}_per_min"


@dataclass(frozen=True, slots=True)
class Level:
    """How full a bucket is."""

    per_min: int
    """The limit, and the bucket's size."""
    remaining: int
    """Whole tokens, or requests, that are left."""
    full_in_s: float
    """How long until it is full again [s]."""


@dataclass(frozen=True, slots=True)
class Quota:
    """Remaining quota of the rate limits; None where there is no limit."""

    requests: Level | None
    input_tokens: Level | None
    output_tokens: Level | None


NO_QUOTA = Quota(None, None, None)
"""No limits at all."""


class Limiter:
    """The three buckets of one pool.

    Args:
        limits: Sizes of the buckets.
    """

    def __init__(self, limits: Limits) -> None:
        self._requests = _bucket(limits.requests_per_min)
        self._input = _bucket(limits.input_tokens_per_min)
        self._output = _bucket(limits.output_tokens_per_min)

    def admit(self, input_tokens: int, now_s: float) -> LimitHit | None:
        """Charge an attempt to the buckets, or return the bucket without room; then nothing is charged."""
        longest_s, hit = 0.0, None
        for bucket, tokens, what in (
            (self._requests, 1, "requests"),
            (self._input, input_tokens, "input tokens"),
            (self._output, 1, "output tokens"),
        ):
            wait_s = 0.0 if bucket is None else bucket.wait_s(tokens, now_s)
            if bucket is not None and wait_s > longest_s:
                longest_s = wait_s
                hit = LimitHit(what, bucket.per_min, max(1, math.ceil(wait_s)))
        if hit is not None:
            return hit
        if self._requests is not None:
            self._requests.take(1, now_s)
        if self._input is not None:
            self._input.take(input_tokens, now_s)
        return None

    def quota(self, now_s: float) -> Quota:
        """What is left in each bucket."""
        return Quota(*(_level(b, now_s) for b in (self._requests, self._input, self._output)))

    def generated(self, output_tokens: int, now_s: float) -> None:
        """Charge tokens that have been generated."""
        if self._output is not None:
            self._output.take(output_tokens, now_s)


def _level(bucket: Bucket | None, now_s: float) -> Level | None:
    if bucket is None:
        return None
    remaining = max(0, math.floor(bucket.tokens(now_s)))
    return Level(bucket.per_min, remaining, bucket.wait_s(bucket.per_min, now_s))


def _bucket(per_min: int | None) -> Bucket | None:
    return None if per_min is None else Bucket(per_min)

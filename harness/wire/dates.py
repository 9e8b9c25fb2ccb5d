"""Virtual times as dates of the wall clock, to the second, as headers and fields of answers have them.

Each second is written once: many answers are sent in one, and the runs of one program are at the same times.
"""

from __future__ import annotations

import datetime
import math
from email.utils import formatdate
from functools import lru_cache

from harness.virtual.clocks import EPOCH_S


def http_date(at_s: float) -> str:
    """A virtual time as the header `Date` has it."""
    return _http_date(_second(at_s))


def rfc3339(at_s: float) -> str:
    """A virtual time in the form of RFC 3339, such as `2026-01-01T00:00:00Z`."""
    return _rfc3339(_second(at_s))


def _second(at_s: float) -> int:
    """The second since 1970 in which a virtual time lies, rounded to microseconds first as `datetime` does."""
    return math.floor(round(EPOCH_S + at_s, 6))


@lru_cache(maxsize=1024)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)


@lru_cache(maxsize=1024)
def _rfc3339(second: int) -> str:
    return datetime.datetime.fromtimestamp(second, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

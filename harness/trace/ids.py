"""Trace ids and times, derived from the run alone: the same run gives the same trace.

Each task is a trace: that is what people look at in Jaeger and Langfuse, one request with all that was done for it. What
the tasks of a run share (scenario, seed, run) is in the resource.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Final

from harness.units import MICROSECONDS_PER_SECOND

EPOCH_NS: Final = 1_767_225_600 * 10**9
"""The wall clock when virtual time is 0: 2026-01-01T00:00:00Z [ns since 1970]. A program inside a run is shown the same
time (`harness.virtual.clocks`), which stands on another wing and cannot be imported here; a test compares the two."""


# Spans begin when their parents do, and when others end: most times are asked for several times in a row.
_cached = lru_cache(maxsize=1024)


@_cached
def microseconds(at_s: float) -> int:
    """A virtual time [s] in whole microseconds, of which all times in a run are made."""
    return round(at_s * MICROSECONDS_PER_SECOND)


def whole_us_s(duration_s: float) -> float:
    """A duration in whole microseconds [s]: `round(duration_s, 6)`, which takes three times as long."""
    return round(duration_s * MICROSECONDS_PER_SECOND) / MICROSECONDS_PER_SECOND


@_cached
def unix_ns(at_s: float) -> int:
    """A virtual time [s] on the wall clock of the run [ns since 1970]."""
    return EPOCH_NS + microseconds(at_s) * 1000


def trace_id(scenario_hash: str, seed: int, task: int) -> int:
    """The id of a task's trace: 16 bytes."""
    return _hashed(16, scenario_hash, seed, task)


def span_id_base(scenario_hash: str, seed: int) -> int:
    """What is added to the number of a span in its run to make its id of 8 bytes.

    Counting on from a hashed place, instead of hashing every span, makes sure that no two spans of a run have one id. The
    highest bit stays free, so that no sum is too large, and none is 0, which is no id.
    """
    return _hashed(8, scenario_hash, seed) >> 1


def _hashed(size_bytes: int, *key: object) -> int:
    text = "|".join(("harness.trace", *map(str, key)))
    return int.from_bytes(blake2b(text.encode(), digest_size=size_bytes).digest(), "big")

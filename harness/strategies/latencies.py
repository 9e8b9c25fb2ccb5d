"""Strategies for durations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from harness.errors import HarnessError

_PER_S = 1000
"""Durations are whole milliseconds, so that they read well."""

_NS = 1e-9


def latencies(
    min_s: float = 0.0, max_s: float = 60.0, *, around_s: Sequence[float] = ()
) -> st.SearchStrategy[float]:
    """Durations in milliseconds; shrinks towards `min_s`.

    Args:
        min_s: The shortest [s].
        max_s: The longest [s].
        around_s: Durations of which the code under test makes a difference, such as its time-outs [s]. Each is tried exactly,
            and a nanosecond shorter and longer.

    Raises:
        HarnessError: The bounds are not 0 <= `min_s` <= `max_s`.
    """
    if not 0 <= min_s <= max_s < math.inf:
        raise HarnessError(
            f"strategies.latencies: expected 0 <= min_s <= max_s (got min_s={min_s!r}, max_s={max_s!r})"
        )
    low, high = math.ceil(min_s * _PER_S), math.floor(max_s * _PER_S)
    if low > high:
        return st.just(min_s)
    whole = st.integers(0, high - low).map(lambda more: (low + more) / _PER_S)
    near = [
        at for limit_s in around_s for at in (limit_s, limit_s - _NS, limit_s + _NS) if at >= min_s
    ]
    return whole if not near else whole | st.sampled_from(near)


def distributions(max_s: float = 60.0) -> st.SearchStrategy[Any]:
    """Distributions of durations, as a scenario file and `sim.agent(latency_s=...)` take them; shrinks towards the constant 0.

    Args:
        max_s: The longest constant, and the largest mean or median [s].
    """
    seconds = latencies(0.0, max_s)
    positive = latencies(min(0.001, max_s), max_s)
    return st.one_of(
        seconds,
        st.tuples(seconds, seconds).map(
            lambda two: {"uniform": {"low": min(two), "high": max(two) + 0.001}}
        ),
        positive.map(lambda mean: {"exponential": {"mean": mean}}),
        positive.map(lambda median: {"lognormal": {"median": median, "sigma": 0.5}}),
    )

"""Times between that of the passing run and one that fails, for the least that fails."""

from __future__ import annotations

import math
from dataclasses import replace

from harness.explore.deviation import Latency, SlowAgent, ToolLatency
from harness.explore.observation import Observation

_MIDDLE = (0.3, 0.7)
"""The part of an interval, on a logarithmic scale, in which a round number is looked for."""

_NOTHING = 0.01
"""0 stands for this share of the other end."""

_DIGITS = 6


def as_before(late: Latency | SlowAgent | ToolLatency, passing: Observation) -> float:
    """How long what is late takes in the passing run [s]; 0 if that run does not do it."""
    took: list[float]
    match late:
        case Latency(call=call):
            took = [site.end_s - site.start_s for site in passing.sites if site.address == call]
        case SlowAgent(agent=agent):
            took = [site.end_s - site.start_s for site in passing.sites if site.agent == agent]
        case _:
            took = [use.end_s - use.start_s for use in passing.uses if use.key == late.use]
    return max(took, default=0.0)


def with_time(
    late: Latency | SlowAgent | ToolLatency, takes_s: float
) -> Latency | SlowAgent | ToolLatency:
    """The same deviation with another time [s]."""
    return replace(late, takes_s=takes_s)


def plainest(one: float, other: float) -> float:
    """The number of the fewest digits about the middle between two others, on a logarithmic scale."""
    low, high = sorted((one, other))
    low = max(low, high * _NOTHING)
    from_, to = (low * (high / low) ** part for part in _MIDDLE)
    middle = math.sqrt(low * high)
    for digits in range(-3, _DIGITS):
        rounded = round(middle, digits)
        if from_ <= rounded <= to:
            return rounded
    return middle

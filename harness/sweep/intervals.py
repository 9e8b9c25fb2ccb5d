"""The mean of a metric over seeds, with an interval.

A value is one of a whole run; tasks inside a run share queues, and are no independent cases.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from harness.gate.quantiles import t_quantile
from harness.gate.statistics import covariance, mean


class Interval(NamedTuple):
    """A mean, and where the true one lies."""

    mean: float
    low: float
    """Infinite where one run tells nothing."""
    high: float
    runs: int

    @property
    def half_width(self) -> float:
        """How far the bounds are from the mean."""
        return (self.high - self.low) / 2


def interval_of_mean(values: Sequence[float], tail: float = 0.025) -> Interval:
    """Student's t over the values of independent runs; one run has no bounds, and equal values have no width.

    Args:
        values: At least one.
        tail: The probability that the true mean is beyond the interval, on each side.
    """
    guess = mean(values)
    if len(values) < 2:
        return Interval(guess, -math.inf, math.inf, len(values))
    error = math.sqrt(covariance(values, values) / len(values))
    reach = t_quantile(tail, len(values) - 1) * error if error else 0.0
    return Interval(guess, guess - reach, guess + reach, len(values))

"""Quantiles for intervals, from scipy: Student's t and the binomial.

Only `scipy.special` is used. It holds what `scipy.stats` computes with, and loads in a third of the time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def t_quantile(tail: float, degrees: float) -> float:
    """How many standard errors away from its mean Student's t is with probability `tail` on one side."""
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    return float(-stdtrit(degrees, tail))


def t_p_value(distance: float, degrees: float) -> float:
    """The probability that Student's t is at least so many standard errors away, on either side."""
    from scipy.special import stdtr

    return float(2 * stdtr(degrees, -abs(distance)))


def share_bounds(hits: int, cases: int, tail: float) -> tuple[float, float]:
    """The exact bounds of a share, from its count.

    Source: Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
    Biometrika 26 (1934).

    Args:
        hits: How many cases were a hit.
        cases: How many there were.
        tail: The probability that the share is beyond a bound, of each of the two.
    """
    from scipy.special import betaincinv

    low = float(betaincinv(hits, cases - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, cases - hits, 1 - tail)) if hits < cases else 1.0
    return low, high


def false_discovery(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted so that of those below 0.05 at most one in twenty is expected to be chance.

    Source: Benjamini and Hochberg, "Controlling the false discovery rate", J. R. Stat. Soc. B 57 (1995).
    """
    adjusted = [math.nan] * len(p_values)
    smallest = 1.0
    ascending = sorted(range(len(p_values)), key=lambda index: p_values[index])
    for rank, index in reversed(list(enumerate(ascending, 1))):
        smallest = min(smallest, p_values[index] * len(p_values) / rank)
        adjusted[index] = smallest
    return adjusted

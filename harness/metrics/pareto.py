"""Which of several ways to do the same tasks are worth a choice: those than which no other is better in everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from harness.metrics.limits import HIGHER_IS_BETTER

OBJECTIVES: Final = ("latency_s_mean", "cost_usd_mean", "success_rate", "quality_mean")
"""What is wanted: little of the first two, much of the others."""

Point = Mapping[str, float]
"""Metrics of one way, by name."""


def objectives_of(points: Sequence[Point]) -> tuple[str, ...]:
    """The objectives that all points have a value for; what one has not measured cannot be compared."""
    return tuple(name for name in OBJECTIVES if all(name in point for point in points))


def pareto_optimal(points: Mapping[str, Point]) -> tuple[str, ...]:
    """The names of the points that no other dominates, in their order.

    A point dominates another if it is better in one objective and worse in none. A point with which no task ended well is
    never optimal, however fast and cheap its failures are.

    Args:
        points: Metrics by the name of what they are of.
    """
    objectives = objectives_of(list(points.values()))
    working = {name: point for name, point in points.items() if point.get("success_rate") != 0}
    return tuple(
        name
        for name, point in working.items()
        if not any(_dominates(other, point, objectives) for other in working.values())
    )


def _dominates(one: Point, other: Point, objectives: Sequence[str]) -> bool:
    gains = [
        (one[name] - other[name]) * (1 if name in HIGHER_IS_BETTER else -1) for name in objectives
    ]
    return any(gain > 0 for gain in gains) and all(gain >= 0 for gain in gains)

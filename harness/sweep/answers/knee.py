"""The knee of a curve: where it turns, and more load or more money begins to buy little.

Method: Kneedle (Satopää, Albrecht, Irwin and Raghavan, "Finding a 'Kneedle' in a Haystack", ICDCSW 2011), without
smoothing: both axes are scaled to 0..1, and the knee is where the curve is farthest from the diagonal. Its interval comes
from a bootstrap over seeds: all points have the same ones, and are drawn together. Of many seeds, groups of successive ones
are drawn: their means are independent as well, and spread as much less as they are fewer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from harness.chance import Draws
from harness.gate.statistics import mean

_DRAWS: Final = 1_000
_GROUPS_MAX: Final = 256
"""So many seeds or groups of seeds are drawn at most: more would take minutes, and the interval would be the same."""
_LEAST: Final = 0.1
"""A curve that is nowhere farther from the diagonal, of 1 in all, has no knee."""
_FLAT: Final = 0.05
"""A metric that changes by no more than this share of itself has no knee."""
_POINTS_LEAST: Final = 4


class Knee(NamedTuple):
    """Where a curve turns."""

    at: float
    """The value of the axis."""
    low: float
    high: float
    """95 % of the curves of drawn seeds turn between these."""
    distance: float
    """How far the curve is from the diagonal there, of 1."""


def knee_of(curve: Mapping[float, Sequence[float]], seed: int = 1) -> Knee | None:
    """Find the knee of a curve.

    Args:
        curve: For each value of the axis, the metric in each seed; all have the same seeds, in the same order.
        seed: What the bootstrap follows from.

    Returns:
        The knee; None if the curve is straight, nearly flat, or has fewer than four points.
    """
    places = sorted(curve)
    if len(places) < _POINTS_LEAST:
        return None
    best = _turn(places, [mean(curve[place]) for place in places])
    if best is None or best[1] < _LEAST:
        return None
    curve = {place: _grouped(values) for place, values in curve.items()}
    groups = len(next(iter(curve.values())))
    draws = Draws.of(seed)
    drawn = []
    for draw in range(_DRAWS if groups > 1 else 0):
        some = [int(groups * draws.uniform("bootstrap", draw, place)) for place in range(groups)]
        turn = _turn(places, [mean([curve[place][one] for one in some]) for place in places])
        if turn is not None:
            drawn.append(turn[0])
    drawn.sort()
    low, high = (
        (drawn[int(0.025 * len(drawn))], drawn[int(0.975 * (len(drawn) - 1))])
        if drawn
        else (best[0], best[0])
    )
    return Knee(best[0], low, high, best[1])


def _grouped(values: Sequence[float]) -> Sequence[float]:
    """The means of groups of successive values, of nearly equal size; few values stay as they are."""
    if len(values) <= _GROUPS_MAX:
        return values
    ends = [len(values) * end // _GROUPS_MAX for end in range(_GROUPS_MAX + 1)]
    return [mean(values[first:end]) for first, end in pairwise(ends)]


def _turn(places: Sequence[float], values: Sequence[float]) -> tuple[float, float] | None:
    """Where a curve is farthest from the diagonal, and how far."""
    width, height = places[-1] - places[0], max(values) - min(values)
    if not width or height <= _FLAT * max(map(abs, values)):
        return None
    grows = values[-1] >= values[0]
    scaled = [
        (
            place,
            (value - min(values)) / height - _share(place, places, width, grows=grows),
        )
        for place, value in zip(places, values, strict=True)
    ]
    # A curve on both sides of the diagonal, as an S has, turns where it is farther from it.
    return max(((place, abs(gap)) for place, gap in scaled), key=lambda it: it[1])


def _share(place: float, places: Sequence[float], width: float, *, grows: bool) -> float:
    share = (place - places[0]) / width
    return share if grows else 1 - share

"""More seeds only where they are needed: at points whose interval still spans the decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from harness.scenario import LoadedScenario
from harness.sweep.answers.conditions import Condition, Holds, all_hold
from harness.sweep.budget import NO_BOUND, Budget
from harness.sweep.driver import Sweeping
from harness.sweep.points import Point
from harness.sweep.results import PointResult, read

FIRST_SEEDS: Final = 8
SEEDS_MAX: Final = 64
"""Seeds are doubled as long as a point is unclear, up to so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What was decided at each point."""

    results: tuple[PointResult, ...]
    holds: tuple[Holds, ...]
    spent: str = ""
    """Why it ended before all points were decided; empty if they are."""


def decide(
    sweeping: Sweeping,
    points: Sequence[tuple[Point, LoadedScenario]],
    conditions: tuple[Condition, ...],
    *,
    first_seed: int,
    seeds: int = FIRST_SEEDS,
    seeds_max: int = SEEDS_MAX,
    budget: Budget = NO_BOUND,
    made: Callable[[], int] = lambda: 0,
) -> Decisions:
    """Run points until their intervals decide the conditions.

    Args:
        sweeping: Where runs come from.
        points: Each with its scenario.
        conditions: All must hold.
        first_seed: All points have the same seeds, beginning here.
        seeds: How many each point has at first.
        seeds_max: How many a point has at most.
        budget: What may be spent; looked at before seeds are doubled.
        made: How many runs were made before, on the same budget.
    """
    many = dict.fromkeys((point.number for point, _ in points), seeds)
    before, spent = made(), ""
    while True:
        wanted = [
            (point, scenario, range(first_seed, first_seed + many[point.number]))
            for point, scenario in points
        ]
        before += sweeping.ensure(
            [(point.number, scenario, some) for point, scenario, some in wanted]
        )
        results = read(sweeping.store, wanted).results
        holds = tuple(all_hold(conditions, result) for result in results)
        unclear = [
            result.point.number
            for result, answer in zip(results, holds, strict=True)
            if answer == "unclear" and many[result.point.number] < seeds_max
        ]
        spent = budget.spent(before, sweeping.cpu_s) if unclear else ""
        if not unclear or spent:
            return Decisions(results=results, holds=holds, spent=spent)
        for number in unclear:
            many[number] = min(2 * many[number], seeds_max)

"""Change of the success rate: exact intervals, because failures are few.

Student's t is wrong where most runs have no failure at all, and the binomial is wrong where the failures of a run have one
cause, such as an outage. So an interval here reaches as far as the wider of the two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.gate.quantiles import share_bounds
from harness.gate.samples import Sample
from harness.gate.statistics import (
    IDENTICAL,
    TAIL,
    Change,
    paired_difference,
    unpaired_difference,
)


def paired_success(
    base: Sequence[Sample], candidate: Sequence[Sample], *, tail: float = TAIL
) -> Change:
    """The change of the success rate, from the same tasks in the same seeds.

    Only the tasks that ended well on one side alone tell anything (McNemar, Psychometrika 12, 1947): how many of all
    tasks they are, and how many of them were mended, each has exact bounds of half the tail.

    Args:
        base: The baseline's runs.
        candidate: The candidate's, in the order of the same seeds.
        tail: The probability that the true change is beyond the interval, on each side.
    """
    if all(
        a.tasks == b.tasks and a.failed == b.failed for a, b in zip(base, candidate, strict=True)
    ):
        return IDENTICAL
    by_seed = paired_difference(_shares(base), _shares(candidate), tail=tail)
    if len(base) < 2 or any(a.tasks != b.tasks for a, b in zip(base, candidate, strict=True)):
        return by_seed
    mended = broken = 0
    for before, after in zip(base, candidate, strict=True):
        mended += len(set(before.failed) - set(after.failed))
        broken += len(set(after.failed) - set(before.failed))
    tasks = sum(one.tasks for one in base)
    least, most = share_bounds(mended + broken, tasks, tail / 2)
    lowest, highest = (2 * share - 1 for share in share_bounds(mended, mended + broken, tail / 2))
    low = lowest * (most if lowest < 0 else least)
    high = highest * (most if highest > 0 else least)
    return _hull((mended - broken) / tasks, low, high, by_seed)


def unpaired_success(
    base: Sequence[Sample], candidate: Sequence[Sample], *, tail: float = TAIL
) -> Change:
    """The change of the success rate, between unpaired runs."""
    by_seed = unpaired_difference(_shares(base), _shares(candidate), tail=tail)
    if min(len(base), len(candidate)) < 2:
        return by_seed
    (before_low, before_high), (after_low, after_high) = (
        share_bounds(tasks - failed, tasks, tail / 2)
        for tasks, failed in (_counted(base), _counted(candidate))
    )
    return _hull(by_seed.value, after_low - before_high, after_high - before_low, by_seed)


def _hull(guess: float, low: float, high: float, by_seed: Change) -> Change:
    return Change(
        guess,
        max(-1.0, min(low, by_seed.low)),
        min(1.0, max(high, by_seed.high)),
        by_seed.p,
        "proportion",
    )


def _shares(runs: Sequence[Sample]) -> list[float]:
    return [1 - len(one.failed) / one.tasks if one.tasks else math.nan for one in runs]


def _counted(runs: Sequence[Sample]) -> tuple[int, int]:
    return sum(one.tasks for one in runs), sum(len(one.failed) for one in runs)

"""One metric of two sides: which values are paired, and which statistics apply."""

from __future__ import annotations

from dataclasses import dataclass

from harness.gate.comparable import are_paired
from harness.gate.proportions import paired_success, unpaired_success
from harness.gate.samples import Sample, Samples
from harness.gate.statistics import (
    TAIL,
    Change,
    mean,
    paired_difference,
    paired_ratio,
    unpaired_difference,
    unpaired_ratio,
)
from harness.metrics.limits import SHARES
from harness.metrics.reliability import PASS_K, pass_k_by_run


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The result of a metric."""

    metric: str
    base: float | None
    """Mean over the baseline's runs, each with its own value; None when no run measured it."""
    candidate: float | None
    change: Change | None
    """None when one side has no value, or the candidate has none where the baseline has one."""
    seeds: int
    """How many runs of each side were compared; of the smaller one when they are not paired."""


def compared(base: Samples, candidate: Samples, metric: str, *, tail: float = TAIL) -> Comparison:
    """Compare one metric of two sides.

    Args:
        base: The baseline.
        candidate: The candidate.
        metric: The metric's name.
        tail: The probability that the true change is beyond its interval, on each side.
    """
    if are_paired(base, candidate):
        shared = set(base.seeds) & set(candidate.seeds)
        base, candidate = base.only(shared), candidate.only(shared)
        return _paired(base, candidate, metric, tail)
    before, after = _values(base, metric), _values(candidate, metric)
    change = None
    if before and after:
        if metric == "success_rate":
            change = unpaired_success(
                _measured(base, metric), _measured(candidate, metric), tail=tail
            )
        else:
            of = unpaired_difference if metric in SHARES else unpaired_ratio
            change = of(list(before.values()), list(after.values()), tail=tail)
    return _comparison(metric, before, after, change, min(len(before), len(after)))


def _paired(base: Samples, candidate: Samples, metric: str, tail: float) -> Comparison:
    before, after = _values(base, metric), _values(candidate, metric)
    both = [seed for seed in before if seed in after]
    if not before or len(both) < len(before):
        return _comparison(metric, before, after, None, len(both))
    if metric == "success_rate":
        change = paired_success(
            _measured(base.only(both), metric), _measured(candidate.only(both), metric), tail=tail
        )
    else:
        of = paired_difference if metric in SHARES else paired_ratio
        change = of([before[it] for it in both], [after[it] for it in both], tail=tail)
    after = {seed: after[seed] for seed in both}
    return _comparison(metric, before, after, change, len(both))


def _values(side: Samples, metric: str) -> dict[int, float]:
    """The values of a metric by seed; of one of all runs together, what each contributes."""
    if metric != PASS_K:
        return side.values(metric)
    found = pass_k_by_run([one.tasks for one in side.runs], [one.failed for one in side.runs])
    return dict(zip(side.seeds, found, strict=True)) if found else {}


def _measured(side: Samples, metric: str) -> tuple[Sample, ...]:
    return tuple(one for one in side.runs if metric in one.metrics)


def _comparison(
    metric: str,
    before: dict[int, float],
    after: dict[int, float],
    change: Change | None,
    seeds: int,
) -> Comparison:
    return Comparison(
        metric=metric,
        base=mean(list(before.values())) if before else None,
        candidate=mean(list(after.values())) if after else None,
        change=change,
        seeds=seeds,
    )

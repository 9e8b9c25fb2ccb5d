"""Change of a metric between two sets of runs, as an interval; exact cases first, and no interval from one run.

Runs of the same seed are a pair: keyed draws give both the same luck, so that their ratio varies much less than either
(Law and Kelton, "Simulation Modeling and Analysis", 11.2). A value here is one of a whole run; tasks inside a run share
queues, and are no independent cases.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from harness.gate.quantiles import t_p_value, t_quantile

LOOKS: Final = (8, 16, 32, 64)
"""After how many seeds the sequential rule looks at the intervals."""

FALSE_ALARMS: Final = 0.001
"""How often a gate may fail a metric that is exactly at its limit, at most. A gate runs on every change and holds several
metrics: with the usual 0.05 there would be a false alarm every week, and pairing makes strictness cheap."""

TAIL: Final = FALSE_ALARMS / len(LOOKS)
"""The probability that the true change is beyond an interval on one side, so that all looks together keep to that
(Bonferroni): intervals are of 99.95 %."""

SAME: Final = 1e-9
"""Ratios and shares that differ by less are the same: sums of floats end differently."""

Method = Literal["identical", "exact", "paired", "unpaired", "proportion", "none"]


@dataclass(frozen=True, slots=True)
class Change:
    """How much a metric changed: candidate / baseline - 1, or candidate - baseline of a share."""

    value: float
    """The best guess."""
    low: float
    high: float
    """The bounds of its interval; infinite where the runs tell nothing."""
    p: float
    """Probability of at least such a change by chance when nothing changed."""
    method: Method
    """`identical`: equal in every run; `exact`: the same change in every run; `paired`, `unpaired`: Student's t over
    seeds; `proportion`: of tasks that ended well; `none`: too few runs."""


IDENTICAL: Final = Change(0.0, 0.0, 0.0, 1.0, "identical")


def paired_ratio(
    base: Sequence[float], candidate: Sequence[float], *, tail: float = TAIL
) -> Change:
    """The change of a positive metric, from its values in the same seeds: Student's t on the logarithms of ratios.

    Where a value is zero there is no logarithm; then it is the ratio of the means, with Fieller's interval.

    Args:
        base: The baseline's values.
        candidate: The candidate's, in the order of the same seeds.
        tail: The probability that the true change is beyond the interval, on each side.
    """
    if tuple(base) == tuple(candidate):
        return IDENTICAL
    if min(*base, *candidate) <= 0:
        return _ratio_of_means(base, candidate, tail, paired=True)
    logs = [
        math.log(after) - math.log(before) for before, after in zip(base, candidate, strict=True)
    ]
    return _as_ratio(_t_change(logs, tail))


def paired_difference(
    base: Sequence[float], candidate: Sequence[float], *, tail: float = TAIL
) -> Change:
    """The change of a share, from its values in the same seeds: Student's t on the differences."""
    if tuple(base) == tuple(candidate):
        return IDENTICAL
    return _t_change([after - before for before, after in zip(base, candidate, strict=True)], tail)


def unpaired_ratio(
    base: Sequence[float], candidate: Sequence[float], *, tail: float = TAIL
) -> Change:
    """The change of a positive metric between unpaired runs: Welch's t on the logarithms."""
    if min(*base, *candidate) <= 0:
        return _ratio_of_means(base, candidate, tail, paired=False)
    return _as_ratio(_welch(list(map(math.log, base)), list(map(math.log, candidate)), tail))


def unpaired_difference(
    base: Sequence[float], candidate: Sequence[float], *, tail: float = TAIL
) -> Change:
    """The change of a share between unpaired runs: Welch's t."""
    return _welch(base, candidate, tail)


def mean(values: Sequence[float]) -> float:
    """The mean; the same for every order of the values."""
    return math.fsum(values) / len(values)


def covariance(left: Sequence[float], right: Sequence[float]) -> float:
    """The sample covariance; of two or more values, and the same for every order of the pairs."""
    left_mean, right_mean = mean(left), mean(right)
    return math.fsum(
        (one - left_mean) * (other - right_mean) for one, other in zip(left, right, strict=True)
    ) / (len(left) - 1)


def _t_change(changes: Sequence[float], tail: float) -> Change:
    guess = mean(changes)
    if len(changes) < 2:
        return _unknown(guess)
    if max(changes) - min(changes) <= SAME:
        return Change(guess, guess, guess, 0.0, "exact")
    error = math.sqrt(covariance(changes, changes) / len(changes))
    return _around(guess, error, len(changes) - 1, tail, "paired")


def _welch(base: Sequence[float], candidate: Sequence[float], tail: float) -> Change:
    """Welch, "The generalization of Student's problem", Biometrika 34 (1947), with Satterthwaite's degrees of freedom."""
    guess = mean(candidate) - mean(base)
    if min(len(base), len(candidate)) < 2:
        return _unknown(guess)
    parts = [covariance(side, side) / len(side) for side in (base, candidate)]
    if math.sqrt(sum(parts)) <= SAME:
        return IDENTICAL if not guess else Change(guess, guess, guess, 0.0, "exact")
    degrees = sum(parts) ** 2 / sum(
        part**2 / (len(side) - 1) for part, side in zip(parts, (base, candidate), strict=True)
    )
    return _around(guess, math.sqrt(sum(parts)), degrees, tail, "unpaired")


def _around(guess: float, error: float, degrees: float, tail: float, method: Method) -> Change:
    reach = t_quantile(tail, degrees) * error
    return Change(guess, guess - reach, guess + reach, t_p_value(guess / error, degrees), method)


def _as_ratio(change: Change) -> Change:
    """From the logarithm of a ratio to the ratio less one."""
    value, low, high = (_expm1(it) for it in (change.value, change.low, change.high))
    return Change(value, low, high, change.p, change.method)


def _expm1(log: float) -> float:
    try:
        return math.expm1(log)
    except OverflowError:
        return math.inf


def _ratio_of_means(
    base: Sequence[float], candidate: Sequence[float], tail: float, *, paired: bool
) -> Change:
    """Fieller's interval: all ratios by which the baseline, multiplied, does not differ from the candidate.

    Source: Fieller, "Some problems in interval estimation", J. R. Stat. Soc. B 16 (1954). Where the baseline may be
    zero, no ratio can be ruled out, unless it is zero in every run: then any increase is infinitely much.
    """
    before, after = mean(base), mean(candidate)
    guess = after / before - 1 if before else (math.inf if after else 0.0)
    if before < 0 or min(len(base), len(candidate)) < 2:
        return _unknown(guess)
    difference = (
        paired_difference(base, candidate, tail=tail) if paired else _welch(base, candidate, tail)
    )
    if difference.method == "identical":
        return IDENTICAL
    method: Method = "paired" if paired else "unpaired"
    if not any(base):
        low = math.inf if difference.low > 0 else -math.inf
        return Change(guess, low, math.inf, difference.p, method)
    quantile = t_quantile(tail, min(len(base), len(candidate)) - 1)
    shared = covariance(base, candidate) / len(base) if paired else 0.0
    square = before**2 - quantile**2 * covariance(base, base) / len(base)
    cross = before * after - quantile**2 * shared
    rest = after**2 - quantile**2 * covariance(candidate, candidate) / len(candidate)
    if square <= 0:
        return Change(guess, -math.inf, math.inf, difference.p, method)
    root = math.sqrt(max(0.0, cross**2 - square * rest))
    return Change(
        guess, (cross - root) / square - 1, (cross + root) / square - 1, difference.p, method
    )


def _unknown(guess: float) -> Change:
    return Change(guess, -math.inf, math.inf, 1.0, "none")

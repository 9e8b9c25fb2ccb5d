"""How well a fit holds: intervals of its parameters, and whether its durations are those that were measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness.calibrate.fit import Fit, Measured, fit
from harness.calibrate.spread import Values, cumulative
from harness.chance.distributions import Constant

_RESAMPLES = 400
_DRAWS_OF_EACH = 20
_LEAST_P = 0.01
_MOST_RHO = 0.25
"""A rank correlation that is larger, and is not chance, means that parts must not be drawn apart."""
_SURE = 0.01

CONFIDENCE = 0.95
"""Of the intervals."""


class Interval(NamedTuple):
    """A fitted value, and where the true one lies with a probability of 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Goodness:
    """How well a fit holds."""

    distance: float
    """The largest difference between the distribution of fitted and of measured durations (Kolmogorov and Smirnov)."""
    p_value: float
    """The probability of such a distance if the fit holds; the smallest of duration, first token and time per token."""
    dependence: dict[str, float]
    """Rank correlations between parts that the fit draws apart and that are not chance."""

    @property
    def holds(self) -> bool:
        """Whether the parts may be drawn apart."""
        return self.p_value >= _LEAST_P and not self.dependence


def intervals(calls: Measured, fitted: Fit) -> dict[str, Interval]:
    """Intervals of the parameters, by resampling whole calls (Efron's percentile bootstrap); the same in every process."""
    random = np.random.default_rng(1)
    count = len(calls.tokens)
    found: dict[str, list[float]] = {name: [] for name in fitted.parameters()}
    for _ in range(_RESAMPLES):
        again = fit(calls.at(random.integers(0, count, count)), fitted)
        for name, value in again.parameters().items():
            found[name].append(value)
    tail = (1 - CONFIDENCE) / 2
    return {
        name: Interval(value, *map(float, np.quantile(found[name], [tail, 1 - tail])))
        for name, value in fitted.parameters().items()
    }


def goodness(calls: Measured, fitted: Fit) -> Goodness:
    """Compare durations that the fit gives for the measured sizes with the measured ones."""
    from scipy.stats import ks_2samp, kstest  # type: ignore[import-untyped]

    random = np.random.default_rng(1)
    drawn_s = fitted.totals(np.tile(calls.tokens, _DRAWS_OF_EACH), random)
    whole = ks_2samp(calls.total_s, drawn_s)
    p_values = [float(whole.pvalue)]
    for spread, values in _parts(calls, fitted):
        if not isinstance(spread, Constant):
            p_values.append(float(kstest(values, lambda at, of=spread: cumulative(of, at)).pvalue))
    return Goodness(float(whole.statistic), min(p_values), _dependence(calls, fitted))


def _parts(calls: Measured, fitted: Fit) -> list[tuple[object, Values]]:
    if fitted.kind == "whole":
        line_s = fitted.first_s.mean + fitted.per_token_s.mean * calls.tokens
        return [(fitted.factor, calls.total_s / line_s)]
    return [
        (fitted.first_s, calls.first_s),
        (fitted.per_token_s, (calls.rest_s - fitted.overhead_s) / calls.tokens),
    ]


def _dependence(calls: Measured, fitted: Fit) -> dict[str, float]:
    from scipy.stats import spearmanr

    if fitted.kind == "whole":
        ((_, factor),) = _parts(calls, fitted)
        pairs = {"factor and size": (factor, calls.tokens)}
    else:
        (_, first_s), (_, per_token_s) = _parts(calls, fitted)
        pairs = {
            "first token and time per token": (first_s, per_token_s),
            "time per token and size": (per_token_s, calls.tokens),
            "first token and size": (first_s, calls.tokens),
        }
    found = {}
    for name, (one, other) in pairs.items():
        if np.ptp(one) == 0 or np.ptp(other) == 0:
            continue
        rho, p_value = spearmanr(one, other)
        if abs(rho) > _MOST_RHO and p_value < _SURE:
            found[name] = float(rho)
    return found


def quantities(values_s: Values) -> dict[str, Interval]:
    """Mean, median, p95 and p99 of durations, with the intervals of resampling."""
    random = np.random.default_rng(1)
    samples = random.choice(values_s, (_RESAMPLES * 2, len(values_s)))
    tail = (1 - CONFIDENCE) / 2
    found = {}
    for name, of in _QUANTITIES.items():
        low, high = np.quantile(of(samples), [tail, 1 - tail])
        found[name] = Interval(float(of(values_s[np.newaxis])[0]), float(low), float(high))
    return found


_QUANTITIES: dict[str, Callable[[Values], Values]] = {
    "mean_s": lambda samples: np.asarray(samples.mean(axis=1)),
    "p50_s": lambda samples: np.asarray(np.quantile(samples, 0.5, axis=1)),
    "p95_s": lambda samples: np.asarray(np.quantile(samples, 0.95, axis=1)),
    "p99_s": lambda samples: np.asarray(np.quantile(samples, 0.99, axis=1)),
}

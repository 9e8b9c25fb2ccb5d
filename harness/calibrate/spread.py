"""Fit a spread of positive values: lognormal, or lognormal with a tail where the values show one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.chance.distributions import Constant, LogNormal, LogNormalTail

Values = NDArray[np.float64]

MIN_CALLS_OF_TAIL = 100
"""Fewer values do not tell a tail from a few slow calls."""

_ROUNDS = 100
_STILL = 1e-6
"""Of the log-likelihood, for each value: a round that gains less is the last."""
_LEAST_VALUES_IN_TAIL = 5
_LEAST_SIGMA = 1e-6

Spread = Constant | LogNormal | LogNormalTail
"""What is fitted."""


def fit_spread(values: Values) -> Spread:
    """Fit positive values: a tail only if it is worth its three parameters by the Bayesian information criterion.

    Args:
        values: The values; all above 0.
    """
    logs = np.log(values)
    middle, sigma = float(logs.mean()), float(logs.std())
    if sigma < _LEAST_SIGMA:
        return Constant(float(np.median(values)))
    plain = LogNormal(median=math.exp(middle), sigma=sigma)
    if len(values) < MIN_CALLS_OF_TAIL:
        return plain
    mixed, likelihood = _two_normals(logs, _begin(logs))
    alone = float(_log_density(logs, middle, sigma).sum())
    is_worth_it = likelihood - alone > 1.5 * math.log(len(values))
    spread = mixed.spread
    is_tail = _LEAST_VALUES_IN_TAIL / len(values) <= spread.tail_share <= 0.5
    return spread if is_worth_it and is_tail else plain


def fit_like(spread: Spread, values: Values) -> Spread:
    """Fit the same kind of spread to other values, such as a resample; begins at its parameters."""
    if isinstance(spread, Constant):
        return Constant(float(np.median(values)))
    logs = np.log(values)
    if isinstance(spread, LogNormal):
        return LogNormal(median=math.exp(float(logs.mean())), sigma=float(logs.std()))
    begin = _Mixed(
        spread.tail_share,
        math.log(spread.median),
        spread.sigma,
        math.log(spread.tail_median),
        spread.tail_sigma,
    )
    return _two_normals(logs, begin)[0].spread


def cumulative(spread: Spread, values: Values) -> Values:
    """The share of values that a spread has below each value."""
    from scipy.special import ndtr  # type: ignore[import-untyped]

    if isinstance(spread, Constant):
        return np.asarray(values >= spread.value, dtype=np.float64)
    logs = np.log(values)
    body = ndtr((logs - math.log(spread.median)) / spread.sigma)
    if isinstance(spread, LogNormal):
        return np.asarray(body)
    tail = ndtr((logs - math.log(spread.tail_median)) / spread.tail_sigma)
    return np.asarray((1 - spread.tail_share) * body + spread.tail_share * tail)


def drawn(spread: Spread, count: int, random: np.random.Generator) -> Values:
    """Values of a spread."""
    if isinstance(spread, Constant):
        return np.full(count, spread.value)
    normal = random.standard_normal(count)
    body = spread.median * np.exp(spread.sigma * normal)
    if isinstance(spread, LogNormal):
        return body
    tail = spread.tail_median * np.exp(spread.tail_sigma * normal)
    return np.where(random.random(count) < spread.tail_share, tail, body)


@dataclass(frozen=True, slots=True)
class _Mixed:
    """Two normals of logarithms."""

    share: float
    middle: float
    sigma: float
    tail_middle: float
    tail_sigma: float

    @property
    def spread(self) -> LogNormalTail:
        """The same as a spread; the tail is the slower of the two."""
        share, body, tail = (
            self.share,
            (self.middle, self.sigma),
            (self.tail_middle, self.tail_sigma),
        )
        if body[0] > tail[0]:
            share, body, tail = 1 - share, tail, body
        return LogNormalTail(
            median=math.exp(body[0]),
            sigma=body[1],
            tail_share=min(max(share, 1e-9), 1 - 1e-9),
            tail_median=math.exp(tail[0]),
            tail_sigma=tail[1],
        )


def _begin(logs: Values) -> _Mixed:
    """Where to begin: the slowest tenth is the tail."""
    body, tail = np.split(np.sort(logs), [int(0.9 * len(logs))])
    return _Mixed(
        0.1, float(body.mean()), _sigma(body.std()), float(tail.mean()), _sigma(tail.std())
    )


def _sigma(value: float) -> float:
    return max(
        float(value), 1e-3
    )  # a component of one value has no width, and takes all the likelihood


def _two_normals(logs: Values, at: _Mixed) -> tuple[_Mixed, float]:
    """Fit two normals by expectation and maximisation; gives them with the log-likelihood."""
    likelihood = -math.inf
    for _ in range(_ROUNDS):
        of_body = _log_density(logs, at.middle, at.sigma) + math.log(1 - at.share)
        of_tail = _log_density(logs, at.tail_middle, at.tail_sigma) + math.log(at.share)
        of_both = np.logaddexp(of_body, of_tail)
        before, likelihood = likelihood, float(of_both.sum())
        if likelihood - before < _STILL * len(logs):
            break
        weight = np.exp(of_tail - of_both)
        share = min(max(float(weight.mean()), 1e-6), 1 - 1e-6)
        middle, sigma = _moments(logs, 1 - weight)
        tail_middle, tail_sigma = _moments(logs, weight)
        at = _Mixed(share, middle, sigma, tail_middle, tail_sigma)
    return at, likelihood


def _moments(logs: Values, weights: Values) -> tuple[float, float]:
    total = max(float(weights.sum()), 1e-12)
    middle = float((weights * logs).sum() / total)
    return middle, _sigma(math.sqrt(float((weights * (logs - middle) ** 2).sum() / total)))


def _log_density(logs: Values, middle: float, sigma: float) -> Values:
    scaled = (logs - middle) / sigma
    return np.asarray(-0.5 * scaled**2 - math.log(sigma) - 0.5 * math.log(2 * math.pi))

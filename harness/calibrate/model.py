"""Everything that the calls of one model, or of one agent with it, say: latency, sizes, errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.calibrate.calls import MIN_CALLS, MeasuredCall, grouped
from harness.calibrate.fit import Fit, Measured, fit, measured, rows_of
from harness.calibrate.goodness import Goodness, Interval, goodness, intervals, quantities
from harness.calibrate.rates import error_shares, without_fault
from harness.calibrate.spread import MIN_CALLS_OF_TAIL, cumulative, fit_spread
from harness.chance.distributions import AnyDistribution, Constant, Empirical
from harness.errors import HarnessError
from harness.provider.latency import Latency

_LEAST_P = 0.05


@dataclass(frozen=True, slots=True)
class Refusal:
    """Calls that are too few to fit."""

    model: str
    agent: str
    calls: int
    """How many there are."""
    timed: int
    """How many of them say size and duration."""
    errors: dict[str, Interval] = field(default_factory=dict)
    """The share of calls that failed, by the kind of error; empty where there are too few calls to tell."""

    @property
    def name(self) -> str:
        """The model, and the agent if it is of one."""
        return _name(self.model, self.agent)

    def __str__(self) -> str:
        more = "; only its error rates are written" if self.errors else ""
        return (
            f"{self.name}: {self.timed} of {self.calls} calls have a size and a duration, "
            f"and {MIN_CALLS} are needed{more}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """What the calls of a model, or of one agent with it, say."""

    model: str
    agent: str
    """Empty for all calls of the model."""
    calls: int
    """How many calls there are, failed ones included."""
    measured: Measured
    """The timed ones."""
    fitted: Fit
    goodness: Goodness
    intervals: dict[str, Interval]
    """Of the parameters of the fit, where it holds."""
    quantities: dict[str, Interval]
    """Mean and quantiles of the measured durations [s]."""
    output_tokens: AnyDistribution
    errors: dict[str, Interval]
    """The share of calls that failed, by the kind of error."""

    @property
    def name(self) -> str:
        """The model, and the agent if it is of one."""
        return _name(self.model, self.agent)

    @property
    def draws_whole_calls(self) -> bool:
        """Whether the profile is the calls themselves: the fit does not hold, or too few calls show a tail that it could have."""
        return _draws_whole_calls(self.measured, self.goodness)

    @property
    def latency(self) -> Latency:
        """The profile: the fit, or whole calls."""
        fitted = self.fitted
        if self.draws_whole_calls:
            slope = Constant(round(fitted.per_token_s.mean, 9))
            return Latency(rows=rows_of(self.measured, fitted), itl_s=slope)
        return Latency(
            ttft_s=fitted.first_s,
            itl_s=fitted.per_token_s,
            overhead_s=fitted.overhead_s,
            factor=fitted.factor,
        )

    @property
    def notes(self) -> list[str]:
        """What a reader has to know of it."""
        found = []
        count = len(self.measured.tokens)
        if not self.goodness.holds:
            why = "; ".join(
                f"{what} correlate at {rho:+.2f}" for what, rho in self.goodness.dependence.items()
            )
            found.append(
                f"no fitted dependence holds ({why or f'p = {self.goodness.p_value:.3f}'}): the profile draws whole calls"
            )
        elif count < MIN_CALLS_OF_TAIL:
            found.append(
                f"{count} calls are too few to fit a tail ({MIN_CALLS_OF_TAIL} are needed): the profile draws whole calls"
            )
        if count < MIN_CALLS_OF_TAIL:
            found.append(f"p99 of {count} calls is little more than the slowest of them")
        if not self.measured.sizes_vary:
            found.append(
                "replies have nearly one size: what does not depend on the size cannot be told from time per token"
            )
        found += [
            f"no fault stands for {kind}, so `faults` has none for it"
            for kind in without_fault(self.errors)
        ]
        if self.measured.kind == "whole":
            found.append(
                "replies came whole: the time to the first token is what does not depend on the size"
            )
        return found


def calibrate(calls: Iterable[MeasuredCall]) -> tuple[list[Calibrated], list[Refusal]]:
    """Fit each model, and each agent with it, that has enough calls; the others are refused, but for their error rates.

    Raises:
        HarnessError: None has enough.
    """
    found, refused = list[Calibrated](), list[Refusal]()
    for (model, agent), group in grouped(calls).items():
        timed = measured(group)
        if len(timed.tokens) < MIN_CALLS:
            number = sum(call.is_timed for call in group)
            errors = error_shares(group) if len(group) >= MIN_CALLS else {}
            refused.append(Refusal(model, agent, len(group), number, errors))
        else:
            found.append(_calibrated(model, agent, group, timed))
    if not found and not any(it.errors for it in refused):
        said = "".join(f"\n  {refusal}" for refusal in refused[:20]) or "\n  there are no calls"
        raise HarnessError(
            f"nothing can be fitted{said}\n  How to fix: record more calls, or name several files; they are put together by model"
        )
    return found, refused


def _calibrated(
    model: str, agent: str, calls: Sequence[MeasuredCall], timed: Measured
) -> Calibrated:
    fitted = fit(timed)
    good = goodness(timed, fitted)
    return Calibrated(
        model=model,
        agent=agent,
        calls=len(calls),
        measured=timed,
        fitted=fitted,
        goodness=good,
        intervals=intervals(timed, fitted) if good.holds else {},
        quantities=quantities(timed.total_s),
        output_tokens=_sizes(calls, whole=_draws_whole_calls(timed, good)),
        errors=error_shares(calls),
    )


def _draws_whole_calls(timed: Measured, good: Goodness) -> bool:
    return not good.holds or len(timed.tokens) < MIN_CALLS_OF_TAIL


def _sizes(calls: Sequence[MeasuredCall], *, whole: bool) -> AnyDistribution:
    """Sizes of replies: a fitted spread if it holds, and those that were measured where whole calls are drawn."""
    from scipy.stats import kstest  # type: ignore[import-untyped]

    sizes = np.array([float(call.output_tokens) for call in calls if call.output_tokens])
    spread = fit_spread(sizes)
    if not isinstance(spread, Constant):
        p_value = kstest(sizes, lambda at: cumulative(spread, at)).pvalue
        if whole or p_value < _LEAST_P:
            return Empirical(values=tuple(sorted(sizes.tolist())))
    return spread


def _name(model: str, agent: str) -> str:
    return f"{model} / {agent}" if agent else model

"""Statuses of metrics from their changes, and one verdict and exit code from the statuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal

from harness.gate.comparable import why_not
from harness.gate.comparison import Comparison, compared
from harness.gate.exploration import Explored
from harness.gate.samples import Samples
from harness.gate.statistics import SAME, TAIL
from harness.gate.why import Explanation
from harness.metrics import Limit
from harness.run import BudgetResult

Status = Literal[
    "identical", "within limit", "improved", "regressed", "inconclusive", "new", "missing", "not comparable",
]  # fmt: skip

COMPARED: Final = ("identical", "within limit", "improved", "regressed")
"""The statuses of a metric."""

Verdict = Literal["pass", "fail", "inconclusive", "nothing to compare with"]

EXIT_CODES: Final[dict[Verdict, int]] = {
    "pass": 0,
    "fail": 1,
    "nothing to compare with": 3,
    "inconclusive": 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricResult:
    """The result of one gated metric."""

    limit: Limit
    status: Status
    comparison: Comparison
    reason: str = ""
    """Why it was not compared."""
    why: Explanation | None = None
    """What the spans say about the change; None if they do not tell."""

    @property
    def failed(self) -> bool:
        """Whether the gate fails for this metric."""
        return self.limit.level == "error" and self.status in ("regressed", "missing")

    @property
    def undecided(self) -> bool:
        """Whether more runs may decide the verdict."""
        return self.limit.level == "error" and self.status == "inconclusive"

    @property
    def unmeasured(self) -> bool:
        """Whether neither side measured the metric."""
        return self.comparison.base is None and self.comparison.candidate is None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """The result of a gate."""

    base: Samples | None
    """None when there is no baseline."""
    candidate: Samples
    metrics: tuple[MetricResult, ...]
    explored: tuple[Explored, ...] = ()
    """All other metrics, for information."""
    budgets: tuple[BudgetResult, ...] = ()
    notes: tuple[str, ...] = ()
    """Notes beside the numbers, one sentence each."""
    _repr_html_: ClassVar[Callable[[GateResult], str]]
    """What a notebook shows; given by the package, since it is drawn above this floor."""

    @property
    def verdict(self) -> Verdict:
        """The overall verdict.

        A failed budget or a metric that is worse than allowed fails. What should have been compared and could not be is
        no pass, and neither is a gate that compared nothing, even if its budgets hold.
        """
        if any(it.failed for it in self.metrics) or not all(it.passed for it in self.budgets):
            return "fail"
        if any(_is_barred(it) for it in self.metrics):
            return "nothing to compare with"
        if any(it.undecided for it in self.metrics):
            return "inconclusive"
        if not any(it.status in COMPARED for it in self.metrics):
            return "nothing to compare with"
        return "pass"

    @property
    def exit_code(self) -> int:
        """0 pass, 1 fail, 3 nothing to compare with, 4 inconclusive."""
        return EXIT_CODES[self.verdict]

    @property
    def is_first(self) -> bool:
        """Whether there is no baseline yet, and nothing else is wrong."""
        return self.base is None and self.verdict == "nothing to compare with"

    @property
    def regressed(self) -> tuple[str, ...]:
        """The metrics that became worse than allowed; what is worth an explanation."""
        return tuple(it.limit.metric for it in self.metrics if it.status == "regressed")

    def with_budgets(self, why: Callable[[str], str]) -> GateResult:
        """A copy with the reasons of failed budgets; `why` returns the reason for a metric."""
        budgets = tuple(it if it.passed else replace(it, why=why(it.metric)) for it in self.budgets)
        return replace(self, budgets=budgets)

    def explained(self, why: Mapping[str, Explanation]) -> GateResult:
        """The same with explanations, by metric; one that says nothing is left out."""
        said = {metric: it for metric, it in why.items() if it.sentence}
        metrics = tuple(replace(it, why=said.get(it.limit.metric, it.why)) for it in self.metrics)
        return replace(self, metrics=metrics)


def judged(
    limit: Limit, base: Samples | None, candidate: Samples, *, tail: float = TAIL
) -> MetricResult:
    """Compare one metric with its limit.

    Args:
        limit: The metric, and how much worse it may become.
        base: The baseline; None when there is none.
        candidate: The candidate.
        tail: The probability that the true change is beyond its interval, on each side.
    """
    nothing = replace(candidate, runs=())
    metric = limit.metric
    comparison = compared(nothing if base is None else base, candidate, metric, tail=tail)
    reason = why_not(base, candidate, metric) if base is not None else ""
    status: Status = "not comparable"
    if not reason:
        status = status_of(limit, comparison)
        reason = "" if base is None else _reason(status, comparison)
    return MetricResult(limit=limit, status=status, comparison=comparison, reason=reason)


def status_of(limit: Limit, comparison: Comparison) -> Status:
    """The status of a change under a limit, for comparable sides."""
    change = comparison.change
    if comparison.base is None:
        return "not comparable" if comparison.candidate is None else "new"
    if change is None:
        return "missing"
    if change.method == "identical":
        return "identical"
    # Seen from the side where more is worse, so that one rule does for both directions.
    sign = -1 if limit.better == "higher" else 1
    least, most = sorted((sign * change.low, sign * change.high))
    if least > sign * limit.worst + SAME:
        return "regressed"
    if most > sign * limit.worst + SAME:
        return "inconclusive"
    return "improved" if most < sign * limit.best - SAME else "within limit"


def _reason(status: Status, comparison: Comparison) -> str:
    if status == "not comparable":
        return "no run measured it"
    if status == "missing":
        return "the baseline measured it, and the candidate did not in every run"
    if status == "new":
        return "the baseline does not have it; save the baseline again to gate it"
    if comparison.change is not None and comparison.change.method == "none":
        return "one run is not enough; run more seeds"
    return ""


def _is_barred(result: MetricResult) -> bool:
    return (
        result.limit.level == "error"
        and result.status == "not comparable"
        and not result.unmeasured
    )

"""Improvements that are none: a task that failed took less time and money, so that less success looks like less cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from harness.gate.comparison import compared
from harness.gate.samples import Samples
from harness.gate.verdict import MetricResult
from harness.metrics.contributions import SUCCESS

_REASON: Final = "not counted as improved: fewer tasks succeed, and a task that fails takes less"


def without_survivors(
    metrics: Sequence[MetricResult], base: Samples | None, candidate: Samples, *, tail: float
) -> tuple[MetricResult, ...]:
    """The results, with no metric improved that less success explains.

    Args:
        metrics: The results of all metrics.
        base: The baseline.
        candidate: The candidate.
        tail: The probability that the true change is beyond its interval, on each side.
    """
    if base is None or not any(_may_be_so(it) for it in metrics):
        return tuple(metrics)
    success = compared(base, candidate, SUCCESS, tail=tail).change
    fell = success is not None and success.high < 0
    fell = fell or any(it.limit.metric == SUCCESS and it.status == "regressed" for it in metrics)
    if not fell:
        return tuple(metrics)
    return tuple(
        replace(it, status="within limit", reason=_REASON) if _may_be_so(it) else it
        for it in metrics
    )


def _may_be_so(result: MetricResult) -> bool:
    """Whether a metric improved of which each task has its amount."""
    return result.status == "improved" and result.limit.better == "lower"

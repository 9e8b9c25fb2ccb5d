"""Metrics that are not gated: which of them changed by more than chance, corrected for multiple comparisons."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from harness.gate.comparable import why_not
from harness.gate.comparison import Comparison, compared
from harness.gate.quantiles import false_discovery
from harness.gate.samples import Samples
from harness.gate.statistics import Change
from harness.metrics import METRICS
from harness.metrics.reliability import PASS_K

CHANCE: float = 0.05
"""Of the metrics that are said to have changed, the share that is expected to be chance, at most."""


@dataclass(frozen=True, slots=True)
class Explored:
    """A metric that is not gated."""

    comparison: Comparison
    change: Change
    p: float
    """The p-value of its change, adjusted for the number of metrics that were looked at."""

    @property
    def changed(self) -> bool:
        """Whether the change is significant after correction for multiple comparisons."""
        return self.p < CHANCE


def explored(base: Samples, candidate: Samples, gated: Collection[str]) -> tuple[Explored, ...]:
    """Compare every metric that both sides measured and that has no limit, in display order."""
    found: list[tuple[Comparison, Change]] = []
    for metric in METRICS:
        if metric in gated or why_not(base, candidate, metric):
            continue
        if metric == PASS_K and "success_rate" not in base.names & candidate.names:
            continue  # whether tasks succeeded was not measured
        comparison = compared(base, candidate, metric)
        if comparison.change is not None and comparison.change.method != "none":
            found.append((comparison, comparison.change))
    adjusted = false_discovery([change.p for _, change in found])
    return tuple(
        Explored(comparison, change, p)
        for (comparison, change), p in zip(found, adjusted, strict=True)
    )

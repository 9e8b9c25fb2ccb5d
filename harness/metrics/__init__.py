"""Numbers: pure functions of spans. `tally.py` counts the spans of a run, `summary.py` turns counts into metrics."""

from __future__ import annotations

from harness.metrics.summary import AGENT_METRICS, METRICS, Metrics, quantile, summarise
from harness.metrics.tally import RunTally, Tally, tally

__all__ = [
    "AGENT_METRICS",
    "METRICS",
    "Metrics",
    "RunTally",
    "Tally",
    "quantile",
    "summarise",
    "tally",
]

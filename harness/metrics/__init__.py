"""Metrics: pure functions of spans. `tally.py` counts the spans of a run, `summary.py` turns counts into metrics.

`findings.py` finds weaknesses of the program, `flow.py` the flow of replies between agents, `limits.py` holds the limits of a gate.
"""

from __future__ import annotations

from harness.metrics.customers import CUSTOMER_METRICS, CustomerTally
from harness.metrics.findings import Finding, findings
from harness.metrics.flow import Edge, flow
from harness.metrics.limits import DEFAULT_LIMITS, Limit
from harness.metrics.reliability import pass_k
from harness.metrics.summary import (
    AGENT_METRICS,
    METRICS,
    Metrics,
    no_such_metric,
    quantile,
    summarise,
    summarise_customers,
)
from harness.metrics.tally import RunTally, Tally, tally

__all__ = [
    "AGENT_METRICS",
    "CUSTOMER_METRICS",
    "DEFAULT_LIMITS",
    "METRICS",
    "CustomerTally",
    "Edge",
    "Finding",
    "Limit",
    "Metrics",
    "RunTally",
    "Tally",
    "findings",
    "flow",
    "no_such_metric",
    "pass_k",
    "quantile",
    "summarise",
    "summarise_customers",
    "tally",
]

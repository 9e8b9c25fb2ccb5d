"""Baseline against candidate: whether a change made results slower, costlier or worse.

`policy.py`: which metrics are gated. `samples.py`: what is compared. `statistics.py`: how much it changed. `verdict.py`: the
decision. `sequential.py` combines these; `output/` prints the result. scipy is loaded with the first interval.
"""

from __future__ import annotations

from harness.gate.baseline import baseline_text, read_baseline, samples_from, save_baseline
from harness.gate.policy import limits_of, parse_limit
from harness.gate.samples import Sample, Samples, SimulatedSide, recorded, samples_of, stored
from harness.gate.sequential import Side, gate
from harness.gate.verdict import EXIT_CODES, GateResult, MetricResult


def _shown_in_notebook(result: GateResult) -> str:
    from harness.gate.output.page import shown_in_notebook

    return shown_in_notebook(result)


GateResult._repr_html_ = _shown_in_notebook

__all__ = [
    "EXIT_CODES",
    "GateResult",
    "MetricResult",
    "Sample",
    "Samples",
    "Side",
    "SimulatedSide",
    "baseline_text",
    "gate",
    "limits_of",
    "parse_limit",
    "read_baseline",
    "recorded",
    "samples_from",
    "samples_of",
    "save_baseline",
    "stored",
]

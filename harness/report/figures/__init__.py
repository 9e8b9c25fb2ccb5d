"""Figures of stored runs, for pages, files and notebooks.

Example::

    from harness.report import figures
    from harness.store import Store

    figures.latency_ecdf(Store("harness.duckdb"), [1, 2, 3])

Each function gives a matplotlib Figure, which notebooks show and `savefig` writes. matplotlib is loaded with the first. All
of them raise a StoreError when one of the runs does not exist.
"""

from __future__ import annotations

from harness.report.figures.ecdf import cost_ecdf, latency_ecdf
from harness.report.figures.faults import failures
from harness.report.figures.network import flow, waiting
from harness.report.figures.path import critical_path
from harness.report.figures.pressure import pressure
from harness.report.figures.seeds import seeds
from harness.report.figures.timeline import timeline

__all__ = [
    "cost_ecdf",
    "critical_path",
    "failures",
    "flow",
    "latency_ecdf",
    "pressure",
    "seeds",
    "timeline",
    "waiting",
]

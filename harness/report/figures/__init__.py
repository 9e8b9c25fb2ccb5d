"""Figures of stored runs, for pages, files and notebooks.

Example::

    from harness.report import figures
    from harness.store import Store

    figures.latency_ecdf(Store("harness.duckdb"), [1, 2, 3])

Each function gives a matplotlib Figure, which notebooks show and `savefig` writes. matplotlib is loaded with the first.
"""

from __future__ import annotations

from harness.report.figures.ecdf import cost_ecdf, latency_ecdf
from harness.report.figures.faults import failures
from harness.report.figures.pressure import pressure

__all__ = ["cost_ecdf", "failures", "latency_ecdf", "pressure"]

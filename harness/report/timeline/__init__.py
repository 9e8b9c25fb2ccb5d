"""The timeline of a task or a run: how each agent spent its time, and the critical path."""

from __future__ import annotations

from harness.report.timeline.figure import as_figure
from harness.report.timeline.finding import finding
from harness.report.timeline.marks import Timeline, run_timeline, task_timeline
from harness.report.timeline.svg import STYLE, as_svg
from harness.report.timeline.table import COLUMNS, ROWS, rows

__all__ = [
    "COLUMNS",
    "ROWS",
    "STYLE",
    "Timeline",
    "as_figure",
    "as_svg",
    "finding",
    "rows",
    "run_timeline",
    "task_timeline",
]

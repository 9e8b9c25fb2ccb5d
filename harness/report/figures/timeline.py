"""Timeline of one task or of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.timeline import as_figure, run_timeline, task_timeline
from harness.store import Store, queries

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def timeline(store: Store, run_id: int, task: int | None = None) -> Figure:
    """The timeline of a task, with its critical path, or of all tasks of a run.

    Args:
        store: Where the run is.
        run_id: The run.
        task: The task; None means all.
    """
    spans = queries.span_table(store, run_id, task=task)
    events = queries.event_table(store, run_id, task=task)
    return as_figure(
        run_timeline(spans, events) if task is None else task_timeline(spans, events, task)
    )

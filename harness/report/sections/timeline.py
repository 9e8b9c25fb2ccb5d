"""Section: timelines of some tasks and of a whole run."""

from __future__ import annotations

from typing import Final

from harness.report.blocks import DataTable, Drawing, Section
from harness.report.contents import Contents
from harness.report.timeline import (
    COLUMNS,
    Timeline,
    as_figure,
    as_svg,
    finding,
    rows,
    run_timeline,
    task_timeline,
)
from harness.store import queries, series
from harness.store.asking import Row

_WIDE: Final = 704
"""Below this width the marks of a timeline could not be told apart, so it is scrolled [CSS px]."""

_SHOWN_AS: Final = {
    "slowest": "the slowest task",
    "median": "a task in the middle",
    "failed": "the first task that did not end well",
}


def section(contents: Contents) -> Section | None:
    """The slowest task, one in the middle and one that failed; and the run, if it has more than one task."""
    side, run = contents.side, contents.shown
    found = series.tasks_to_show(side.store, side.run_ids)
    drawings = [_of_task(contents, row) for row in found]
    if side.sizes[run["run_id"]]["tasks"] > 1:
        whole = run_timeline(side.spans[run["run_id"]], side.events[run["run_id"]])
        note = f" Every {side.every:,}th task is drawn." if side.every > 1 else ""
        drawings.append(
            drawing_of(
                "timeline-run", f"Run {run['run_id']} as a whole", whole, contents.trace, note
            )
        )
    if not drawings:
        return None
    return Section(
        key="timeline",
        title="What happened when",
        lead=finding(task_of(contents, found[0])) if found else "",
        blocks=drawings,
    )


def task_of(contents: Contents, row: Row) -> Timeline:
    """The timeline of one task."""
    store, run_id, task = contents.side.store, row["run_id"], row["task"]
    return task_timeline(
        queries.span_table(store, run_id, task=task),
        queries.event_table(store, run_id, task=task),
        task,
    )


def _of_task(contents: Contents, row: Row) -> Drawing:
    title = f"Task {row['task']} of run {row['run_id']}, {_SHOWN_AS[row['shown_as']]}"
    if contents.side.measured_tasks == 1:
        title = f"Task {row['task']} of run {row['run_id']}"
    # The trace beside the page is of one run.
    trace = contents.trace if row["run_id"] == contents.shown["run_id"] else ""
    return drawing_of(f"timeline-{row['shown_as']}", title, task_of(contents, row), trace)


def drawing_of(key: str, title: str, timeline: Timeline, trace: str = "", note: str = "") -> Drawing:  # fmt: skip
    """The figure of a timeline.

    Args:
        key: Names its files, and what a link to it ends in.
        title: What stands above it.
        timeline: What is drawn.
        trace: The file of the trace that its marks lead to; empty if there is none.
        note: What is added to how it is read.
    """
    return Drawing(
        key=key,
        title=title,
        alt=finding(timeline),
        reading="How to read this: a lane is an agent at work; the heavy line is the critical path, which decides when the end is. "
        "Point at a mark, or walk with the arrow keys, for its details." + note,
        figure=as_figure(timeline),
        svg=as_svg(timeline, key, trace),
        width_min=_WIDE,
        table=DataTable(
            caption=f"{title}: its spans",
            columns=COLUMNS,
            rows=rows(timeline),
        ),
    )

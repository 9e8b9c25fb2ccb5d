"""A short page of one task: its timeline, who wrote to whom, and what agents read and wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from harness.errors import StoreError
from harness.report.blocks import Column, DataTable, Section, Tone
from harness.report.contents import Contents, Side
from harness.report.drawing import as_png
from harness.report.page import as_html, as_json, write_files
from harness.report.sections.texts import steps_of
from harness.report.sections.timeline import drawing_of
from harness.report.timeline import finding, task_timeline
from harness.spans import MESSAGE, OK, TASK, Table
from harness.store import Store, queries
from harness.units import render

MESSAGES_MAX: Final = 200
"""Maximum number of messages in the table."""

_COLUMNS: Final = (
    Column("at", "at_s"), Column("from"), Column("to"), Column("type"), Column("tokens", "tokens"), Column("hop", "hop"),
)  # fmt: skip


def write_task_page(store: Store, run_id: int, task: int, folder: Path) -> list[Path]:
    """Write the page of one task, its picture and its numbers.

    Args:
        store: Where the run is.
        run_id: The run.
        task: The task.
        folder: Where to; made if it is not there.

    Returns:
        The files, the page first.

    Raises:
        StoreError: There is no such run or task.
        HarnessError: The files cannot be written.
    """
    with store.reading():
        contents = Contents(side=Side(store, (run_id,)))
        name = f"{contents.scenario}-run-{run_id}-task-{task}"
        spans = queries.span_table(store, run_id, task=task)
        if not len(spans):
            tasks = contents.side.runs[0]["tasks"]
            raise StoreError(f"run {run_id} has no task {task}; it has {tasks}")
        events = queries.event_table(store, run_id, task=task)
        drawing = drawing_of("timeline", f"Task {task} of run {run_id}", task_timeline(spans, events, task))  # fmt: skip
        timeline = Section(key="what-happened", title="What happened when", blocks=[drawing])
        verdict = _verdict(contents, spans, finding(task_timeline(spans, events, task)))
        sections = [verdict, timeline, *_messages(spans, events), *_texts(store, run_id, task)]
    return write_files(
        folder,
        {
            f"{name}.html": as_html(contents, sections, name).encode(),
            f"{name}.json": as_json(contents, sections, name).encode(),
            f"{name}-{drawing.key}.png": as_png(drawing.figure),
        },
    )


def _verdict(contents: Contents, spans: Table, found: str) -> Section:
    row = next(row for row in _rows(spans) if row["kind"] == TASK)
    is_ok = row["status"] == OK
    tone: Tone = "good" if is_ok else "bad"
    took = render("latency_s", row["end_s"] - row["arrival_s"])
    how = "ended well" if is_ok else row["error"] or row["status"]
    title = f"{contents.scenario}, task {row['task']}: {how} after {took}"
    return Section(key="verdict", title=title, lead=found, tone=tone)


def _messages(spans: Table, events: Table) -> Iterator[Section]:
    began_s = min(spans.values("arrival_s"))
    rows = [
        (row["at_s"] - began_s, row["agent"], row["recipient"], row["detail"], row["tokens"], row["hop"])
        for row in _rows(events)
        if row["name"] == MESSAGE
    ]  # fmt: skip
    if rows:
        more = len(rows) - MESSAGES_MAX
        table = DataTable(
            caption="Messages in the order in which they came, at times since the beginning of the task",
            columns=_COLUMNS,
            rows=rows[:MESSAGES_MAX],
            note=f"{more:,} later messages are left out." if more > 0 else "",
        )
        lead = "A message is of the first hop if it answers the task itself, and of the next if it answers such a one."
        yield Section(key="messages", title="Who wrote to whom", lead=lead, blocks=[table])


def _texts(store: Store, run_id: int, task: int) -> Iterator[Section]:
    steps = steps_of(store, run_id, task, "In the order of their beginnings")
    if any(step.prompt for step in steps.steps):
        lead = "Open a step to see its prompt and its reply."
        yield Section(key="texts", title="What agents read and wrote", lead=lead, blocks=[steps])


def _rows(table: Table) -> Iterator[dict[str, Any]]:
    return (dict(zip(table.columns, row, strict=True)) for row in table.rows())

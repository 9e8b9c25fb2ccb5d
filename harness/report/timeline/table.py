"""The table behind a timeline."""

from __future__ import annotations

from typing import Final

from harness.report.blocks import Column
from harness.report.timeline.details import LEGEND
from harness.report.timeline.fold import lane_names
from harness.report.timeline.marks import Timeline

COLUMNS: Final = (
    Column("lane"),
    Column("spent on"),
    Column("start", "start_s"),
    Column("duration", "duration_s"),
    Column("stretches", "stretches"),
    Column("span"),
    Column("details"),
)
"""Of a row; the start counts from the beginning of the picture, as everything in it does."""

ROWS: Final = 200
"""In the table at most: more is for the store and the trace file."""

Row = tuple[str, str, float, float, int, int, str]


def rows(timeline: Timeline) -> list[Row]:
    """The marks that lasted longest, in the order of time; nothing in them is escaped."""
    names = lane_names(timeline.lanes)
    longest = sorted(timeline.marks, key=lambda it: (it.from_s - it.until_s, it.from_s, it.lane))
    shown = sorted(longest[:ROWS], key=lambda it: (it.from_s, it.lane, -it.until_s))
    return [
        (
            names[mark.lane],
            LEGEND[mark.kind],
            mark.from_s - timeline.from_s,
            mark.until_s - mark.from_s,
            mark.number,
            mark.span_id,
            mark.text,
        )
        for mark in shown
    ]

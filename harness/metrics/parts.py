"""Which span is a part of which, for those who follow how long things took: the parent, corrected by time."""

from __future__ import annotations

import math
from array import array

from harness.spans import TASK, Table


def holders(spans: Table) -> array[int]:
    """The row of the span that each span is a part of: its parent, or the first above that which holds it whole.

    A program may begin in a turn what goes on after it, and the parent of a span may still be open, or not be there;
    then the span is a part of something above, at last of its task.

    Args:
        spans: The spans of a run.

    Returns:
        By row, a row; -1 for tasks, for spans that took no time, and for those of a task that has no end.
    """
    found = array("q", [-1]) * len(spans)
    parent_ids, arrivals_s, ends_s = spans["parent_id"], spans["arrival_s"], closed_ends_s(spans)
    tasks, roots = spans["task"], task_rows(spans)
    span_ids = spans["span_id"]
    row_of = dict(zip(span_ids, range(len(spans)), strict=True))
    for row, (task, arrival_s, end_s) in enumerate(zip(tasks, arrivals_s, ends_s, strict=True)):
        root = roots.get(task, row)
        if row == root or arrival_s >= end_s:
            continue
        holder = row
        while True:
            # A parent is older than its parts; where it is not, in a table from elsewhere, the way up ends.
            parent_id = parent_ids[holder]
            holder = row_of.get(parent_id, root) if parent_id < span_ids[holder] else root
            if holder == root or (arrivals_s[holder] <= arrival_s and end_s <= ends_s[holder]):
                break
        found[row] = holder if tasks[holder] == task else root
    return found


def task_rows(spans: Table) -> dict[int, int]:
    """By number, the row of each task's own span; a task without an end is absent."""
    rows: dict[int, int] = {}
    for row, (kind, task, end_s) in enumerate(spans.rows("kind", "task", "end_s")):
        if kind == TASK and end_s == end_s:
            rows.setdefault(task, row)
    return rows


def closed_ends_s(spans: Table) -> array[float]:
    """When each span ended [s]; one that has no end goes on for ever."""
    return array("d", (math.inf if end_s != end_s else end_s for end_s in spans["end_s"]))

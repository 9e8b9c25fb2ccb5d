"""Parents of spans for time analysis: the recorded parent, corrected by time."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass

from harness.spans import TASK, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The part-of relation between the spans of a table.

    It is kept in arrays, because a list for every span that has parts would be work for the garbage collector.
    """

    row_of: dict[int, int]
    """By span_id, its row."""
    roots: dict[int, int]
    """By number of a task, the row of its own span; a task without an end is absent."""
    holder_of: array[int]
    """By row, the row of the span that it is a part of; see `holders`."""
    first: array[int]
    """By row, the row of its first part; -1 if it has none."""
    next: array[int]
    """By row, the row of the next part of the same span; -1 for the last."""

    def of(self, row: int) -> list[int]:
        """The rows of the parts of a span, ascending."""
        found: list[int] = []
        part = self.first[row]
        while part >= 0:
            found.append(part)
            part = self.next[part]
        return found


def parts(spans: Table) -> Parts:
    """Find the parent of each span of a run."""
    row_of = dict(zip(spans["span_id"], range(len(spans)), strict=True))
    roots = task_rows(spans)
    holder_of = _holders(spans, row_of, roots)
    first, following = (array("q", [-1]) * len(spans) for _ in range(2))
    for row in range(len(spans) - 1, -1, -1):
        holder = holder_of[row]
        if holder >= 0:
            following[row] = first[holder]
            first[holder] = row
    return Parts(row_of=row_of, roots=roots, holder_of=holder_of, first=first, next=following)


def holders(spans: Table) -> array[int]:
    """The row of the span that each span is a part of: its parent, or the first above that which holds it whole.

    A program may begin in a turn what goes on after it, and the parent of a span may still be open, or not be there;
    then the span is a part of something above, at last of its task.

    Args:
        spans: The spans of a run.

    Returns:
        By row, a row; -1 for tasks, for spans that took no time, and for those of a task that has no end.
    """
    return parts(spans).holder_of


def _holders(spans: Table, row_of: dict[int, int], roots: dict[int, int]) -> array[int]:
    found = array("q", [-1]) * len(spans)
    tasks, span_ids, parent_ids = spans["task"], spans["span_id"], spans["parent_id"]
    arrivals_s, ends_s = spans["arrival_s"], closed_ends_s(spans)
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
    texts = spans.texts
    own = texts.index(TASK) if TASK in texts else -1
    for row, kind in enumerate(spans["kind"]):
        if kind == own and spans["end_s"][row] == spans["end_s"][row]:
            rows.setdefault(spans["task"][row], row)
    return rows


def closed_ends_s(spans: Table) -> array[float]:
    """When each span ended [s]; one that has no end goes on for ever."""
    return array("d", [math.inf if end_s != end_s else end_s for end_s in spans["end_s"]])

"""Slack: how much longer each span could have taken without delaying the end of its task.

This is slack as in a project plan: a span has slack if the task waited for another span anyway. Spans do not record
who waited for whom, so everything that began after a span's end, beside it in the same parent, is taken to have waited for
it. What really did not wait has more slack than is said here, and never less: the numbers are on the safe side.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence

from harness.metrics.critical_path import Segment, critical_paths
from harness.metrics.parts import Parts, closed_ends_s, parts
from harness.spans import Table


def slack(
    spans: Table, paths: Mapping[int, Sequence[Segment]] | None = None
) -> dict[int, float]:  # fmt: skip
    """The slack of each span, as if it alone had taken longer.

    What the critical path runs through has none. A span that ends after its task counts as ending with it.

    Args:
        spans: The spans of a run.
        paths: Their critical paths, where they are known already.

    Returns:
        By span_id, the slack [s]; without spans that took no time, began after their task's end, or have a task
        without an end.
    """
    known = parts(spans)
    found = slacks_s(spans, critical_paths(spans, known) if paths is None else paths, known)
    return {
        span_id: slack_s
        for span_id, slack_s in zip(spans["span_id"], found, strict=True)
        if slack_s == slack_s
    }


def slacks_s(
    spans: Table, paths: Mapping[int, Sequence[Segment]], known: Parts
) -> array[float]:  # fmt: skip
    """The same by row of the table [s]; NaN where there is none.

    Args:
        spans: The spans of a run.
        paths: Their critical paths.
        known: What they are parts of.
    """
    found = array("d", [math.nan]) * len(spans)
    arrivals_s, ends_s = spans["arrival_s"], closed_ends_s(spans)
    critical = _critical_rows(known, paths.values())
    for root in known.roots.values():
        found[root] = 0.0
        holding = [root]
        for holder in holding:  # it grows on the way: parts come after what holds them
            if known.first[holder] < 0:
                continue
            inside = [row for row in known.of(holder) if arrivals_s[row] < ends_s[root]]
            if len(inside) == 1:  # most spans that have parts have one, and it ends last of all
                found[inside[0]] = 0.0 if inside[0] in critical else found[holder]
            elif inside:
                inside.sort(key=arrivals_s.__getitem__)
                begins_s = [arrivals_s[row] for row in inside]
                until_s = [min(ends_s[row], ends_s[root]) for row in inside]
                on_path = [row in critical for row in inside]
                for row, slack_s in zip(
                    inside, _beside(begins_s, until_s, on_path, found[holder]), strict=True
                ):
                    found[row] = slack_s
            holding += inside
    return found


def _critical_rows(known: Parts, paths: Iterable[Sequence[Segment]]) -> set[int]:
    """The rows of spans that the paths run through, with those that hold them."""
    found: set[int] = set()
    for path in paths:
        for segment in path:
            row = known.row_of[segment.span_id]
            while row >= 0 and row not in found:
                found.add(row)
                row = known.holder_of[row]
    return found


def _beside(
    begins_s: list[float], ends_s: list[float], critical: list[bool], holder_slack_s: float
) -> list[float]:
    """The slack [s] of the parts of one span, which are sorted by their beginnings."""
    slacks_s = [0.0] * len(begins_s)
    ends_in_order_s = sorted(ends_s)
    # Until when everything may be delayed that began at this place or later, and last of all the holder's end.
    latest_s = [math.inf] * len(begins_s) + [ends_in_order_s[-1] + holder_slack_s]
    for place in range(len(begins_s) - 1, -1, -1):
        begin_s, end_s = begins_s[place], ends_s[place]
        if not critical[place]:
            # Nobody may have waited for it but the holder.
            slack_s = latest_s[bisect_left(begins_s, end_s, place + 1)] - end_s
            slacks_s[place] = max(slack_s, 0.0)
        before = bisect_right(ends_in_order_s, begin_s)
        release_s = ends_in_order_s[before - 1] + slacks_s[place] if before else math.inf
        latest_s[place] = min(release_s, latest_s[place + 1])
    return slacks_s

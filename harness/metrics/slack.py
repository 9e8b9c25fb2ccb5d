"""How much longer each span could have taken without its task ending later.

The question is that of a project plan: a span has slack when somebody else was waited for anyway. Nobody wrote down
who waited for whom, so everything that began after a span's end, beside it in the same parent, is taken to have waited for
it. What really did not wait has more slack than is said here, and never less: the numbers are on the safe side.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

from harness.metrics.critical_path import Segment, critical_paths
from harness.metrics.parts import closed_ends_s, holders, task_rows
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
    holder_of, ends_s = holders(spans), closed_ends_s(spans)
    roots = task_rows(spans)
    critical = _critical_rows(spans, holder_of, critical_paths(spans) if paths is None else paths)
    parts = _parts(spans, holder_of, ends_s, roots)
    slack_of: dict[int, float] = dict.fromkeys(roots.values(), 0.0)
    holding = list(slack_of)
    for holder in holding:  # it grows on the way: parts come after what holds them
        if inside := parts.get(holder):
            _fill(slack_of, slack_of[holder], inside, spans["arrival_s"], ends_s, critical)
            holding += inside
    ids = spans["span_id"]
    return {ids[row]: slack_s for row, slack_s in slack_of.items()}


def _parts(
    spans: Table, holder_of: array[int], ends_s: array[float], roots: Mapping[int, int]
) -> dict[int, list[int]]:
    """By row of a holder, the rows of its parts; the ends of those that outlive their task are cut to its end."""
    parts: dict[int, list[int]] = {}
    for row, (holder, task, arrival_s) in enumerate(
        zip(holder_of, spans["task"], spans["arrival_s"], strict=True)
    ):
        if holder >= 0:
            ends_s[row] = min(ends_s[row], ends_s[roots[task]])
            if arrival_s < ends_s[row]:
                parts.setdefault(holder, []).append(row)
    return parts


def _critical_rows(
    spans: Table, holder_of: array[int], paths: Mapping[int, Sequence[Segment]]
) -> set[int]:
    """The rows of spans that the paths run through, with those that hold them."""
    row_of = dict(zip(spans["span_id"], range(len(spans)), strict=True))
    found: set[int] = set()
    for path in paths.values():
        for segment in path:
            row = row_of[segment.span_id]
            while row >= 0 and row not in found:
                found.add(row)
                row = holder_of[row]
    return found


def _fill(
    slack_of: dict[int, float],
    holder_slack_s: float,
    parts: Sequence[int],
    arrivals_s: array[float],
    ends_s: array[float],
    critical: set[int],
) -> None:
    """Find the slack of the parts of one span, the last to begin first."""
    if len(parts) == 1:  # most spans that have any have one, and it ends last of all
        slack_of[parts[0]] = 0.0 if parts[0] in critical else holder_slack_s
        return
    rows = sorted(parts, key=arrivals_s.__getitem__)
    begins_s = [arrivals_s[row] for row in rows]
    ends_in_order_s = sorted(ends_s[row] for row in rows)
    # Until when everything may be delayed that began at this place or later, and last of all the holder's end.
    latest_s = [math.inf] * len(rows) + [ends_in_order_s[-1] + holder_slack_s]
    for place in range(len(rows) - 1, -1, -1):
        row = rows[place]
        end_s = ends_s[row]
        # Nobody may have waited for it but the holder.
        slack_s = latest_s[bisect_left(begins_s, end_s, place + 1)] - end_s
        slack_s = slack_of[row] = 0.0 if row in critical else max(slack_s, 0.0)
        before = bisect_right(ends_in_order_s, begins_s[place])
        release_s = ends_in_order_s[before - 1] + slack_s if before else math.inf
        latest_s[place] = min(release_s, latest_s[place + 1])

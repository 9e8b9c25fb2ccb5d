"""Faults that struck, where they are drawn."""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

from harness.metrics.lanes import Lanes
from harness.report.timeline.names import shown
from harness.spans import Table

FAULT: Final = "fault"
"""The name of an event: an injected fault met an attempt."""

FAULTS: Final = 200
"""Crosses in one picture at most; then those near one another in a lane are one."""


class Fault(NamedTuple):
    """A cross at a moment, for one fault or for several at once."""

    lane: int
    """Index of its lane."""
    at_s: float
    """[virtual s since the run began]."""
    text: str
    """Which fault; not escaped."""


def faults_of(
    spans: Table, events: Table, laid: Lanes, from_s: float, until_s: float
) -> list[Fault]:
    """The faults that struck, each in the lane of the span it struck, by time.

    Args:
        spans: The spans.
        events: Their events.
        laid: Where the spans lie.
        from_s: When the picture begins [s].
        until_s: When it ends [s].
    """
    row_of = dict(zip(spans["span_id"], range(len(spans)), strict=True))
    lanes_of_agents: dict[str, int] = {}
    for lane, (agent, _) in enumerate(laid.names):
        lanes_of_agents.setdefault(agent, lane)
    found: list[Fault] = []
    for name, at_s, span_id, agent, detail in events.rows("name", "at_s", "span_id", "agent", "detail"):  # fmt: skip
        if name == FAULT and laid.names:
            row = row_of.get(span_id)
            lane = -1 if row is None else laid.of_row[row]
            # A span that is still open lies in no lane.
            lane = lane if lane >= 0 else lanes_of_agents.get(agent, 0)
            found.append(Fault(lane, min(max(at_s, from_s), until_s), detail))
    found.sort()
    return _few(found, from_s, until_s)


def _few(found: list[Fault], from_s: float, until_s: float) -> list[Fault]:
    pixels = 1024
    groups: dict[tuple[int, int], list[Fault]] = {}
    while pixels:
        groups = {}
        for fault in found:
            share = (fault.at_s - from_s) / (until_s - from_s) if until_s > from_s else 0.0
            groups.setdefault((fault.lane, int(share * pixels)), []).append(fault)
        if len(groups) <= FAULTS:
            break
        pixels //= 2
    return [Fault(*group[0][:2], _text(group)) for group in groups.values()]


def _text(group: list[Fault]) -> str:
    counted = Counter(shown(fault.text) for fault in group)
    kinds = ", ".join(f"{name} {number} times" if number > 1 else name for name, number in counted.most_common(5))  # fmt: skip
    more = f", and {len(counted) - 5} other kinds" if len(counted) > 5 else ""
    return f"{'fault' if len(group) == 1 else f'{len(group)} faults'}: {kinds}{more}"

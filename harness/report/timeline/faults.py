"""Positions of faults in a timeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from harness.metrics.lanes import Lanes
from harness.report.timeline.names import shown
from harness.spans import Table

FAULT: Final = "fault"
"""The name of an event: an injected fault met an attempt."""

FAULTS: Final = 200
"""Crosses in one picture at most; then those near one another in a lane are one."""


_KINDS: Final = 5  # of faults that one cross names


class Fault(NamedTuple):
    """A cross at a moment, for one fault or for several at once."""

    lane: int
    """Index of its lane."""
    at_s: float
    """[virtual s since the run began]."""
    text: str
    """Which fault, or which and how many; not escaped."""


def faults_of(spans: Table, events: Table, laid: Lanes) -> list[Fault]:
    """The faults that struck, each in the lane of the span it struck, in the order in which they did.

    Args:
        spans: The spans.
        events: Their events.
        laid: Where the spans lie.
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
            found.append(Fault(lane if lane >= 0 else lanes_of_agents.get(agent, 0), at_s, detail))
    return found


def few(faults: Iterable[Fault], from_s: float, until_s: float) -> tuple[Fault, ...]:
    """The same as at most `FAULTS` crosses with their texts, by lane and time.

    Args:
        faults: Where they struck, and which they were.
        from_s: When the picture begins [s].
        until_s: When it ends [s].
    """
    ordered = sorted(faults)
    pixels = 1024  # as many as a picture has, and halved as often as need be
    groups = _by_pixel(ordered, from_s, until_s, pixels)
    while len(groups) > FAULTS and pixels > 1:
        pixels //= 2
        groups = _by_pixel(ordered, from_s, until_s, pixels)
    return tuple(Fault(*group[0][:2], _text(group)) for group in groups)


def _by_pixel(
    faults: Iterable[Fault], from_s: float, until_s: float, pixels: int
) -> list[list[Fault]]:
    groups: dict[tuple[int, int], list[Fault]] = {}
    for fault in faults:
        share = (fault.at_s - from_s) / (until_s - from_s) if until_s > from_s else 0.0
        groups.setdefault((fault.lane, int(share * pixels)), []).append(fault)
    return list(groups.values())


def _text(group: Sequence[Fault]) -> str:
    counted = Counter(shown(fault.text) for fault in group)
    kinds = [
        f"{name} {number} times" if number > 1 else name
        for name, number in counted.most_common(_KINDS)
    ]
    if len(counted) > _KINDS:
        kinds.append(f"and {len(counted) - _KINDS} other kinds")
    return f"{'fault' if len(group) == 1 else f'{len(group)} faults'}: {', '.join(kinds)}"

"""A timeline as data: what is drawn, by whatever draws it.

Spans lie in lanes (`harness.metrics.lanes`), one or more an agent. An attempt that brought a reply is drawn as the queue, the
reading of the prompt and the generating; one that did not, as the queue and a time without a reply. Tasks, turns and calls are
not filled, so that what they did not spend on anything is seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from harness.metrics.critical_path import critical_path
from harness.metrics.lanes import Lanes
from harness.metrics.lanes import lanes as lay
from harness.metrics.slack import slack
from harness.report.timeline.details import Details
from harness.report.timeline.faults import Fault, faults_of, few
from harness.report.timeline.fold import Folded, Lane, folded
from harness.report.timeline.merge import PIXELS, crowd, merged
from harness.report.timeline.pieces import TURN, Piece, Stretch, pieces, stretches, turns
from harness.spans import Table


class Mark(NamedTuple):
    """A stretch of time of one lane, spent on one thing."""

    lane: int
    """Index of its lane."""
    kind: str
    """A role of `palette.ROLES`: queue, prefill, work, tool, retry, back_off, silence, in_flight or overhead."""
    from_s: float
    """[virtual s since the run began]."""
    until_s: float
    """[virtual s since the run began]."""
    text: str
    """Details; names in it are bounded, and not escaped."""
    span_id: int
    """The span; of several the first."""
    number: int
    """How many are drawn as this one."""


class Bar(NamedTuple):
    """A stretch of time of one lane that says no more than where it is."""

    lane: int
    """Index of its lane."""
    from_s: float
    """[virtual s since the run began]."""
    until_s: float
    """[virtual s since the run began]."""


class Share(NamedTuple):
    """What a part of the time was spent on, by whom."""

    agent: str
    """Empty for the task's own."""
    kind: str
    """A role of `palette.ROLES`."""
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What is drawn of a task, or of a run."""

    title: str
    from_s: float
    """When the picture begins [virtual s since the run began]; what is shown counts from here."""
    until_s: float
    """When it ends [virtual s since the run began]."""
    lanes: tuple[Lane, ...]
    """From top to bottom; a task's own is the first."""
    marks: tuple[Mark, ...]
    """By lane, and in a lane by time; what contains another comes before it."""
    turns: tuple[Bar, ...]
    """When agents had their turns and awaited their calls, and the task was on its way; empty for a run."""
    path: tuple[Bar, ...]
    """The critical path in order, each piece beginning where the one before it ends; empty for a run."""
    faults: tuple[Fault, ...]
    shares: tuple[Share, ...]
    """What the critical path was spent on, or without one the time of all agents; the largest first."""
    spans: int
    """How many spans there were."""
    merged: int
    """How many marks stand for several, or were too many to have a lane."""


def task_timeline(spans: Table, events: Table, task: int) -> Timeline:
    """The timeline of one task, with its critical path.

    Args:
        spans: The spans of its run.
        events: The events of its run.
        task: Its number.

    Returns:
        The timeline; without lanes if there is no such task.
    """
    own = _of_task(spans, task)
    laid = lay(own)
    path = critical_path(own, task)
    return _timeline(
        f"Task {task}",
        spans=own,
        laid=laid,
        found=[*turns(own, laid.of_row), *pieces(own, laid.of_row)],
        path=stretches(own, path),
        struck=faults_of(own, _of_task(events, task), laid),
        details=Details(own, slack(own, {task: path}) if path else {}),
    )


def run_timeline(spans: Table, events: Table) -> Timeline:
    """The timeline of all tasks of a run; turns and critical paths are left out, because they would overlap.

    Args:
        spans: The spans of the run.
        events: Its events.
    """
    laid = lay(spans)
    return _timeline(
        "The whole run",
        spans=spans,
        laid=laid,
        found=pieces(spans, laid.of_row),
        path=[],
        struck=faults_of(spans, events, laid),
        details=Details(spans, {}),
    )


def _of_task(table: Table, task: int) -> Table:
    own = Table(table.columns)
    place = list(table.columns).index("task")
    rows = [row for row in table.rows() if row[place] == task]
    if rows:
        own.extend(*map(list, zip(*rows, strict=True)))
    return own


def _timeline(
    title: str,
    *,
    spans: Table,
    laid: Lanes,
    found: Sequence[Piece],
    path: Sequence[Stretch],
    struck: Sequence[Fault],
    details: Details,
) -> Timeline:
    """Put the parts together: choose the lanes, merge what is narrow, find the words."""
    from_s, until_s = _bounds(spans)
    # What is still open lies in no lane; its part of a path is drawn in the first one, which is the task's.
    along = [max(laid.of_row[stretch.row], 0) for stretch in path]
    used = {piece.lane for piece in found} | {fault.lane for fault in struck}
    into = folded(laid.names, used, set(along))
    drawn = _drawn(found, into, from_s, until_s)
    filled = [piece for piece in drawn if piece.kind != TURN]
    return Timeline(
        title=title,
        from_s=from_s,
        until_s=until_s,
        lanes=into.lanes,
        marks=tuple(_mark(piece, into.lanes, details, from_s) for piece in filled),
        turns=tuple(Bar(it.lane, it.from_s, it.until_s) for it in drawn if it.kind == TURN),
        path=_path(path, [into.of[lane] for lane in along], (until_s - from_s) / PIXELS),
        faults=few([fault._replace(lane=into.of[fault.lane]) for fault in struck], from_s, until_s),
        shares=_shares(spans, found, path),
        spans=len(spans),
        merged=sum(piece.number for piece in filled if piece.number > 1),
    )


def _bounds(spans: Table) -> tuple[float, float]:
    """From the first arrival to the last end."""
    ends_s = [end_s for end_s in spans["end_s"] if end_s == end_s]
    arrivals_s = [arrival_s for arrival_s in spans["arrival_s"] if arrival_s == arrival_s]
    from_s = min(arrivals_s, default=0.0)
    return from_s, max(ends_s, default=from_s)


def _drawn(found: Iterable[Piece], into: Folded, from_s: float, until_s: float) -> list[Piece]:
    """The pieces in the lanes of the picture, merged, by lane and time."""
    alone: list[Piece] = []
    crowds: dict[int, list[Piece]] = {}
    for from_then_s, until_then_s, lane_before, span_id, kind, row, number in found:
        lane = into.of[lane_before]
        piece = Piece(from_then_s, until_then_s, lane, span_id, kind, row, number)
        if not into.lanes[lane].shared:
            alone.append(piece)
        elif kind != TURN:
            crowds.setdefault(lane, []).append(piece)
    alone.sort()
    drawn = merged(alone, from_s, until_s)
    for crowded in crowds.values():
        drawn += crowd(crowded, from_s, until_s)
    drawn.sort(key=lambda it: (it.lane, it.from_s, -it.until_s, it.span_id, it.kind))
    return drawn


def _mark(piece: Piece, lanes: Sequence[Lane], details: Details, from_s: float) -> Mark:
    one = piece.number == 1 and not lanes[piece.lane].shared
    text = details.of_one(piece, from_s) if one else details.of_several(piece, from_s)
    return Mark(
        piece.lane, piece.kind, piece.from_s, piece.until_s, text, piece.span_id, piece.number
    )


def _path(path: Sequence[Stretch], lanes: Sequence[int], pixel_s: float) -> tuple[Bar, ...]:
    """The path by lanes; what is too narrow to be seen goes with the piece before it."""
    found: list[Bar] = []
    for stretch, lane in zip(path, lanes, strict=True):
        last = found[-1] if found else None
        if last is not None and (last.lane == lane or stretch.until_s - stretch.from_s < pixel_s):
            found[-1] = last._replace(until_s=stretch.until_s)
        else:
            found.append(Bar(lane, stretch.from_s, stretch.until_s))
    return tuple(found)


def _shares(spans: Table, found: Sequence[Piece], path: Sequence[Stretch]) -> tuple[Share, ...]:
    spent_s: dict[tuple[str, str], float] = {}
    agents = spans.values("agent")
    times = [((it.agent, it.kind), it.until_s - it.from_s) for it in path] or [
        ((agents[it.row], it.kind), it.until_s - it.from_s) for it in found if it.kind != TURN
    ]
    for whose, duration_s in times:
        spent_s[whose] = spent_s.get(whose, 0.0) + duration_s
    ordered = sorted(spent_s.items(), key=lambda it: (-it[1], it[0]))
    return tuple(Share(agent, kind, duration_s) for (agent, kind), duration_s in ordered)

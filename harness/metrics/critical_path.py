"""The critical path of a task: consecutive segments from its arrival to its end.

The path is walked backwards from the end, as Jaeger does (jaeger-ui, `TracePage/CriticalPath`): at each
moment it is on the span that ended then, and inside it on the span in it that did. Three rules differ:

- A span that ended in the very moment in which the next began comes before it. Jaeger asks for a gap between them,
  which is right for clocks of many machines and wrong for the one clock of a simulation.
- Where nothing ended, but something else was still running, the path is on that until something ended: the program may
  have gone on with a part of a stream.
- A cancelled span was not waited for if another one ended in the same moment.

Time in which no part of a span ran is its own, so the segments of a task fill its latency without a gap or an overlap.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import pairwise
from typing import Final, NamedTuple

from harness.metrics.parts import Parts, closed_ends_s, parts
from harness.spans import AGENT, ATTEMPT, CALL, CANCELLED, OK, TASK, TOOL, WAIT, Table

WORK: Final = "work"
"""A model or a tool worked."""
QUEUE: Final = "queue"
"""An attempt waited at its provider for its service to begin."""
RETRY: Final = "retry"
"""An attempt that brought no reply, its time in the queue included."""
BACK_OFF: Final = "back_off"
"""An agent let time pass before it asked again."""
SILENCE: Final = "silence"
"""A provider did not answer, because of a fault."""
IN_FLIGHT: Final = "in_flight"
"""An agent waited until it might have one more attempt in flight."""
STATE_LOCK: Final = "state_lock"
"""An agent waited for the lock of shared state."""
PERSON: Final = "person"
"""An agent waited for the decision of a person."""
OVERHEAD: Final = "overhead"
"""A turn of an agent in which it neither asked nor used anything."""
HAND_OFF: Final = "hand_off"
"""No span of the task was open but its own: between turns, or in the code of a program."""

SEGMENT_KINDS: Final = (
    WORK,
    QUEUE,
    RETRY,
    BACK_OFF,
    SILENCE,
    IN_FLIGHT,
    STATE_LOCK,
    PERSON,
    OVERHEAD,
    HAND_OFF,
)
"""Every kind of segment."""

# A program's client leaves no span of its waits: the time of a call between its attempts.
_OWN_KINDS = {TASK: HAND_OFF, AGENT: OVERHEAD, CALL: BACK_OFF, TOOL: WORK}
_WAIT_KINDS = {
    "backoff": BACK_OFF,
    "silence": SILENCE,
    "in_flight": IN_FLIGHT,
    "token_bucket": IN_FLIGHT,
    "state_lock": STATE_LOCK,
    "attention": PERSON,
    "person": PERSON,
}


class Segment(NamedTuple):
    """A piece of a critical path."""

    position: int
    """0 for the first of its task."""
    kind: str
    """One of `SEGMENT_KINDS`."""
    agent: str
    """Whose time it was; empty for the task's own."""
    name: str
    """The model or the tool; empty for time in which neither was used."""
    start_s: float
    """The end of the segment before it, or the arrival of the task [s]."""
    end_s: float
    span_id: int
    """The span whose time it was."""

    @property
    def duration_s(self) -> float:
        """How long it took [s]."""
        return self.end_s - self.start_s


def critical_path(spans: Table, task: int) -> list[Segment]:
    """The critical path of one task, from its arrival to its end.

    Args:
        spans: The spans of the run.
        task: The task's number.

    Returns:
        Its segments, each beginning where the one before it ends; empty if the task took no time or has no end.
    """
    known = parts(spans)
    return _Walker(spans, known).path(known.roots[task]) if task in known.roots else []


def critical_paths(spans: Table, known: Parts | None = None) -> dict[int, list[Segment]]:
    """The critical paths of all tasks that came to an end, by number, in the order of their first spans' ends.

    Args:
        spans: The spans of the run.
        known: What they are parts of, where that has been found already.
    """
    known = known or parts(spans)
    walker = _Walker(spans, known)
    return {
        task: walker.path(known.roots[task])
        for task in dict.fromkeys(spans["task"])
        if task in known.roots
    }


class _Passing:
    """The parts of a span that the walk has not passed yet."""

    __slots__ = ("before", "running")

    def __init__(self, before: list[int]) -> None:
        self.before = before
        """Those that ended before the walk's moment, the last one last."""
        self.running: list[tuple[float, int]] = []
        """A heap of those that ended after it, the last to begin first: arrival [s] and row, both times -1."""


_Piece = tuple[int, str, float, float]
"""A row, a kind of segment, from when [s], to when [s]."""


class _Walker:
    """Walks the paths of one run.

    Args:
        spans: The spans of the run.
        known: What they are parts of.
    """

    def __init__(self, spans: Table, known: Parts) -> None:
        self._parts = known
        self._texts = spans.texts
        self._kinds, self._names, self._agents, self._statuses = (
            spans[name] for name in ("kind", "name", "agent", "status")
        )
        self._span_ids, self._arrivals_s, self._starts_s = (
            spans[name] for name in ("span_id", "arrival_s", "start_s")
        )
        self._ends_s = closed_ends_s(spans)

    def path(self, root: int) -> list[Segment]:
        """The segments of a task, from the row of its own span."""
        texts = self._texts
        segments: list[Segment] = []
        for position, (row, segment_kind, from_s, to_s) in enumerate(reversed(self._walk(root))):
            kind, agent = texts[self._kinds[row]], texts[self._agents[row]]
            name = texts[self._names[row]] if kind in (ATTEMPT, TOOL) else ""
            span_id = self._span_ids[row]
            segments.append(Segment(position, segment_kind, agent, name, from_s, to_s, span_id))
        _check(segments, self._arrivals_s[root], self._ends_s[root])
        return segments

    def _walk(self, root: int) -> list[_Piece]:
        """The pieces of a path, the last first.

        Each span is passed once, so that a path takes n log n steps, times the depth of the spans at worst.
        """
        pieces: list[_Piece] = []
        passing: dict[int, _Passing] = {}  # the spans that the path has come to
        at_s, first = self._ends_s[root], self._parts.first
        inside = [(root, self._arrivals_s[root])]
        while inside:
            row, from_s = inside[-1]
            if at_s <= from_s:
                inside.pop()
                continue
            part, until_s = -1, from_s
            if first[row] >= 0:
                if row not in passing:
                    passing[row] = _Passing(self._in_order(self._parts.of(row)))
                part, until_s = self._part_at(passing[row], at_s)
                until_s = max(until_s, from_s)
            if part >= 0:
                inside.append((part, until_s))
                continue
            pieces.extend(self._own(row, until_s, at_s))
            at_s = until_s
        return pieces

    def _in_order(self, rows: list[int]) -> list[int]:
        """The part that the walk meets first at the end: of several that ended together, the last to begin."""
        if len(rows) > 1:
            texts = self._texts
            rows.sort(
                key=lambda row: (
                    self._ends_s[row],
                    texts[self._statuses[row]] != CANCELLED,
                    self._arrivals_s[row],
                    row,
                )
            )
        return rows

    def _part_at(self, passing: _Passing, at_s: float) -> tuple[int, float]:
        """The part of a span that the path is on just before a moment, and until when it is at least [s].

        The part is -1 if none ran then. The moments of one span's questions must not increase.
        """
        before, running, ends_s = passing.before, passing.running, self._ends_s
        ended = -1
        while before and ends_s[before[-1]] >= at_s:
            row = before.pop()
            if ended < 0 and ends_s[row] == at_s:
                ended = row
            heappush(running, (-self._arrivals_s[row], -row))
        while running and -running[0][0] >= at_s:
            heappop(running)
        if ended >= 0:
            return ended, self._arrivals_s[ended]
        until_s = ends_s[before[-1]] if before else -math.inf
        if running:
            minus_arrival_s, minus_row = running[0]
            return -minus_row, max(-minus_arrival_s, until_s)
        return -1, until_s

    def _own(self, row: int, from_s: float, to_s: float) -> Iterator[_Piece]:
        """The pieces of a time in which no part of a span ran, the last first."""
        texts = self._texts
        kind = texts[self._kinds[row]]
        if kind == WAIT:
            yield row, _WAIT_KINDS.get(texts[self._names[row]], OVERHEAD), from_s, to_s
        elif kind != ATTEMPT:
            yield row, _OWN_KINDS[kind], from_s, to_s
        elif texts[self._statuses[row]] != OK:
            yield row, RETRY, from_s, to_s
        else:
            start_s = self._starts_s[row]
            served_s = from_s if math.isnan(start_s) else min(max(start_s, from_s), to_s)
            if served_s < to_s:
                yield row, WORK, served_s, to_s
            if from_s < served_s:
                yield row, QUEUE, from_s, served_s


def _check(segments: list[Segment], arrival_s: float, end_s: float) -> None:
    """Hold the promise that everything which adds segments up relies on."""
    if not segments:
        assert arrival_s >= end_s, "a task that took time has a path"
        return
    assert segments[0].start_s == arrival_s, "a path begins when its task arrives"
    assert segments[-1].end_s == end_s, "a path ends with its task"
    assert all(one.end_s == other.start_s for one, other in pairwise(segments)), "a path has no gap"

"""What a task's latency is made of: its critical path, in segments that follow one another from arrival to end.

The path is walked backwards from the end, as Jaeger does (jaeger-ui, `TracePage/CriticalPath`): at each
moment it is on the span that ended then, and inside it on the span in it that did. Three rules differ:

- A span that ended in the very moment in which the next began comes before it. Jaeger asks for a gap between them,
  which is right for clocks of many machines and wrong for the one clock of a simulation.
- Where nothing ended, but something else was still running, the path is on that until something ended: the program may
  have gone on with a part of a stream.
- Nobody waited for a span that was cancelled if another one ended in the same moment.

Time in which no part of a span ran is its own, so the segments of a task fill its latency without a gap or an overlap.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from itertools import pairwise
from typing import Any, Final, NamedTuple

from harness.metrics.parts import holders, task_rows
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
OVERHEAD: Final = "overhead"
"""A turn of an agent in which it neither asked nor used anything."""
HAND_OFF: Final = "hand_off"
"""No span of the task was open but its own: between turns, or in the code of a program."""

SEGMENT_KINDS: Final = (WORK, QUEUE, RETRY, BACK_OFF, SILENCE, IN_FLIGHT, OVERHEAD, HAND_OFF)
"""Every kind of segment."""

# A program's client leaves no span of its waits: the time of a call between its attempts.
_OWN_KINDS = {TASK: HAND_OFF, AGENT: OVERHEAD, CALL: BACK_OFF, TOOL: WORK}
_WAIT_KINDS = {"backoff": BACK_OFF, "silence": SILENCE, "in_flight": IN_FLIGHT}


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
    rows = [row for row, number in enumerate(spans["task"]) if number == task]
    return _path(_nodes(_columns(spans), rows), holders(spans))


def critical_paths(spans: Table) -> dict[int, list[Segment]]:
    """The critical paths of all tasks that came to an end, by number, in the order of their first spans' ends."""
    of_task: dict[int, list[int]] = {}
    for row, task in enumerate(spans["task"]):
        of_task.setdefault(task, []).append(row)
    holder_of, columns, ended = holders(spans), _columns(spans), task_rows(spans)
    return {
        task: _path(_nodes(columns, rows), holder_of)
        for task, rows in of_task.items()
        if task in ended
    }


class _Node:
    """A span, with those parts of it that the walk has not passed yet."""

    __slots__ = (
        "_running", "agent", "arrival_s", "children", "end_s", "kind", "name", "parent_id", "row", "span_id", "start_s",
        "status", "task",
    )  # fmt: skip

    def __init__(self, row: int, columns: tuple[Any, ...]) -> None:
        self.row = row
        (
            self.span_id, self.parent_id, self.task, self.kind, self.name, self.agent, self.arrival_s, self.start_s,
            self.end_s, self.status,
        ) = columns  # fmt: skip
        if math.isnan(self.end_s) and self.kind != TASK:
            self.end_s = math.inf
        if math.isnan(self.start_s):
            self.start_s = self.arrival_s
        self.children: list[_Node] = []
        """The parts of it that ended before the walk's moment, the last one last."""
        self._running: list[tuple[float, int, _Node]] = []
        """A heap of parts that began last, of those that ended after the walk's moment."""

    def sort_children(self) -> None:
        """Put the part that the walk meets first at the end: of several that ended together, the last to begin."""
        self.children.sort(
            key=lambda each: (each.end_s, each.status != CANCELLED, each.arrival_s, each.row)
        )

    def part_at(self, at_s: float) -> tuple[_Node | None, float]:
        """The part of it that the path is on just before a moment, and until when it is at least [s].

        The moments of one span's questions must not increase.
        """
        ended: _Node | None = None
        while self.children and self.children[-1].end_s >= at_s:
            child = self.children.pop()
            if ended is None and child.end_s == at_s:
                ended = child
            heappush(self._running, (-child.arrival_s, -child.row, child))
        while self._running and self._running[0][2].arrival_s >= at_s:
            heappop(self._running)
        if ended is not None:
            return ended, ended.arrival_s
        until_s = self.children[-1].end_s if self.children else -math.inf
        if self._running:
            running = self._running[0][2]
            return running, max(running.arrival_s, until_s)
        return None, until_s

    def own(self, from_s: float, to_s: float) -> Iterable[tuple[str, float, float]]:
        """The kinds of a time in which no part of it ran, the last first."""
        if self.kind == WAIT:
            yield _WAIT_KINDS.get(self.name, OVERHEAD), from_s, to_s
        elif self.kind != ATTEMPT:
            yield _OWN_KINDS[self.kind], from_s, to_s
        elif self.status != OK:
            yield RETRY, from_s, to_s
        else:
            served_s = min(max(self.start_s, from_s), to_s)
            if served_s < to_s:
                yield WORK, served_s, to_s
            if from_s < served_s:
                yield QUEUE, from_s, served_s


_COLUMNS = (
    "span_id", "parent_id", "task", "kind", "name", "agent", "arrival_s", "start_s", "end_s", "status",
)  # fmt: skip


def _columns(spans: Table) -> list[Sequence[Any]]:
    return [spans.values(name) for name in _COLUMNS]


def _nodes(columns: list[Sequence[Any]], rows: list[int]) -> list[_Node]:
    """The nodes of some rows; made for one task at a time, because those of a long run are millions of objects."""
    cells = zip(*(map(column.__getitem__, rows) for column in columns), strict=True)
    return [_Node(row, values) for row, values in zip(rows, cells, strict=True)]


def _root(nodes: Iterable[_Node]) -> _Node | None:
    """The task's own span; None if it is not there, or is still open."""
    return next((node for node in nodes if node.kind == TASK and node.end_s == node.end_s), None)


def _path(nodes: list[_Node], holder_of: array[int]) -> list[Segment]:
    """The segments of one task, from all of its spans and from what they are parts of."""
    root = _root(nodes)
    if root is None:
        return []
    _link(nodes, holder_of)
    pieces = _walk(root)
    pieces.reverse()
    segments = [
        Segment(
            position, kind, node.agent, node.name if node.kind in (ATTEMPT, TOOL) else "", from_s, to_s, node.span_id
        )
        for position, (node, kind, from_s, to_s) in enumerate(pieces)
    ]  # fmt: skip
    _check(root, segments)
    return segments


def _link(nodes: list[_Node], holder_of: array[int]) -> None:
    """Give every span its parts; spans that took no time are on no path."""
    by_row = {node.row: node for node in nodes}
    for node in nodes:
        holder = holder_of[node.row]
        if holder >= 0:
            by_row[holder].children.append(node)
    for node in nodes:
        node.sort_children()


def _walk(root: _Node) -> list[tuple[_Node, str, float, float]]:
    """The pieces of a path, the last first: the span, the kind, from when [s], to when [s].

    Each span is passed once, so that a path takes n log n steps, times the depth of the spans at worst.
    """
    pieces: list[tuple[_Node, str, float, float]] = []
    at_s = root.end_s
    inside = [(root, root.arrival_s)]
    while inside:
        node, from_s = inside[-1]
        if at_s <= from_s:
            inside.pop()
            continue
        part, until_s = node.part_at(at_s)
        until_s = max(until_s, from_s)
        if part is not None:
            inside.append((part, until_s))
            continue
        pieces.extend((node, *piece) for piece in node.own(until_s, at_s))
        at_s = until_s
    return pieces


def _check(root: _Node, segments: list[Segment]) -> None:
    """Hold the promise that everything which adds segments up relies on."""
    if not segments:
        assert root.arrival_s >= root.end_s, "a task that took time has a path"
        return
    assert segments[0].start_s == root.arrival_s, "a path begins when its task arrives"
    assert segments[-1].end_s == root.end_s, "a path ends with its task"
    assert all(one.end_s == other.start_s for one, other in pairwise(segments)), "a path has no gap"

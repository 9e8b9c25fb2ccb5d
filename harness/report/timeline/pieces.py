"""Split spans into pieces: intervals of time, each with what it was spent on."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from harness.metrics.critical_path import WORK, Segment
from harness.spans import AGENT, ATTEMPT, CALL, OK, TASK, TOOL, WAIT, Table

TURN: Final = "turn"
"""Of pieces that are not filled: an agent has its turn or awaits a call, or the task is on its way."""

WAITS: Final = {
    "backoff": "back_off",
    "silence": "silence",
    "in_flight": "in_flight",
    "token_bucket": "in_flight",
    "state_lock": "state_lock",
    "attention": "person",
    "person": "person",
}
"""By name of a wait, its role in the palette; another wait is an agent's own affair."""


class Piece(NamedTuple):
    """A stretch of time of one lane, or several that are drawn as one. They sort by time."""

    from_s: float
    """[virtual s since the run began]."""
    until_s: float
    """[virtual s since the run began]."""
    lane: int
    span_id: int
    """Of the span, or of the first of several."""
    kind: str
    """A role of `palette.ROLES`, or `TURN`."""
    row: int
    """Of the span in its table."""
    number: int = 1
    """How many are drawn as this one."""


class Stretch(NamedTuple):
    """A part of a critical path that was spent on one thing."""

    row: int
    """Of the span whose time it was."""
    agent: str
    kind: str
    """A role of `palette.ROLES`."""
    from_s: float
    """[virtual s since the run began]."""
    until_s: float
    """[virtual s since the run began]."""


def pieces(spans: Table, lane_of: array[int]) -> list[Piece]:
    """What time was spent on, in the order of time.

    Args:
        spans: The spans.
        lane_of: By row, the lane; those of spans with -1 are not drawn.
    """
    found: list[Piece] = []
    columns = (
        "span_id",
        "kind",
        "name",
        "status",
        "arrival_s",
        "start_s",
        "first_token_s",
        "end_s",
    )
    for row, (span_id, kind, name, status, arrival_s, start_s, first_token_s, end_s) in enumerate(spans.rows(*columns)):  # fmt: skip
        lane = lane_of[row]
        if lane < 0:
            continue
        if kind == ATTEMPT:
            for role, from_s, until_s in _attempt(status, arrival_s, start_s, first_token_s, end_s):
                found.append(Piece(from_s, until_s, lane, span_id, role, row))
        elif kind == TOOL:
            found.append(Piece(arrival_s, end_s, lane, span_id, "tool", row))
        elif kind == WAIT:
            found.append(Piece(arrival_s, end_s, lane, span_id, WAITS.get(name, "overhead"), row))
    found.sort()
    return found


def turns(spans: Table, lane_of: array[int]) -> list[Piece]:
    """When tasks, turns and calls went on, in the order of time.

    Args:
        spans: The spans.
        lane_of: By row, the lane; those of spans with -1 are not drawn.
    """
    columns = ("span_id", "kind", "arrival_s", "end_s")
    return sorted(
        Piece(arrival_s, end_s, lane_of[row], span_id, TURN, row)
        for row, (span_id, kind, arrival_s, end_s) in enumerate(spans.rows(*columns))
        if kind in {TASK, AGENT, CALL} and lane_of[row] >= 0
    )


def _attempt(
    status: str, arrival_s: float, start_s: float, first_token_s: float, end_s: float
) -> Sequence[tuple[str, float, float]]:
    """The parts of an attempt that took time; of one that took none, its last part."""
    served_s = min(start_s, end_s) if start_s == start_s else arrival_s
    if status != OK:
        parts = [("queue", arrival_s, served_s), ("retry", served_s, end_s)]
    else:
        # Without a first token it is unknown where reading ended.
        first_s = min(max(first_token_s, served_s), end_s) if first_token_s == first_token_s else served_s  # fmt: skip
        parts = [("queue", arrival_s, served_s), ("prefill", served_s, first_s), ("work", first_s, end_s)]  # fmt: skip
    return [part for part in parts if part[1] < part[2]] or parts[-1:]


def stretches(spans: Table, path: Sequence[Segment]) -> list[Stretch]:
    """A critical path by what its time was spent on, told apart as the marks are: reading, generating, tools."""
    row_of = dict(zip(spans["span_id"], range(len(spans)), strict=True))
    kinds, first_tokens_s = spans.values("kind"), spans["first_token_s"]
    found: list[Stretch] = []
    for segment in path:
        row = row_of[segment.span_id]
        for kind, from_s, until_s in _finer(segment, kinds[row], first_tokens_s[row]):
            found.append(Stretch(row, segment.agent, kind, from_s, until_s))
    return found


def _finer(
    segment: Segment, span_kind: str, first_token_s: float
) -> Iterator[tuple[str, float, float]]:
    start_s, end_s = segment.start_s, segment.end_s
    if segment.kind != WORK:
        yield segment.kind, start_s, end_s
    elif span_kind == TOOL:
        yield "tool", start_s, end_s
    else:
        first_s = min(max(first_token_s, start_s), end_s) if first_token_s == first_token_s else start_s  # fmt: skip
        if start_s < first_s:
            yield "prefill", start_s, first_s
        if first_s < end_s:
            yield "work", first_s, end_s

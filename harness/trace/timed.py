"""Time analysis of a run for all formats: critical paths and slack."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from harness.metrics.critical_path import Segment, critical_paths
from harness.metrics.parts import Parts, parts
from harness.metrics.slack import slacks_s
from harness.spans import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Found of all tasks of a run together, because they share the way to it."""

    parts: Parts
    """What the spans are parts of."""
    paths: dict[int, list[Segment]]
    """The critical paths by task."""
    on_path: set[int]
    """The span_ids of those that a path spends time in."""
    slacks_s: array[float]
    """The slack by row [s]; NaN where there is none."""


def timed(spans: Table) -> Timed:
    """Find the critical paths and the slack of the spans of a run."""
    known = parts(spans)
    paths = critical_paths(spans, known)
    return Timed(
        parts=known,
        paths=paths,
        on_path={part.span_id for path in paths.values() for part in path},
        slacks_s=slacks_s(spans, paths, known),
    )

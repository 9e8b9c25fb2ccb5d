"""What stood out in a run: tasks that are deadlocked or make no progress, cascades of failures, calls that starve.

Deadlocks and lacking progress are noted as they are seen; cascades and starvation follow from the spans of the whole run, and are
noted at its end. Each is an event, and a line wherever a run is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from harness.metrics.cascade import cascades
from harness.metrics.starvation import BOUND_S, starving
from harness.spans import (
    CALL,
    CASCADE,
    DEADLOCK,
    NO_PROGRESS,
    OK,
    STARVATION,
    TASK,
    Event,
    SpanLog,
    Table,
)

KINDS: Final = (DEADLOCK, NO_PROGRESS, CASCADE, STARVATION)
"""The events, the gravest first."""

_LINES: Final = {
    DEADLOCK: "task {task} is deadlocked: {detail}.",
    NO_PROGRESS: "task {task} made no progress: {detail}.",
    CASCADE: "{detail}.",
    STARVATION: "{detail}.",
}


class StoodOut(NamedTuple):
    """Something that stood out in a run."""

    kind: str
    """The name of its event."""
    line: str
    """In words."""


def note_at_end(log: SpanLog, *, warmup_tasks: int = 0, expected: Sequence[str] = ()) -> None:
    """Note the cascades and the starvation of a run that has ended, as events.

    Args:
        log: The spans of the run.
        warmup_tasks: How many of the first tasks are left out of cascades.
        expected: Agents that were to take part, where no task that ended well shows it.
    """
    spans, now_s = log.spans, log.clock()
    if _a_task_failed(spans):
        for one in cascades([spans], warmup_tasks=warmup_tasks, expected=expected):
            log.note(*Event(now_s, one.span_id, one.task, one.agent, CASCADE, str(one)))
    if _a_call_was_long(spans):
        for it in starving(spans):
            log.note(*Event(now_s, it.span_id, it.task, it.agent, STARVATION, str(it)))


def stood_out(events: Table) -> list[StoodOut]:
    """What stood out in a run, the gravest first.

    Args:
        events: Its events.
    """
    rows = list(_rows(events))
    return [
        StoodOut(kind, _LINES[kind].format(task=task, detail=detail))
        for kind in KINDS
        for name, task, detail in rows
        if name == kind
    ]


def _rows(events: Table) -> Iterator[tuple[str, int, str]]:
    if not any(kind in events.texts for kind in KINDS):
        return
    for name, task, detail in events.rows("name", "task", "detail"):
        if name in KINDS:
            yield name, task, detail


def _a_task_failed(spans: Table) -> bool:
    return any(kind == TASK and status != OK for kind, status in spans.rows("kind", "status"))


def _a_call_was_long(spans: Table) -> bool:
    """Whether any call took as long as one waits that starves; most runs have none, and are not looked through."""
    times = spans.rows("kind", "arrival_s", "end_s")
    return any(end_s - arrival_s > BOUND_S for kind, arrival_s, end_s in times if kind == CALL)

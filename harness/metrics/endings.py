"""Why attempts, tools and tasks did not end well: timeout, 429, 529, reset, a tool's failure; and at which agent a task failed."""

from __future__ import annotations

from typing import Final, NamedTuple

from harness.rate_limits import as_reason
from harness.spans import AGENT, ATTEMPT, CALL, CANCELLED, ERROR, OK, TASK, TOOL, WAIT, Table

TIMEOUT: Final = "timeout"
"""An attempt that its client gave up, and asked again or failed."""

LOST_HEDGE: Final = "lost to a hedge"
"""An attempt that was cancelled because another one of its call was answered first."""

_UNFINISHED: Final = "unfinished"
"""A task that the horizon, or somebody else, cut."""


class Place(NamedTuple):
    """Where and how a task failed."""

    agent: str
    """Whose call, tool or turn failed; empty if only the task itself did."""
    reason: str
    """Such as `529 overloaded_error`, `timeout` or `tool search: tool_error`."""


class _Row(NamedTuple):
    span_id: int
    parent_id: int
    task: int
    kind: str
    name: str
    agent: str
    ordinal: int
    arrival_s: float
    end_s: float
    status: str
    error: str
    http_status: int
    fault: str
    repeats: int
    limited_by: str


def attempt_endings(spans: Table) -> dict[int, str]:
    """By span_id of each attempt without a reply, the reason: a status and its error, a limit, a broken connection, or `timeout`.

    A cancelled attempt lost to a hedge if another of its call was answered at that moment; it is a timeout if its call
    failed, went on with another attempt, or was repeated.
    """
    rows = list(map(_Row._make, spans.rows(*_Row._fields)))
    last: dict[int, int] = {}
    repeated = {row.repeats for row in rows if row.repeats >= 0}
    answered = {
        (row.parent_id, row.end_s) for row in rows if row.kind == ATTEMPT and row.status == OK
    }
    failed = {row.span_id for row in rows if row.kind == CALL and row.status == ERROR}
    for row in rows:
        if row.kind == ATTEMPT:
            last[row.parent_id] = max(row.ordinal, last.get(row.parent_id, 0))
    found = {}
    for row in rows:
        if row.kind != ATTEMPT or row.status == OK:
            continue
        call = row.parent_id
        if row.error:
            found[row.span_id] = _named(row)
        elif (call, row.end_s) in answered:
            found[row.span_id] = LOST_HEDGE
        elif row.ordinal < last[call] or call in failed or call in repeated:
            found[row.span_id] = TIMEOUT
        else:
            found[row.span_id] = CANCELLED
    return found


def failed_tasks(spans: Table) -> dict[int, Place]:
    """Where each failed task of a run failed, by its number.

    It failed at the last call that ended with an error, or else at the last tool or turn that did; if it was cut, at
    what was still open; if only the task itself has an error, at the last agent that met a fault.
    """
    rows = [row for row in map(_Row._make, spans.rows(*_Row._fields)) if row.task > 0]
    tasks = {row.task: row for row in rows if row.kind == TASK and row.status != OK}
    inside: dict[int, list[_Row]] = {task: [] for task in tasks}
    for row in rows:
        if row.task in inside and row.kind != TASK:
            inside[row.task].append(row)
    endings = attempt_endings(spans) if tasks else {}
    return {task: _place(root, inside[task], endings) for task, root in tasks.items()}


def _place(root: _Row, rows: list[_Row], endings: dict[int, str]) -> Place:
    """Where one task failed."""
    if root.status == CANCELLED:
        cut = [row for row in rows if row.status == CANCELLED and row.end_s >= root.end_s]
        cut = [row for row in cut if row.agent]
        if not cut:
            return Place("", root.error or _UNFINISHED)
        deepest = max(cut, key=lambda row: (row.kind in (WAIT, ATTEMPT, TOOL), row.span_id))
        return Place(deepest.agent, f"{_UNFINISHED}, {_doing(deepest)}")
    for kind in (CALL, TOOL, AGENT):
        failed = [row for row in rows if row.kind == kind and row.status == ERROR]
        if failed:
            last = max(failed, key=lambda row: (row.end_s, row.span_id))
            return Place(last.agent, _reason(last, rows, endings))
    faulty = [row for row in rows if row.fault and row.kind == ATTEMPT]
    if faulty:
        last = max(faulty, key=lambda row: (row.end_s, row.span_id))
        return Place(last.agent, f"{root.error or root.status} after {last.fault}")
    return Place("", root.error or root.status)


def _reason(failed: _Row, rows: list[_Row], endings: dict[int, str]) -> str:
    """Why a call, a tool or a turn failed: of a call, what its last attempt met."""
    attempts = [row for row in rows if row.parent_id == failed.span_id and row.span_id in endings]
    if failed.kind == CALL and attempts and failed.error != TIMEOUT:
        return endings[max(attempts, key=lambda row: row.ordinal).span_id]
    return _named(failed)


def _named(row: _Row) -> str:
    if row.limited_by:
        return as_reason(row.limited_by)
    what = f"tool {row.name}: " if row.kind == TOOL else ""
    status = f"{row.http_status} " if row.http_status > 0 else ""
    return f"{what}{status}{row.error or row.status}"


def _doing(row: _Row) -> str:
    if row.kind == WAIT:
        return f"waiting ({row.name})"
    if row.kind == TOOL:
        return f"in tool {row.name}"
    return "waiting for a reply"

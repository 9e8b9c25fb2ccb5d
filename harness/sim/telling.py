"""A run in words: what happened when, and where the time and the money went."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from harness.spans import ATTEMPT, CALL, OK, TOOL, WAIT, Table
from harness.units import render

if TYPE_CHECKING:
    from harness.sim.program_run import ProgramRun

_TEXT_MAX = 60


def timeline(spans: Table, last: int | None = None) -> str:
    """What happened, a line each in the order of beginnings, with virtual times [s].

    Args:
        spans: The spans of a run.
        last: Only so many lines, the last.
    """
    rows = sorted(_rows(spans), key=lambda row: (row.arrival_s, row.span_id))
    shown = rows if last is None else rows[-last:]
    cut = [f"... {len(rows) - len(shown)} lines before"] if len(shown) < len(rows) else []
    return "\n".join([*cut, *map(_line, shown)])


def explain(run: ProgramRun) -> str:
    """Where the time and the money of a run went, what went wrong, and what to do about it."""
    return "\n".join([_whole(run), *_agents(run), *_path(run), *_troubles(run), *_advice(run)])


def _whole(run: ProgramRun) -> str:
    ended = "returned" if run.error is None else f"raised {type(run.error).__name__}"
    cost = "an unknown sum" if math.isnan(run.cost_usd) else render("cost_usd", run.cost_usd)
    return (
        f"The program {ended} after {render('latency_s', run.latency_s)} of virtual time (seed {run.seed}); "
        f"{_count(len(run.calls()), 'call')} cost {cost}."
    )


def _agents(run: ProgramRun) -> Iterator[str]:
    for agent in run.agents:
        calls = run.calls(agent)
        total_s = math.fsum(call.latency_s for call in calls if not math.isnan(call.end_s))
        attempts = sum(len(call.attempts) for call in calls)
        again = "" if attempts <= len(calls) else f" in {attempts} attempts"
        yield f"  {agent}: {_count(len(calls), 'call')}{again}, {render('latency_s', total_s)} together"


def _path(run: ProgramRun) -> Iterator[str]:
    """The chain of calls and tools that the end waited for, found backwards from what ended last."""
    rows = [
        row
        for row in _rows(run.spans_table)
        if row.kind in {CALL, TOOL} and not math.isnan(row.end_s)
    ]
    rows.sort(key=lambda row: (row.end_s, -row.arrival_s))
    chain: list[_Row] = []
    while rows:
        chain.append(rows.pop())
        while rows and rows[-1].end_s > chain[-1].arrival_s:
            rows.pop()
    if len(chain) > 1:
        names = " -> ".join(
            f"{row.name} ({render('latency_s', row.end_s - row.arrival_s)})"
            for row in reversed(chain)
        )
        yield f"The end waited for: {names}."


def _troubles(run: ProgramRun) -> Iterator[str]:
    seen = Counter(
        f"{row.agent}: {row.error}"
        for row in _rows(run.spans_table)
        if row.kind == ATTEMPT and row.error
    )
    for trouble, times in seen.items():
        yield f"Failed attempts of {trouble}, {_count(times, 'time')}."
    rejected = Counter(
        detail for name, detail in run.events_table.rows("name", "detail") if name == "rejected"
    )
    for request, times in rejected.items():
        yield f"The API rejected {_count(times, 'request')}: {request}."
    for host, times in run.unsimulated.items():
        yield f"The program tried {_count(times, 'time')} to reach {host}, which nobody simulates; nothing was sent."


def _advice(run: ProgramRun) -> Iterator[str]:
    for finding in run.findings:
        yield str(finding)


class _Row(NamedTuple):
    span_id: int
    kind: str
    name: str
    agent: str
    model: str
    ordinal: int
    arrival_s: float
    end_s: float
    status: str
    error: str
    fault: str


def _rows(spans: Table) -> Iterator[_Row]:
    for row in spans.rows(*_Row._fields):
        if row[1] in {CALL, ATTEMPT, TOOL, WAIT}:
            yield _Row(*row)


def _line(row: _Row) -> str:
    end = "still open" if row.end_s != row.end_s else f"{row.end_s:10.3f}"
    what = {
        CALL: f"call {row.ordinal} of {row.agent}",
        ATTEMPT: f"  attempt {row.ordinal} of {row.agent} at {row.model}",
        TOOL: f"tool {row.name} of {row.agent or 'the program'}",
        WAIT: f"  {row.name} of {row.agent}",
    }[row.kind]
    notes = [] if row.status == OK else [row.status]
    if row.error:
        notes.append(row.error)
    if row.fault:
        notes.append(f"fault {row.fault}")
    return f"{row.arrival_s:10.3f} -> {end}  {what:<{_TEXT_MAX}.{_TEXT_MAX}}  {', '.join(notes)}".rstrip()


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"

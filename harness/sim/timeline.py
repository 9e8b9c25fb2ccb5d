"""What happened in a run, a line each: calls with the beginnings of prompt and reply, attempts, tools, rejected requests."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.metrics.history import History
from harness.provider.service import REFUSAL_S
from harness.sim.call_view import CallView, excerpt
from harness.spans import CANCELLED, OK, TOOL, Span
from harness.units import render

if TYPE_CHECKING:
    from harness.sim.program_run import ProgramRun

_TEXT_MAX = 32
"""How much of a prompt or a reply is shown [characters]."""

@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline."""

    start_s: float
    end_s: float
    """NaN while it is open."""
    order: int
    """Of entries that begin at one instant."""
    text: str
    is_detail: bool = False
    """Whether it is a part of the entry before it."""


def entries(run: ProgramRun) -> list[Entry]:
    """What happened, in the order of beginnings."""
    asked_s = begins(run)
    found = [entry for call in run.all_calls for entry in _of_call(call, asked_s)]
    found += _tools(run)
    found += _rejected(run)
    return sorted(found, key=lambda entry: (entry.start_s, entry.order))


def told(happened: Sequence[Entry], last: int | None = None) -> list[str]:
    """The lines of a timeline, with virtual times [s].

    Args:
        happened: What happened.
        last: Only so many lines, the last, and a count of those before.
    """
    shown = happened if last is None else happened[-last:]
    cut = len(happened) - len(shown)
    times = [(f"{entry.start_s:.3f}", _end(entry)) for entry in shown]
    width = max((len(time) for pair in times for time in pair if pair), default=0)
    lines = [
        f"{start:>{width}} -> {end:>{width}}  {'  ' if entry.is_detail else ''}{entry.text}"
        for (start, end), entry in zip(times, shown, strict=True)
    ]
    return [f"... {cut} {'line' if cut == 1 else 'lines'} before", *lines] if cut else lines


def _end(entry: Entry) -> str:
    return "open" if math.isnan(entry.end_s) else f"{entry.end_s:.3f}"


def begins(run: ProgramRun) -> dict[int, float]:
    """When the client made each attempt, by its span_id [s]; a hung one arrives later in its span."""
    history = History(run.spans_table, run.events_table)
    return {attempt.span_id: attempt.asked_s for attempt in history.attempts()}


def trouble(call: CallView, attempt: Span, asked_s: Mapping[int, float]) -> str:
    """Why an attempt has no reply; empty if it has one.

    Args:
        call: The call.
        attempt: One of its attempts.
        asked_s: What `begins` gives.
    """
    if attempt.status == OK:
        return ""
    if attempt.error:
        status = f" ({attempt.http_status})" if attempt.http_status >= 0 else ""
        return f"{attempt.error}{status}"
    if attempt.status != CANCELLED:
        return "open"
    begin_s = asked_s.get(attempt.span_id, attempt.arrival_s)
    waited = render("latency_s", attempt.end_s - begin_s)
    if attempt.ordinal in call.timed_out:
        return f"no answer for {waited}, the client's timeout"
    return f"cancelled after {waited}"


def outcome(call: CallView, asked_s: Mapping[int, float]) -> str:
    """What came of a call: the beginning of its reply, or why there is none."""
    if call.reply is not None:
        wishes = [f"{wish.tool}(...)" for wish in call.reply.tool_calls]
        said = [excerpt(call.text, _TEXT_MAX)] if call.text or not wishes else []
        return " and ".join([*said, *wishes])
    kinds = Counter(trouble(call, attempt, asked_s) for attempt in call.attempts)
    return ", ".join(
        kind if times == 1 else f"{times} x {kind}" for kind, times in kinds.items() if kind
    )


def _of_call(call: CallView, asked_s: Mapping[int, float]) -> Iterator[Entry]:
    attempts = call.attempts
    came = outcome(call, asked_s) or "no reply"
    text = f"call {call.ordinal} of {call.agent}: {excerpt(call.prompt, _TEXT_MAX)} -> {came}"
    notes = [f"{len(attempts)} attempts"] if len(attempts) > 1 else []
    notes += dict.fromkeys(f"fault {attempt.fault}" for attempt in attempts if attempt.fault)
    yield Entry(call.start_s, call.end_s, call.span_id, _noted(text, notes))
    for attempt in attempts if len(attempts) > 1 else ():
        text = f"attempt {attempt.ordinal} of {call.agent} at {call.model}"
        why = trouble(call, attempt, asked_s)
        notes = [f"fault {attempt.fault}"] if attempt.fault else []
        yield Entry(
            asked_s.get(attempt.span_id, attempt.arrival_s),
            attempt.end_s,
            attempt.span_id,
            _noted(f"{text} -> {why}" if why else text, notes),
            is_detail=True,
        )


def _tools(run: ProgramRun) -> Iterator[Entry]:
    for span_id, kind, name, agent, start_s, end_s, status, error in run.spans_table.rows(
        "span_id", "kind", "name", "agent", "arrival_s", "end_s", "status", "error"
    ):
        if kind == TOOL:
            notes = [] if status == OK else [error or status]
            text = _noted(f"tool {name} of {agent or 'the program'}", notes)
            yield Entry(start_s, end_s, span_id, text)


def _rejected(run: ProgramRun) -> Iterator[Entry]:
    """The requests that no model heard, because they do not keep the rules of the API."""
    for at_s, span_id, name, detail in run.events_table.rows("at_s", "span_id", "name", "detail"):
        if name == "rejected":
            yield Entry(at_s, at_s + REFUSAL_S, span_id, f"request rejected by the API: {detail}")


def _noted(text: str, notes: Sequence[str]) -> str:
    return f"{text} [{', '.join(notes)}]" if notes else text

"""The timeline of a run, one line per entry: calls, attempts, tools, rejected requests."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from harness.metrics.history import History
from harness.provider.service import REFUSAL_S
from harness.rate_limits import in_words
from harness.sim.call_view import CallView, excerpt
from harness.sim.observed_run import ObservedRun
from harness.spans import CANCELLED, OK, TOOL, Span
from harness.units import render

_TEXT_MAX = 32
"""How much of a prompt or a reply is shown [characters]."""

_ALIKE_MIN = 6
"""From so many on, calls that failed in the same way, or that began together and were answered, are summed."""


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
    alike: str = ""
    """Equal for entries that can be summed if they follow one another; empty if this one cannot."""
    sum: str = ""
    """What is said of all of them, after their number."""


class Timeline:
    """What happened in a run, in words.

    Args:
        run: The run.
    """

    def __init__(self, run: ObservedRun) -> None:
        self._run = run
        # A hung attempt arrives in its span only when the silence is over.
        history = History(run.spans_table, run.events_table)
        self._asked_s = {attempt.span_id: attempt.asked_s for attempt in history.attempts()}

    def entries(self) -> list[Entry]:
        """What happened, in the order of beginnings."""
        found = [entry for call in self._run.all_calls for entry in self._of_call(call)]
        found += _tools(self._run)
        found += _rejected(self._run)
        return sorted(found, key=lambda entry: (entry.start_s, entry.order))

    def summed(self) -> list[Entry]:
        """The same without attempts; many calls that are alike and follow one another are one entry."""
        found: list[Entry] = []
        whole = [entry for entry in self.entries() if not entry.is_detail]
        for key, group in groupby(whole, key=lambda entry: entry.alike):
            alike = list(group)
            if key and len(alike) >= _ALIKE_MIN:
                last_s = max(entry.end_s for entry in alike)
                alike = [replace(alike[0], end_s=last_s, text=f"{len(alike)} {alike[0].sum}")]
            found += alike
        return found

    def outcome(self, call: CallView) -> str:
        """The result of a call: the beginning of its reply, or why there is none."""
        if call.reply is not None:
            wishes = [f"{wish.tool}(...)" for wish in call.reply.tool_calls]
            said = [excerpt(call.text, _TEXT_MAX)] if call.text or not wishes else []
            return " and ".join([*said, *wishes])
        kinds = Counter(filter(None, (self._trouble(call, each) for each in call.attempts)))
        if not kinds:
            return "no reply"
        if len(call.attempts) == 1:
            return next(iter(kinds))
        told = (
            f"{times} {'attempt' if times == 1 else 'attempts'}: {why}"
            for why, times in kinds.items()
        )
        return "; ".join(told)

    def ended(self, call: CallView) -> str:
        """The same, with the faults that were injected."""
        return _noted(self.outcome(call), _faults(call.attempts))

    def _trouble(self, call: CallView, attempt: Span) -> str:
        """Why an attempt has no reply; empty if it has one."""
        if attempt.status == OK:
            return ""
        if attempt.error:
            known = [str(attempt.http_status)] if attempt.http_status >= 0 else []
            known += [in_words(attempt.limited_by)] if attempt.limited_by else []
            return f"{attempt.error} ({', '.join(known)})" if known else attempt.error
        if attempt.status != CANCELLED:
            return "open"
        waited = render("latency_s", attempt.end_s - self._begin_s(attempt))
        if attempt.ordinal in call.timed_out:
            return f"no answer for {waited}, the client's timeout"
        if attempt is not call.attempts[-1]:
            return f"no answer for {waited}, given up by the client"
        if self._run.error is not None and attempt.end_s >= self._run.latency_s:
            return f"no reply yet, {waited} after it was sent, when the run failed"
        return f"cancelled after {waited}"

    def _begin_s(self, attempt: Span) -> float:
        return self._asked_s.get(attempt.span_id, attempt.arrival_s)

    def _of_call(self, call: CallView) -> Iterator[Entry]:
        attempts = call.attempts
        came, faults = self.outcome(call), _faults(attempts)
        tried_again = len(attempts) > 1 and call.reply is not None
        notes = [f"{len(attempts)} attempts", *faults] if tried_again else faults
        prompt = excerpt(call.prompt, _TEXT_MAX)
        text = _noted(f"call {call.ordinal} of {call.agent}: {prompt} -> {came}", notes)
        if call.reply is None:
            each = "each " if len(attempts) > 1 else ""
            alike = told = _noted(f"calls of {call.agent} -> {each}{came}", faults)
        else:
            alike = f"{call.agent} at {call.start_s}"
            told = f"calls of {call.agent}, such as {prompt} -> replied"
        yield Entry(call.start_s, call.end_s, call.span_id, text, alike=alike, sum=told)
        for attempt in attempts if len(attempts) > 1 else ():
            text = f"attempt {attempt.ordinal} of {call.agent} at {call.model}"
            why = self._trouble(call, attempt)
            text = _noted(f"{text} -> {why}" if why else text, _faults([attempt]))
            begin_s = self._begin_s(attempt)
            yield Entry(begin_s, attempt.end_s, attempt.span_id, text, is_detail=True)


def lines(entries: Sequence[Entry], last: int | None = None) -> list[str]:
    """The lines of a timeline, with virtual times [s].

    Args:
        entries: What happened.
        last: Only so many lines, the last, and a count of those before.
    """
    shown = entries if last is None else entries[-last:]
    cut = len(entries) - len(shown)
    times = [(f"{entry.start_s:.3f}", _end(entry)) for entry in shown]
    width = max((len(time) for pair in times for time in pair), default=0)
    told = [
        f"{start:>{width}} -> {end:>{width}}  {'  ' if entry.is_detail else ''}{entry.text}"
        for (start, end), entry in zip(times, shown, strict=True)
    ]
    return [f"... {cut} {'line' if cut == 1 else 'lines'} before", *told] if cut else told


def _end(entry: Entry) -> str:
    return "open" if math.isnan(entry.end_s) else f"{entry.end_s:.3f}"


def _tools(run: ObservedRun) -> Iterator[Entry]:
    for span_id, kind, name, agent, start_s, end_s, status, error in run.spans_table.rows(
        "span_id", "kind", "name", "agent", "arrival_s", "end_s", "status", "error"
    ):
        if kind == TOOL:
            notes = [] if status == OK else [error or status]
            text = _noted(f"tool {name} of {agent or 'the program'}", notes)
            yield Entry(start_s, end_s, span_id, text)


def _rejected(run: ObservedRun) -> Iterator[Entry]:
    """The requests that no model heard, because they do not keep the rules of the API."""
    for at_s, span_id, name, detail in run.events_table.rows("at_s", "span_id", "name", "detail"):
        if name == "rejected":
            text = f"request rejected by the API: {detail}"
            told = f"requests rejected by the API: {detail}"
            yield Entry(at_s, at_s + REFUSAL_S, span_id, text, alike=text, sum=told)


def _faults(attempts: Sequence[Span]) -> list[str]:
    return list(dict.fromkeys(f"injected fault: {each.fault}" for each in attempts if each.fault))


def _noted(text: str, notes: Sequence[str]) -> str:
    return f"{text} [{', '.join(notes)}]" if notes else text

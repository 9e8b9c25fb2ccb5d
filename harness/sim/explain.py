"""A run in words: where the time and the money went, what failed, and what to change."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from harness.errors import Deadlock
from harness.metrics.claims_told import claims_told, noted_in
from harness.metrics.stood_out import stood_out
from harness.rate_limits import in_words
from harness.sim.call_view import CallView
from harness.sim.observed_run import ObservedRun
from harness.spans import ATTEMPT, CALL, TOOL, Table
from harness.units import render

_TOO_MANY_REQUESTS = 429

_LINKS_MAX = 6
"""How many links of the chain that the end waited for are shown."""

_REFUSED_MIN = 3
"""From so many refusals on, they are summed."""


def explain(run: ObservedRun) -> str:
    """Where the time and the money of a run went, what went wrong, and what to do about it."""
    return "\n".join(
        [_whole(run), *_agents(run), *path(run), *_troubles(run), *_claims(run), *_advice(run)]
    )


def _whole(run: ObservedRun) -> str:
    ended = "returned" if run.error is None else f"raised {type(run.error).__name__}"
    cost = "an unknown sum" if math.isnan(run.cost_usd) else render("cost_usd", run.cost_usd)
    return (
        f"The program {ended} after {render('latency_s', run.latency_s)} of virtual time (seed {run.seed}); "
        f"{_count(len(run.calls()), 'call')} cost {cost}."
    )


def _agents(run: ObservedRun) -> Iterator[str]:
    for agent in run.agents:
        calls = run.calls(agent)
        total_s = math.fsum(call.latency_s for call in calls if not math.isnan(call.end_s))
        attempts = sum(len(call.attempts) for call in calls)
        again = "" if attempts <= len(calls) else f" in {attempts} attempts"
        yield f"  {agent}: {_count(len(calls), 'call')}{again}, {render('latency_s', total_s)} together"


def path(run: ObservedRun) -> Iterator[str]:
    """The chain of calls and tools that the end waited for, found backwards from what ended last.

    Of a deadlock it is no cause, but what took the time until then.
    """
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
    if chain:
        names = [
            f"{row.name} ({render('latency_s', row.end_s - row.arrival_s)})"
            for row in reversed(chain[:_LINKS_MAX])
        ]
        before = len(chain) - len(names)
        names[:0] = [f"... {before} before"] if before else []
        then = "; then nothing could go on" if isinstance(run.error, Deadlock) else ""
        yield f"The end waited for: {' -> '.join(names)}{then}."


def refused(run: ObservedRun) -> Iterator[str]:
    """Sum up, for each provider, the attempts that it refused for its rate limits, where they are many."""
    calls: dict[str, list[CallView]] = {}
    for call in run.all_calls:
        calls.setdefault(call.provider, []).append(call)
    for provider, asked in calls.items():
        attempts = [attempt for call in asked for attempt in call.attempts]
        number = sum(attempt.http_status == _TOO_MANY_REQUESTS for attempt in attempts)
        if number < _REFUSED_MIN:
            continue
        hit = Counter(attempt.limited_by for attempt in attempts if attempt.limited_by)
        text = f"{number} of {len(attempts)} attempts refused{_limits(run.limits.get(provider, ''), hit)}"
        last = [call.attempts[-1] for call in asked if call.reply is None and call.attempts]
        retries = [
            attempt.ordinal - 1 for attempt in last if attempt.http_status == _TOO_MANY_REQUESTS
        ]
        if retries:
            most = _count(max(retries), "retry", "retries")
            text += f"; the SDK gave up after {most}" if max(retries) else "; the SDK did not retry"
        yield text


def _limits(stated: str, hit: Counter[str]) -> str:
    """The limits that were hit, each with its size where that is known, in parentheses.

    Args:
        stated: All limits of the provider, in words.
        hit: How many attempts each limit refused.
    """
    sizes = stated.split(", ") if stated else []
    named = {
        limit: next((size for size in sizes if size.endswith(in_words(limit))), in_words(limit))
        for limit in hit
    }
    if not named:
        return f" (limit {stated})" if stated else ""
    if len(named) == 1:
        return f" (limit {named[next(iter(named))]})"
    ranked = sorted(hit, key=lambda limit: (-hit[limit], limit))
    return f" ({', '.join(f'{hit[limit]} by the limit of {named[limit]}' for limit in ranked)})"


def _troubles(run: ObservedRun) -> Iterator[str]:
    yield from (seen.line for seen in stood_out(run.events_table))
    for text in refused(run):
        yield f"{text}."
    seen = Counter(
        f"{row.agent}: {row.error}{f' ({in_words(row.limited_by)})' if row.limited_by else ''}"
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
        yield f"The program tried {_count(times, 'time')} to reach {host}, which is not simulated; nothing was sent."


def _claims(run: ObservedRun) -> Iterator[str]:
    for line in claims_told(noted_in(run.events_table), in_detail=True):
        yield f"{line[0].upper()}{line[1:]}."


def _advice(run: ObservedRun) -> Iterator[str]:
    for finding in run.findings:
        yield str(finding)


class _Row(NamedTuple):
    kind: str
    name: str
    agent: str
    arrival_s: float
    end_s: float
    error: str
    limited_by: str


def _rows(spans: Table) -> Iterator[_Row]:
    for row in spans.rows(*_Row._fields):
        if row[0] in {CALL, ATTEMPT, TOOL}:
            yield _Row(*row)


def _count(number: int, what: str, many: str = "") -> str:
    return f"{number} {what}" if number == 1 else f"{number} {many or f'{what}s'}"

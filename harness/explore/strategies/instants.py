"""Instants: a call ends in the very moment in which a timer fires, between the steps of whoever has waited for the one or the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.explore.deviation import Deviation, Deviations, Latency, ToolLatency
from harness.explore.rows import by_rows
from harness.explore.search import Search

_EACH = 3
"""How many timers are tried at each call and each use at most, the most telling first."""

_DIGITS = 9
"""Of a latency: an event loop does not tell apart what is nearer than a nanosecond."""


def instant(search: Search) -> Iterator[Deviations | None]:
    """Each call that may matter, and each use of a tool, with the timers that were running when it ended."""
    timeline = search.passing.timeline(search.irrelevant)
    columns: list[Sequence[Deviation]] = [
        [
            Latency(site.address, round(due_s - site.start_s, _DIGITS))
            for due_s in timeline.running(site.end_s)[:_EACH]
        ]
        for site in search.spread()
        if site.agent not in search.irrelevant
    ]
    columns += [
        [
            ToolLatency(use.key, round(due_s - use.start_s, _DIGITS))
            for due_s in timeline.running(use.end_s)[:_EACH]
        ]
        for use in search.uses()
    ]
    for one in by_rows(columns):
        yield (one,)

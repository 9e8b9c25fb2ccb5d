"""Slow providers: calls that end just before or just after their deadlines, and agents that are slow as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from harness.explore.deviation import Deviations, Latency, SlowAgent
from harness.explore.search import Search
from harness.explore.timeline import AFTER_S, BEFORE_S, LONG_S


def slow(search: Search) -> Iterator[Deviations | None]:
    """All calls just before, then just after their own deadline; then every call of an agent late."""
    timeline = search.passing.timeline(())
    for shift_s in (-BEFORE_S, AFTER_S):
        late = []
        for site in search.relevant():
            deadlines = timeline.deadlines(site)
            if deadlines:
                takes_s = round(deadlines[0] - site.start_s + shift_s, 4)
                if takes_s > 0.01:
                    late.append(Latency(site.address, takes_s))
        if late:
            yield tuple(late)
    for agent in search.agents:
        if agent not in search.irrelevant:
            yield (SlowAgent(agent, LONG_S[0]),)

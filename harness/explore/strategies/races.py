"""Races: one call, or one use of a tool, ends in another gap between the things that a run did."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from harness.explore.deviation import Deviation, Deviations, Latency, ToolLatency
from harness.explore.rows import by_rows
from harness.explore.search import Search
from harness.explore.timeline import Timeline


def race(search: Search) -> Iterator[Deviations | None]:
    """Each call that may matter and each use, at the most telling latencies first."""
    agents = [agent for agent in search.agents if agent not in search.irrelevant]
    timeline = search.passing.timeline(search.irrelevant)
    uses: list[Sequence[Deviation]] = [
        [ToolLatency(use.key, takes_s) for takes_s in timeline.of_use(use)] for use in search.uses()
    ]
    # In turn, so that many calls do not keep the uses waiting.
    columns = list(by_rows([_of_calls(search, timeline, agents), uses]))
    yield from _singly(by_rows(columns))


def aside(search: Search) -> Iterator[Deviations | None]:
    """Each call that seemed unrelated: it was late by one time alone, and another can be the one that matters."""
    timeline = search.passing.timeline(())
    yield from _singly(by_rows(_of_calls(search, timeline, search.irrelevant)))


def _of_calls(
    search: Search, timeline: Timeline, agents: Collection[str]
) -> list[Sequence[Deviation]]:
    return [
        [Latency(site.address, takes_s) for takes_s in timeline.of_site(site)]
        for site in search.spread()
        if site.agent in agents
    ]


def _singly(deviations: Iterator[Deviation]) -> Iterator[Deviations]:
    for one in deviations:
        yield (one,)

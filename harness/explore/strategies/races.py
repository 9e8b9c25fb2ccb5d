"""Races: one call ends in another gap between the things that a run did."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from harness.explore.deviation import Deviations, Latency
from harness.explore.search import Search


def race(search: Search) -> Iterator[Deviations | None]:
    """Each call that may matter, at the most telling latencies first."""
    yield from _races(
        search, search.irrelevant, [a for a in search.agents if a not in search.irrelevant]
    )


def aside(search: Search) -> Iterator[Deviations | None]:
    """Each call that seemed unrelated: it was late by one time alone, and another can be the one that matters."""
    yield from _races(search, (), search.irrelevant)


def _races(
    search: Search, irrelevant: Collection[str], agents: Collection[str]
) -> Iterator[Deviations]:
    timeline = search.passing.timeline(irrelevant)
    columns = [(site, timeline.of_site(site)) for site in search.spread() if site.agent in agents]
    for row in range(max((len(latencies) for _, latencies in columns), default=0)):
        for site, latencies in columns:
            if row < len(latencies):
                yield (Latency(site.address, latencies[row]),)

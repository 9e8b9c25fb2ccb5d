"""Races: one call ends in another gap between the things that a run did."""

from __future__ import annotations

from collections.abc import Iterator

from harness.explore.deviation import Deviations, Latency
from harness.explore.search import Search


def race(search: Search) -> Iterator[Deviations | None]:
    """Each call that may matter, at the most telling latencies first."""
    timeline = search.passing.timeline(search.irrelevant)
    sites = [site for site in search.spread() if site.agent not in search.irrelevant]
    columns = [(site, timeline.of_site(site)) for site in sites]
    for row in range(max((len(latencies) for _, latencies in columns), default=0)):
        for site, latencies in columns:
            if row < len(latencies):
                yield (Latency(site.address, latencies[row]),)

"""Pairs of deviations that each changed the story, at different calls."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from harness.explore.deviation import Deviation, Deviations
from harness.explore.search import Search, agent_of


def pairs(search: Search) -> Iterator[Deviations | None]:
    """Of different kinds and different agents first."""
    done: set[Deviations] = set()
    sites = search.passing.seen.sites
    while True:
        singles = [single[0] for single in search.changing()]
        fresh = [
            pair
            for pair in combinations(singles, 2)
            if pair not in done and _call(pair[0]) != _call(pair[1])
        ]
        if not fresh:
            yield None
            continue
        fresh.sort(
            key=lambda pair: (
                pair[0].kind == pair[1].kind,
                agent_of(pair[0], sites) == agent_of(pair[1], sites),
            )
        )
        done.add(fresh[0])
        yield fresh[0]


def _call(deviation: Deviation) -> str:
    return getattr(deviation, "call", "")

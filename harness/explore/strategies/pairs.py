"""Pairs of deviations that each changed the story, at different calls."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from harness.explore.deviation import Deviation, Deviations
from harness.explore.search import Search, agent_of


def pairs(search: Search) -> Iterator[Deviations | None]:
    """Those that changed what the program did first, then those that changed the order; of different kinds and agents first."""
    done: set[Deviations] = set()
    sites = search.passing.seen.sites
    while True:
        rank = {single[0]: 0 for single in search.changing()}
        rank |= {single[0]: 1 for single in search.reordering()}
        fresh = [
            pair
            for pair in combinations(rank, 2)
            if pair not in done and _where(pair[0]) != _where(pair[1])
        ]
        if not fresh:
            yield None
            continue
        best = min(
            fresh,
            key=lambda pair: (
                rank[pair[0]] + rank[pair[1]],
                pair[0].kind == pair[1].kind,
                agent_of(pair[0], sites) == agent_of(pair[1], sites),
            ),
        )
        done.add(best)
        yield best


def _where(deviation: Deviation) -> str:
    """The call or the use that a deviation is about."""
    return str(getattr(deviation, "call", getattr(deviation, "use", "")))

"""Pairs of deviations that each changed the story, at different calls."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterator, Mapping
from itertools import combinations

from harness.explore.deviation import Deviation, Deviations
from harness.explore.pair_classes import PairClasses
from harness.explore.search import Search
from harness.explore.trial import agent_of


def pairs(search: Search) -> Iterator[Deviations | None]:
    """Those that changed what the program did first, then those that changed the order; of different kinds and agents first.

    Of each class of pairs one is tried.
    """
    done: set[Deviations] = set()
    tried: set[Hashable] = set()
    classes = PairClasses(search)
    waiting: list[Deviations] = []
    known = 0
    while True:
        rank = {single[0]: 0 for single in search.changing()}
        rank |= {single[0]: 1 for single in search.reordering()}
        if len(rank) != known:
            known = len(rank)
            waiting = _in_order(rank, done, search)
            classes = PairClasses(search)
        if not waiting:
            yield None
            continue
        best = waiting.pop()
        done.add(best)
        of = classes.of(best)
        if of is not None and of not in tried:
            tried.add(of)
            yield best


def _in_order(
    rank: Mapping[Deviation, int], done: Container[Deviations], search: Search
) -> list[Deviations]:
    """The pairs that were not tried, the best last."""
    sites = search.passing.seen.sites
    agent = {one: agent_of(one, sites) for one in rank}
    fresh: list[Deviations] = [
        pair
        for pair in combinations(rank, 2)
        if pair not in done and _where(pair[0]) != _where(pair[1])
    ]
    fresh.sort(
        key=lambda pair: (
            rank[pair[0]] + rank[pair[1]],
            pair[0].kind == pair[1].kind,
            agent[pair[0]] == agent[pair[1]],
        )
    )
    return fresh[::-1]


def _where(deviation: Deviation) -> str:
    """The call, the use or the task that a deviation is about."""
    of = (
        getattr(deviation, "call", None)
        or getattr(deviation, "use", None)
        or getattr(deviation, "at", None)
    )
    return str(of or getattr(deviation, "task", ""))

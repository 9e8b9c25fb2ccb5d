"""Ties: what falls on one instant happens the other way round."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from harness.explore.deviation import Deviations, Jitter, Late, ThreadJitter
from harness.explore.search import Search

_JITTERS = 40
"""More than so many orders are never tried."""

_JITTERS_PER_TIE = 4


def ties(search: Search) -> Iterator[Deviations | None]:
    """All timers by chance 0 or 1 ns later, then single ones, where there is something to tie."""
    seen = search.passing.seen
    tied = search.passing.timeline(()).ties()
    threads = seen.orders > 0
    if not tied and not threads:
        return
    for number in (1, 2):
        if tied:
            yield (Jitter(number),)
        if threads:
            yield (ThreadJitter(number),)
    for timers in tied:
        for one, other in combinations(timers, 2):
            if one.task != other.task:
                yield (Late(one.task, one.kind, one.number),)
        if len(timers) == 1:
            yield (Late(timers[0].task, timers[0].kind, timers[0].number),)
    last = min(_JITTERS, 4 + _JITTERS_PER_TIE * (len(tied) + seen.orders))
    for number in range(3, last):
        if threads:
            yield (ThreadJitter(number),)
        if tied:
            yield (Jitter(number),)

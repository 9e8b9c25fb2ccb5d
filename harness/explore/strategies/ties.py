"""Ties: what falls on one instant happens the other way round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from harness.chance.choices import TimerRecord
from harness.explore.apply import NANOSECOND_S
from harness.explore.deviation import (
    REVERSED,
    Deviation,
    Deviations,
    Jitter,
    Late,
    Priorities,
    ThreadFirst,
    ThreadJitter,
)
from harness.explore.search import Search

_JITTERS = 40
"""More than so many orders are never tried."""

_THREADS_MAX = 8
"""So many threads go first and last, one after the other."""

_JITTERS_PER_TIE = 4

_FIRST_JITTERS = 2
"""The reverse order, and one by chance."""


def ties(search: Search) -> Iterator[Deviations | None]:
    """All timers by chance 0 or 1 ns later, then single ones, where there is something to tie."""
    seen = search.passing.seen
    tied = search.passing.timeline(()).ties()
    threads = seen.orders > 0
    if not tied and not threads:
        return
    if tied:
        yield tuple(_reversed(tied))
    if threads:
        yield (ThreadJitter(REVERSED),)
        for last in (True, False):
            for thread in seen.threads[:_THREADS_MAX]:
                yield (ThreadFirst(thread, last),)
    if tied:
        yield (Jitter(1),)
    if threads:
        yield (ThreadJitter(1),)
    for timers in tied:
        for one, other in pairwise(timers):
            if one.task != other.task:
                yield (Late(one.task, one.kind, one.number),)
        if len(timers) == 1:
            yield (Late(timers[0].task, timers[0].kind, timers[0].number),)
    jitters = min(_JITTERS, _FIRST_JITTERS + _JITTERS_PER_TIE * (len(tied) + seen.orders))
    for number in range(_FIRST_JITTERS, jitters):
        if threads:
            yield (ThreadJitter(number),)
            yield (Priorities(number, 2 + number % 2, seen.orders),)
        if tied:
            yield (Jitter(number),)


def _reversed(tied: Sequence[Sequence[TimerRecord]]) -> Iterator[Deviation]:
    """All that falls on one instant in the reverse order, at every such instant; what is alone there comes after the call that ends."""
    for timers in tied:
        behind = max(len(timers) - 1, 1)
        for place, timer in enumerate(timers):
            if place < behind:
                yield Late(timer.task, timer.kind, timer.number, NANOSECOND_S * (behind - place))

"""Ties: timers that fall on one instant happen the other way round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from harness.chance.choices import TimerRecord
from harness.explore.apply import NANOSECOND_S
from harness.explore.deviation import Deviation, Deviations, Jitter, Late
from harness.explore.search import Search

_JITTERS = 40
"""More than so many orders by chance are never tried."""

_JITTERS_PER_TIE = 4


def ties(search: Search) -> Iterator[Deviations | None]:
    """All timers in the reverse order, by chance 0 or 1 ns later, then single ones, where there is something to tie."""
    tied = search.passing.timeline(()).ties()
    if not tied:
        return
    yield tuple(_reversed(tied))
    yield (Jitter(1),)
    for timers in tied:
        for one, other in pairwise(timers):
            if one.task != other.task:
                yield (Late(one.task, one.kind, one.number),)
        if len(timers) == 1:
            yield (Late(timers[0].task, timers[0].kind, timers[0].number),)
    for number in range(2, min(_JITTERS, 2 + _JITTERS_PER_TIE * len(tied))):
        yield (Jitter(number),)


def _reversed(tied: Sequence[Sequence[TimerRecord]]) -> Iterator[Deviation]:
    """All that falls on one instant in the reverse order, at every such instant; what is alone there comes after the call that ends."""
    for timers in tied:
        behind = max(len(timers) - 1, 1)
        for place, timer in enumerate(timers):
            if place < behind:
                yield Late(timer.task, timer.kind, timer.number, NANOSECOND_S * (behind - place))

"""Threads: those that are ready at one instant go on in another order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.explore.deviation import REVERSED, Deviations, Priorities, ThreadFirst, ThreadJitter
from harness.explore.search import Search

_ORDERS = 40
"""More than so many orders by chance are never tried."""

_ORDERS_PER_CHOICE = 4

_THREADS_MAX = 16
"""So many threads go first and last, in groups and one by one."""


def threads(search: Search) -> Iterator[Deviations | None]:
    """All in the reverse order, some of them last, one by one first and last, then by chance; where there is an order."""
    seen = search.passing.seen
    if not seen.orders:
        return
    yield (ThreadJitter(REVERSED),)
    some = seen.threads[:_THREADS_MAX]
    for group in _parting(some):
        yield tuple(ThreadFirst(thread, last=True) for thread in group)
    yield (ThreadJitter(1),)
    for last in (True, False):
        for thread in some:
            yield (ThreadFirst(thread, last),)
    for number in range(2, min(_ORDERS, 2 + _ORDERS_PER_CHOICE * seen.orders)):
        yield (ThreadJitter(number),)
        yield (Priorities(number, 2 + number % 2, seen.orders),)


def _parting(threads: Sequence[str]) -> Iterator[Sequence[str]]:
    """Groups of threads, so few that of each two threads a group has the first without the second."""
    for bit in range((len(threads) - 1).bit_length()):
        for value in (1, 0):
            yield [thread for place, thread in enumerate(threads) if place >> bit & 1 == value]

"""Single faults at every call of the passing run."""

from __future__ import annotations

from collections.abc import Iterator

from harness.explore.deviation import Deviations, Fault
from harness.explore.search import Search
from harness.explore.strategies.faults import FAILS, classes


def fail(search: Search) -> Iterator[Deviations | None]:
    """Each call fails, all its attempts."""
    if search.allows(FAILS):
        for site in search.spread():
            yield (Fault(site.address, FAILS),)


def transient(search: Search) -> Iterator[Deviations | None]:
    """The first attempt of each call fails; whoever tries again gets its answer, later."""
    if search.allows(FAILS):
        for site in search.spread():
            yield (Fault(site.address, FAILS, attempt=1),)


def other(search: Search) -> Iterator[Deviations | None]:
    """Each call meets a fault of every other class: first one class at all calls, then the next."""
    columns = [(site, list(classes(search, site))) for site in search.spread()]
    for row in range(max((len(faults) for _, faults in columns), default=0)):
        for site, faults in columns:
            if row < len(faults):
                yield (Fault(site.address, *faults[row]),)

"""Second deviations on the calls that appear only under a first one, such as retries and fallbacks."""

from __future__ import annotations

from collections.abc import Iterator

from harness.explore.deviation import Deviations, Fault, Latency
from harness.explore.search import Search, Trial
from harness.explore.strategies.faults import FAILS, classes

_EACH = 8
"""How many second deviations follow a first one at most."""


def follow(search: Search) -> Iterator[Deviations | None]:
    """Of each new story the first second deviation, then the others in turn."""
    waiting: list[Iterator[Deviations]] = []
    while True:
        while search.followups:
            seconds = _seconds(search, search.followups.popleft())
            first = next(seconds, None)
            if first is not None:
                yield first
                waiting.append(seconds)
        if not waiting:
            yield None
            continue
        seconds = waiting.pop(0)
        proposed = next(seconds, None)
        if proposed is not None:
            yield proposed
            waiting.append(seconds)


def _seconds(search: Search, trial: Trial) -> Iterator[Deviations]:
    timeline = trial.timeline(search.irrelevant)
    made = 0
    for rank in range(4):
        for site in trial.fresh[:4]:
            if made >= _EACH:
                return
            if rank == 0 and search.allows(FAILS):
                yield (*trial.deviations, Fault(site.address, FAILS))
                made += 1
            elif rank == 3:
                for name, fields in list(classes(search, site))[:1]:
                    yield (*trial.deviations, Fault(site.address, name, fields))
                    made += 1
            elif rank:
                for takes_s in timeline.of_site(site)[rank - 1 : rank]:
                    yield (*trial.deviations, Latency(site.address, takes_s))
                    made += 1

"""Many deviations at once; shrinking takes away what is not needed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import count

from harness.chance.draws import Draws
from harness.explore.deviation import (
    Deviation,
    Deviations,
    Down,
    Fault,
    Fields,
    Jitter,
    Latency,
    ThreadJitter,
    ToolLatency,
)
from harness.explore.search import Search
from harness.explore.strategies.cancel import cancellations
from harness.explore.strategies.faults import FAILS, classes, failures_of

_SHARES = (0.15, 0.35, 0.7)
"""The share of calls that deviate in a run."""

_LATE = 0.72
"""Of the calls that deviate, the share that is late or early; the others fail."""

_NEAR = 3.0
"""The mean place of a latency that is drawn, from the most telling on."""

_DOWN = 0.3
"""The chance that an agent that seems unrelated is down."""

_CANCELLED = 0.25
"""The chance that a named task is cancelled."""

_JITTER_FROM = 1000
_TOOL_SHARE = 0.5


def dense(search: Search) -> Iterator[Deviations | None]:
    """Each call that may matter by chance late, early or failed; timers and threads by chance in another order."""
    for number in count(1):
        yield tuple(_drawn(search, number))


def _drawn(search: Search, number: int) -> Iterator[Deviation]:
    draws = Draws(search.seed)

    def draw(*key: object) -> float:
        return draws.uniform("dense", number, *key)

    seen = search.passing.seen
    share = _SHARES[int(draw("share") * len(_SHARES))]
    if search.passing.timeline(()).ties():
        yield Jitter(_JITTER_FROM + number)
    if seen.orders:
        yield ThreadJitter(_JITTER_FROM + number)
    for agent in search.irrelevant:
        if draw("down", agent) < _DOWN and search.allows(FAILS):
            yield Down(agent)
    timeline = search.passing.timeline(search.irrelevant)
    for site in search.relevant():
        key = site.address
        if draw("deviates", key) >= share:
            continue
        faults: list[tuple[str, Fields]] = list(classes(search, site))
        if search.allows(FAILS):
            faults = [(FAILS, ()), (FAILS, ()), *faults]
        if not faults or draw("late", key) < _LATE:
            latencies = timeline.of_site(site)
            if latencies:
                yield Latency(key, _near(latencies, draw("latency", key)))
        else:
            yield Fault(key, *faults[int(draw("fault", key) * len(faults))])
    cancelled = cancellations(search, search.passing, whole=False)
    if cancelled and draw("cancelled") < _CANCELLED:
        yield cancelled[int(draw("cancellation") * len(cancelled))]
    for use in seen.uses:
        if draw("deviates", use.key) < share * _TOOL_SHARE:
            latencies, failures = timeline.of_use(use), list(failures_of(search, use))
            if latencies and (not failures or draw("late", use.key) < _LATE):
                yield ToolLatency(use.key, _near(latencies, draw("latency", use.key)))
            elif failures:
                yield failures[-1 if draw("effect", use.key) < 0.5 else 0]


def _near(latencies: list[float], drawn: float) -> float:
    """One of the first more often than one of the last."""
    place = int(-math.log(drawn) * _NEAR)
    return latencies[min(place, len(latencies) - 1)]

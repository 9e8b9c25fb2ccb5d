"""Races of a late call with what the program does because it is late: those moments are in no timeline but its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from harness.explore.deviation import Deviations, Latency, ToolLatency
from harness.explore.latencies import as_before, with_time
from harness.explore.search import Search
from harness.explore.strategies.in_turn import in_turn
from harness.explore.trial import Trial

_EACH = 6
"""How many other latencies of a late call are tried at most."""


def again(search: Search) -> Iterator[Deviations | None]:
    """Of each latency that led to a new story, then of each that led to a new order, in turn: the same call ends in a new gap."""
    return in_turn(
        lambda: (*search.narrow.values(), *search.orders.values()),
        lambda trial: islice(_other_times(search, trial), _EACH),
    )


def _other_times(search: Search, trial: Trial) -> Iterator[Deviations]:
    """The latencies that it could have in the timeline of its late run, and not in that of the passing run.

    First those that let it end between its end in the passing run and what happened last before its late end.
    """
    late = next(iter(trial.deviations), None)
    if not isinstance(late, Latency | ToolLatency):
        return
    (_, known), (gap_s, new) = (_times(late, of, search) for of in (search.passing, trial))
    passes_s = as_before(late, search.passing.seen)
    new = [takes_s for takes_s in new if takes_s not in known]
    for takes_s in sorted(new, key=lambda takes_s: not passes_s < takes_s < gap_s):
        yield (with_time(late, takes_s),)


def _times(
    late: Latency | ToolLatency, trial: Trial, search: Search
) -> tuple[float, Sequence[float]]:
    """When in its time something last happened, and how long it could take [s]; of the call or use that is late."""
    timeline = trial.timeline(search.irrelevant)
    for site in trial.seen.sites:
        if isinstance(late, Latency) and site.address == late.call:
            return timeline.last_before(site.end_s) - site.start_s, timeline.of_site(site)
    for use in trial.seen.uses:
        if isinstance(late, ToolLatency) and use.key == late.use:
            return timeline.last_before(use.end_s) - use.start_s, timeline.of_use(use)
    return 0.0, ()

"""Races in the runs that a first deviation leads to, whose calls are at other times than those of the passing run."""

from __future__ import annotations

from collections.abc import Iterator

from harness.explore.deviation import Deviations, Latency, ToolLatency
from harness.explore.search import Search
from harness.explore.strategies.in_turn import in_turn
from harness.explore.trial import Trial

_EACH = 2
"""How many latencies are tried at each call of such a run."""


def rebase(search: Search) -> Iterator[Deviations | None]:
    """Of each new story that a single deviation led to, in turn: the next call that may matter, at its most telling latencies."""
    return in_turn(search.bases.values, lambda trial: _races(search, trial))


def _races(search: Search, trial: Trial) -> Iterator[Deviations]:
    timeline = trial.timeline(search.irrelevant)
    own = {getattr(one, "call", "") or getattr(one, "use", "") for one in trial.deviations}
    sites = [
        site
        for site in trial.seen.sites
        if site.agent not in search.irrelevant and site.address not in own
    ]
    uses = [use for use in trial.seen.uses if use.key not in own]
    for rank in range(_EACH):
        for site in sites:
            for takes_s in timeline.of_site(site)[rank : rank + 1]:
                yield (*trial.deviations, Latency(site.address, takes_s))
        for use in uses:
            for takes_s in timeline.of_use(use)[rank : rank + 1]:
                yield (*trial.deviations, ToolLatency(use.key, takes_s))

"""Everything that is left at the calls of the runs that a first deviation led to, for a budget that nothing else needs."""

from __future__ import annotations

from collections.abc import Iterator

from harness.explore.deviation import (
    Cancel,
    Deviation,
    Deviations,
    Fault,
    Latency,
    ToolLatency,
)
from harness.explore.rows import by_rows
from harness.explore.search import Search
from harness.explore.strategies.cancel import cancellations
from harness.explore.strategies.faults import FAILS, classes, failures_of
from harness.explore.strategies.in_turn import in_turn
from harness.explore.trial import Trial


def deep(search: Search) -> Iterator[Deviations | None]:
    """Of each new story in turn: every latency, every fault and every cancellation in its timeline."""
    # Only narrow ones: with a wide one it would be three or more.
    return in_turn(search.narrow.values, lambda trial: _all_of(search, trial))


def _all_of(search: Search, trial: Trial) -> Iterator[Deviations]:
    timeline = trial.timeline(search.irrelevant)
    own = {getattr(one, "call", "") or getattr(one, "use", "") for one in trial.deviations}
    known = search.addresses
    sites = [site for site in trial.seen.sites if site.address not in own]
    sites = [site for site in sites if site.agent not in search.irrelevant]
    sites.sort(key=lambda site: site.address in known)  # the new ones first
    columns: list[list[Deviation]] = [
        [
            *(Latency(site.address, takes_s) for takes_s in timeline.of_site(site)),
            *(
                Fault(site.address, name, fields)
                for name, fields in [(FAILS, ()), *classes(search, site)]
                if search.allows(name)
            ),
        ]
        for site in sites
    ]
    columns += [
        [
            *failures_of(search, use),
            *(ToolLatency(use.key, takes_s) for takes_s in timeline.of_use(use)),
        ]
        for use in sorted(trial.seen.uses, key=lambda use: use.key in search.used)
        if use.key not in own
    ]
    cancelled = [] if isinstance(trial.deviations[0], Cancel) else cancellations(search, trial)
    columns.append(list(cancelled))
    for second in by_rows(columns):
        yield (*trial.deviations, second)

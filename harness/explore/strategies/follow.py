"""Second deviations on what happens only under a first one, such as retries, fallbacks and compensation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from harness.explore.deviation import Cancel, Deviation, Deviations, Fault, Latency, ToolLatency
from harness.explore.observation import Site, Use
from harness.explore.rows import by_rows
from harness.explore.search import Search
from harness.explore.strategies.faults import FAILS, classes, failures_of
from harness.explore.timeline import Timeline
from harness.explore.trial import Trial

_EACH = 8
"""How many faults follow a first deviation at most."""

_PLACES = 4
"""At so many new calls, and as many new uses of tools."""


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
    columns = [_at_call(search, timeline, site) for site in trial.fresh[:_PLACES]]
    columns += [_at_use(search, timeline, use) for use in trial.fresh_uses[:_PLACES]]
    faults = 0
    there = [one for one in by_rows(columns) if one is not None]
    for second in (*_cancelled(trial, timeline), *there):
        faults += not isinstance(second, Latency | ToolLatency | Cancel)
        if faults > _EACH:
            return
        yield (*trial.deviations, second)


def _at_call(search: Search, timeline: Timeline, site: Site) -> list[Deviation | None]:
    """It fails, is late, is later still, and meets another fault; None for what there is not."""
    late = [Latency(site.address, takes_s) for takes_s in timeline.of_site(site)[:2]]
    other = next(classes(search, site), None)
    return [
        Fault(site.address, FAILS) if search.allows(FAILS) else None,
        *late,
        *[None] * (2 - len(late)),
        None if other is None else Fault(site.address, *other),
    ]


def _at_use(search: Search, timeline: Timeline, use: Use) -> list[Deviation | None]:
    late = [ToolLatency(use.key, takes_s) for takes_s in timeline.of_use(use)[:1]]
    return [*failures_of(search, use), *late]


def _cancelled(trial: Trial, timeline: Timeline) -> Iterator[Cancel]:
    """The named task that the first deviation meets is cancelled while it deals with that."""
    met = [
        (site.path, site.end_s)
        for site in trial.seen.sites
        if site.met and site.address not in {fresh.address for fresh in trial.fresh}
    ]
    keys = {getattr(one, "use", "") for one in trial.deviations}
    met += [(use.path, use.end_s) for use in trial.seen.uses if use.key in keys]
    for path, end_s in met[:1]:
        named = [
            task
            for task in trial.seen.tasks
            if task.is_named and f"{path}/".startswith(f"{task.path}/")
        ]
        for task in named[-1:]:
            ends_s = trial.seen.latency_s if task.ended_s is None else task.ended_s
            for at_s in islice(timeline.stretches(end_s, ends_s), 1):
                yield Cancel(task.path, at_s)

"""How far a search looked: which single deviations and pairs it tried, out of how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

from harness.explore.branches import IS_KNOWN, in_words
from harness.explore.deviation import Cancel, Fault, Jitter, Late, Latency, ThreadGoes, ThreadJitter
from harness.explore.pair_classes import PairClasses
from harness.explore.search import Search
from harness.explore.strategies.faults import FAILS, classes, impossible


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a search tried."""

    call_sites: int
    """Calls of the passing run."""
    faults_tried: int
    """Single faults that were tried."""
    faults_in_all: int
    """Single faults that there are at those calls."""
    pairs: int
    """Pairs of deviations that were tried."""
    pair_classes_tried: int
    """Classes of pairs of faults of which a pair was tried."""
    pair_classes: int
    """Classes of pairs of faults at different calls."""
    pairs_in_all: int
    """Pairs of faults at different calls, without any reduction."""
    latencies: int
    """Single changes of a latency that were tried."""
    orders: int
    """Orders of what falls on one instant, and of threads, that were tried."""
    cancellations: int
    stories: int
    """Different stories that were seen."""
    irrelevant: tuple[str, ...] = ()
    """Agents whose failure changed nothing else; their calls were tried last."""
    never_met: tuple[str, ...] = ()
    """Faults of which no call was tried."""
    impossible: Mapping[str, str] = field(default_factory=dict)
    """Faults that no call could meet, each with why."""
    branches: tuple[str, ...] | None = None
    """Except-branches of functions that ran, to which no run came, as `file:line`; None if this Python does not tell."""
    inconclusive: Mapping[str, int] = field(default_factory=dict)
    """Runs that say nothing, by the reason."""
    notes: tuple[str, ...] = ()
    """What there is to say about the search itself, such as that the check accepts everything."""
    cut_at: str = ""
    """What ended the search: `runs`, `time`, or nothing left to try."""

    def __str__(self) -> str:
        told = [
            f"{self.faults_tried} of {self.faults_in_all} single faults at {_count(self.call_sites, 'call site')}",
            f"{self.pair_classes_tried} of {self.pair_classes} classes of pairs of faults ({self.pairs_in_all} without reduction)",
            f"{_count(self.pairs, 'pair')} of all kinds",
            _count(self.latencies, "latency race"),
            _count(self.orders, "order"),
            _count(self.cancellations, "cancellation"),
            f"{self.stories} different stories",
        ]
        if self.irrelevant:
            told.append(
                f"tried last, since their failure changes nothing else: {', '.join(self.irrelevant)}"
            )
        if self.never_met:
            told.append(f"faults that no run tried: {', '.join(self.never_met)}")
        told += [f"not possible, since {why}: {names}" for why, names in self._by_reason()]
        if self.branches is None:
            told.append("which except-branches ran is known on Python 3.12 and later")
        elif self.branches:
            told.append(f"except-branches never run: {in_words(self.branches)}")
        for reason, times in self.inconclusive.items():
            told.append(f"{_count(times, 'run')} said nothing: {reason}")
        told += self.notes
        if self.cut_at:
            told.append(f"ended by: {self.cut_at}")
        return "; ".join(told)

    def _by_reason(self) -> list[tuple[str, str]]:
        reasons = dict.fromkeys(self.impossible.values())
        return [
            (why, ", ".join(name for name, other in self.impossible.items() if other == why))
            for why in reasons
        ]


def coverage_of(search: Search, cut_at: str) -> Coverage:
    """How far a search has looked."""
    sites = search.passing.seen.sites
    in_all = [
        Fault(site.address, *fault)
        for site in sites
        for fault in [(FAILS, ()), *classes(search, site)]
        if search.allows(fault[0])
    ]
    singles = {
        trial.deviations[0] for trial in search.trials.values() if len(trial.deviations) == 1
    }
    kinds = Counter(type(one) for one in singles)
    met = {
        one.name
        for trial in search.trials.values()
        for one in trial.seen.applied
        if isinstance(one, Fault)
    }
    classes_of = PairClasses(search)
    tried = {
        classes_of.of(trial.deviations)
        for trial in search.trials.values()
        if len(trial.deviations) == 2
    }
    pair_classes = set(classes_of.among(in_all))
    wanted = dict.fromkeys(one.name for one in in_all)
    return Coverage(
        call_sites=len(sites),
        faults_tried=sum(fault in singles for fault in in_all),
        faults_in_all=len(in_all),
        pairs=sum(len(trial.deviations) == 2 for trial in search.trials.values()),
        pair_classes_tried=len(pair_classes & tried),
        pair_classes=len(pair_classes),
        pairs_in_all=sum(one.call != other.call for one, other in combinations(in_all, 2)),
        latencies=kinds[Latency],
        orders=kinds[Late] + kinds[Jitter] + kinds[ThreadJitter] + kinds[ThreadGoes],
        cancellations=kinds[Cancel],
        stories=len(search.stories),
        irrelevant=tuple(search.irrelevant),
        never_met=tuple(name for name in wanted if name not in met),
        impossible={name: why for name, why in impossible(search).items() if search.allows(name)},
        branches=tuple(search.judge.branches.never_run()) if IS_KNOWN else None,
        inconclusive=dict(search.judge.inconclusive),
        notes=tuple(search.notes),
        cut_at=cut_at,
    )


def _count(number: int, what: str) -> str:
    plural = f"{what[:-1]}ies" if what.endswith("cy") else f"{what}s"
    return f"{number} {what if number == 1 else plural}"

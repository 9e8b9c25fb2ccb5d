"""Classes of pairs of faults: of each class one pair is tried. Each reduction is a file beside its siblings."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from itertools import combinations

from harness.explore.deviation import Deviations, Fault
from harness.explore.pair_classes.outcomes import Outcomes
from harness.explore.pair_classes.siblings import Siblings
from harness.explore.pair_classes.supports import is_made_under
from harness.explore.reductions import OUTCOMES, SAME_STORY, SIBLINGS, SUPPORTS, UNRELATED
from harness.explore.search import Search


class PairClasses:
    """The classes of pairs of faults, as far as a search knows by now.

    Args:
        search: The search.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        self._outcomes = Outcomes(search)
        self._siblings = Siblings(search)
        self._told_apart = {single[0] for single in (*search.changing(), *search.reordering())}
        self._agents = {site.address: site.agent for site in search.passing.seen.sites}

    def of(self, pair: Deviations) -> Hashable:
        """What is equal for pairs of one class; None for a pair that need not be tried."""
        one, other = pair
        if not isinstance(one, Fault) or not isinstance(other, Fault):
            return frozenset(pair)
        if SUPPORTS in self._search.reductions and not (
            is_made_under(self._search, one, other) and is_made_under(self._search, other, one)
        ):
            return None
        return self._key(one, other)

    def among(self, faults: Iterable[Fault]) -> Iterator[Hashable]:
        """The classes of all pairs of some faults at different calls; some more than once.

        A fault that breaks the program alone is in no pair.
        """
        kept = [fault for fault in faults if self._is_for_pairs(fault)]
        if OUTCOMES in self._search.reductions:
            kept = list(dict.fromkeys(map(self._outcomes.first, kept)))
        for one, other in combinations(kept, 2):
            if one.call != other.call:
                found = self.of((one, other))
                if found is not None:
                    yield found

    def _is_for_pairs(self, fault: Fault) -> bool:
        reductions, trial = self._search.reductions, self._search.trials.get(frozenset((fault,)))
        if UNRELATED in reductions and self._agents.get(fault.call, "") in self._search.irrelevant:
            return False
        if trial is None:
            return True
        return trial.failure is None and (SAME_STORY not in reductions or fault in self._told_apart)

    def _key(self, one: Fault, other: Fault) -> Hashable:
        if OUTCOMES in self._search.reductions:
            one, other = self._outcomes.first(one), self._outcomes.first(other)
        if SIBLINGS in self._search.reductions:
            return self._siblings.renamed((one, other))
        return frozenset((one, other))

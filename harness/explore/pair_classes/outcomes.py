"""Classes of outcome: faults of one call that the program did not tell apart when each happened alone."""

from __future__ import annotations

from collections.abc import Hashable

from harness.explore.deviation import Fault
from harness.explore.search import Search
from harness.explore.trial import Trial


class Outcomes:
    """The first of several faults of one call that came to the same.

    Two faults come to the same if the runs under each of them are the same but for the status of the call: as many attempts, the same
    times, and the same story. A fault that was not tried alone stands for itself.

    Args:
        search: The search.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        self._first: dict[Hashable, Fault] = {}
        self._of: dict[Fault, Fault] = {}

    def first(self, fault: Fault) -> Fault:
        """The fault that stands for one."""
        known = self._of.get(fault)
        if known is not None:
            return known
        trial = self._search.trials.get(frozenset((fault,)))
        if trial is None:
            return fault
        found = self._of[fault] = self._first.setdefault(_what_came_of(fault, trial), fault)
        return found


def _what_came_of(fault: Fault, trial: Trial) -> Hashable:
    failed = None if trial.failure is None else trial.failure.key
    seen = trial.seen
    own = [
        (site.attempts, site.status, site.end_s, site.text)
        for site in seen.sites
        if site.address == fault.call
    ]
    return (fault.call, fault.attempt, tuple(own), failed, seen.story(), seen.order())

"""Symmetry of siblings: tasks of one parent and one name that live at the same time and make the same calls.

Siblings of which the same single fault breaks one and not another are none.

Faults of one sibling are kept together: the first call of one and the second call of another are a class of their own, and
not that of both calls of one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence

from harness.explore.deviation import Fault
from harness.explore.observation import Site
from harness.explore.search import Search
from harness.explore.trial import Trial

_NUMBER = re.compile(r"#\d+$")


class Siblings:
    """The siblings of the passing run.

    Args:
        search: The search.
    """

    def __init__(self, search: Search) -> None:
        self._place: dict[str, tuple[str, str, int]] = {}
        """Of each call of a sibling: its group, the sibling, and which of its calls it is."""
        calls: dict[str, list[Site]] = {}
        for site in search.passing.seen.sites:
            calls.setdefault(site.path, []).append(site)
        groups: dict[Hashable, list[str]] = {}
        for path, sites in calls.items():
            shape = tuple((site.agent, site.status, site.is_stream) for site in sites)
            groups.setdefault((_NUMBER.sub("", path), shape), []).append(path)
        for group in groups.values():
            members = [calls[path] for path in group]
            alike = _live_together(members) and _fail_alike(members, search.trials.values())
            for path in group if alike else ():
                for number, site in enumerate(calls[path]):
                    self._place[site.address] = (group[0], path, number)

    def renamed(self, faults: Sequence[Fault]) -> Hashable:
        """Faults with the names of siblings taken away, and in an order that does not depend on them."""
        others: list[str] = []
        of: dict[tuple[str, str], list[str]] = {}
        for fault in faults:
            what = f"{fault.name} {fault.fields} {fault.attempt}"
            place = self._place.get(fault.call)
            if place is None:
                others.append(f"{fault.call} {what}")
            else:
                group, path, number = place
                of.setdefault((group, path), []).append(f"{number} {what}")
        renamed = sorted((group, tuple(sorted(said))) for (group, _), said in of.items())
        return (tuple(sorted(others)), tuple(renamed))


def _live_together(members: Sequence[Sequence[Site]]) -> bool:
    """Whether there are several, and all begin before the first of them ends."""
    first_end_s = min(sites[-1].end_s for sites in members)
    return len(members) > 1 and all(sites[0].start_s < first_end_s for sites in members)


def _fail_alike(members: Sequence[Sequence[Site]], trials: Iterable[Trial]) -> bool:
    """Whether no single fault is known that breaks one of them, and not another at the same place."""
    place = {site.address: number for sites in members for number, site in enumerate(sites)}
    came_to: dict[Hashable, set[Hashable]] = defaultdict(set)
    for trial in trials:
        for fault in trial.deviations if len(trial.deviations) == 1 else ():
            if isinstance(fault, Fault) and fault.call in place:
                what = (place[fault.call], fault.name, fault.fields, fault.attempt)
                came_to[what].add(None if trial.failure is None else trial.failure.key)
    return all(len(keys) == 1 for keys in came_to.values())

"""Faults that stop: what a program waited for works again, and it must notice that in time."""

from __future__ import annotations

from collections.abc import Iterator

from harness.explore.deviation import Deviations, Down, Heal
from harness.explore.search import Search
from harness.explore.strategies.faults import FAILS

_PARTS = (0.5, 0.9, 0.25, 0.1, 0.04, 0.01)
"""When it heals, as a share of the time that the program works on under the fault."""

_DIGITS = 3


def heal(search: Search) -> Iterator[Deviations | None]:
    """All agents down, then each of them, for ever and then until a moment; only where a limit of recovery is stated."""
    if not search.heals or not search.allows(FAILS):
        return
    everything: Deviations = tuple(map(Down, search.agents))
    groups: list[Deviations] = [everything, *((one,) for one in everything)]
    lasting: list[tuple[Deviations, float]] = []
    for group in dict.fromkeys(groups):
        yield group
        trial = search.trials.get(frozenset(group))
        if trial is not None and trial.failure is None:
            lasting.append((group, trial.seen.latency_s))
    for part in _PARTS:
        for group, lasted_s in lasting:
            yield (*group, Heal(round(part * lasted_s, _DIGITS)))

"""Agents that are down: whose failure changes nothing else is unrelated, which saves the other strategies many runs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence

from harness.explore.deviation import Deviation, Deviations, Down, SlowAgent
from harness.explore.reductions import UNRELATED
from harness.explore.search import Search
from harness.explore.strategies.faults import FAILS
from harness.explore.timeline import LONG_S


def down(search: Search) -> Iterator[Deviations | None]:
    """All agents at once whose words are not in the output, then halves of them; then the others one by one.

    An agent whose failure is survived can still matter by being late, so those are looked at once more in the same way.
    """
    unlinked = [agent for agent in search.agents if agent not in search.linked]
    survived = unlinked
    if search.allows(FAILS):
        survived = yield from _unchanged(search, unlinked, Down)
    unmoved = yield from _unchanged(search, survived, _late)
    if UNRELATED in search.reductions and len(unmoved) < len(search.agents):
        # A program that survives the failure of all its agents has hidden them all, which says nothing about any.
        search.irrelevant.update(dict.fromkeys(unmoved))
    for agent in search.agents:
        if agent in search.linked and search.allows(FAILS):
            yield (Down(agent),)


def _late(agent: str) -> Deviation:
    return SlowAgent(agent, LONG_S[0])


def _unchanged(
    search: Search, agents: Sequence[str], deviation: Callable[[str], Deviation]
) -> Generator[Deviations | None, None, list[str]]:
    """Those of some agents that can deviate without changing anything else."""
    found: list[str] = []
    groups = [agents] if agents else []
    while groups:
        group = groups.pop(0)
        deviations = tuple(map(deviation, group))
        yield deviations
        trial = search.trials.get(frozenset(deviations))
        if trial is not None and not search.changed_by(trial, group):
            found += group
        elif len(group) > 1:
            half = len(group) // 2
            groups += [group[:half], group[half:]]
    return found

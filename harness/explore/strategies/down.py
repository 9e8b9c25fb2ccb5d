"""Agents that are down: whose failure changes nothing else is unrelated, which saves the other strategies many runs."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from harness.explore.deviation import Deviations, Down
from harness.explore.search import Search
from harness.explore.strategies.faults import FAILS


def down(search: Search) -> Iterator[Deviations | None]:
    """All agents at once whose words are not in the output, then halves of them; then the others one by one."""
    if not search.allows(FAILS):
        return
    unlinked = [agent for agent in search.agents if agent not in search.linked]
    groups = [unlinked] if unlinked else []
    while groups:
        group = groups.pop(0)
        changes = yield from _probe(search, group)
        if not changes:
            search.irrelevant.update(dict.fromkeys(group))
        elif len(group) > 1:
            half = len(group) // 2
            groups += [group[:half], group[half:]]
    for agent in search.agents:
        if agent in search.linked:
            yield (Down(agent),)


def _probe(search: Search, agents: Sequence[str]) -> Generator[Deviations | None, None, bool]:
    deviations = tuple(Down(agent) for agent in agents)
    yield deviations
    trial = search.trials.get(frozenset(deviations))
    return trial is None or search.changed_by(trial, agents)

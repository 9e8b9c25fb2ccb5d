"""The same fault at many calls: of which call it matters is left to shrinking."""

from __future__ import annotations

from collections.abc import Iterator

from harness.explore.deviation import Deviations, Down, Fields
from harness.explore.search import Search
from harness.explore.strategies.faults import classes


def widely(search: Search) -> Iterator[Deviations | None]:
    """All calls meet a fault of each class, then those of each agent alone: a program can end at the first that it does not survive."""
    met_by: dict[tuple[str, Fields], dict[str, None]] = {}
    for site in search.relevant():
        for fault in classes(search, site):
            met_by.setdefault(fault, {})[site.agent] = None
    for (name, fields), agents in met_by.items():
        yield tuple(Down(agent, name, fields) for agent in agents)
    for (name, fields), agents in met_by.items():
        for agent in agents:
            yield (Down(agent, name, fields),)

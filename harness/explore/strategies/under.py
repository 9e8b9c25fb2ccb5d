"""One deviation that changed the story, while everything that seemed unrelated fails: a pair with all of it in one run."""

from __future__ import annotations

from collections.abc import Iterator

from harness.explore.deviation import Deviations, Down, Fault
from harness.explore.search import Search
from harness.explore.strategies.faults import FAILS
from harness.explore.trial import agent_of


def under(search: Search) -> Iterator[Deviations | None]:
    """Latencies and faults in turn: a call can be harmless until another is late, or fails."""
    done: set[Deviations] = set()
    sites = search.passing.seen.sites
    while search.allows(FAILS):
        todo = [
            single
            for single in search.changing()
            if single not in done and agent_of(single[0], sites) not in search.irrelevant
        ]
        if not todo or not search.irrelevant:
            yield None
            continue
        faults_next = len(done) % 2 == 1
        todo.sort(key=lambda single: isinstance(single[0], Fault) is not faults_next)
        done.add(todo[0])
        yield (*todo[0], *(Down(agent) for agent in search.irrelevant))

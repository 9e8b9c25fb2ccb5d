"""Made-up subjects of a search, which run in no time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.explore.deviation import Deviations, Down, Fault, Latency, SlowAgent
from harness.explore.observation import Bounds, Observation, Site

AGENTS = ("a", "b", "c", "d", "e")


@dataclass(frozen=True)
class MadeUp:
    """Five agents with a call each; some sets of them that fail together break the output, others only change it."""

    breaks: Sequence[frozenset[str]]
    """Each is a class of failure."""
    changes: frozenset[str]
    """Agents whose failure shows in the output."""

    def run(self, deviations: Deviations, bounds: Bounds | None = None) -> Observation:
        down = {one.agent for one in deviations if isinstance(one, Down)}
        down |= {one.call.split()[0] for one in deviations if isinstance(one, Fault)}
        sites = [self._site(number, agent, deviations, down) for number, agent in enumerate(AGENTS)]
        broken = [str(sorted(each)) for each in self.breaks if each <= down]
        return Observation(
            output={"broken": broken[:1], "seen": sorted(down & self.changes)},
            error=None,
            latency_s=max(site.end_s for site in sites),
            sites=sites,
            events=repr(sorted(map(repr, deviations))),
            applied=dict.fromkeys(deviations),
            parts={
                one: (Fault(f"{one.agent} call", one.name),)
                for one in deviations
                if isinstance(one, Down)
            },
        )

    def _site(self, number: int, agent: str, deviations: Deviations, down: set[str]) -> Site:
        takes_s = 2.0 + number
        for one in deviations:
            if isinstance(one, Latency) and one.call == f"{agent} call":
                takes_s = one.takes_s
            if isinstance(one, SlowAgent) and one.agent == agent:
                takes_s = one.takes_s
        return Site(
            number=number + 1,
            agent=agent,
            address=f"{agent} call",
            path=agent,
            start_s=0.0,
            end_s=takes_s,
            prompt="ask",
            text="",
            status="error" if agent in down else "ok",
            attempts=1,
            met=agent in down,
            is_stream=False,
            calls_tools=False,
            heard=(),
        )

"""One run of a search, and what was learned from it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from harness.explore.deviation import Deviation, Deviations, Down, Fault, Latency, SlowAgent
from harness.explore.observation import Observation, Site, Use
from harness.explore.properties import Failure
from harness.explore.timeline import Timeline


@dataclass(slots=True, eq=False)
class Trial:
    """One run of a search."""

    deviations: Deviations
    strategy: str
    seen: Observation
    failure: Failure | None
    number: int
    """1 for the passing run."""
    fresh: tuple[Site, ...] = ()
    """Calls that the passing run does not make."""
    fresh_uses: tuple[Use, ...] = ()
    """Uses of tools that it does not make."""
    _timelines: dict[tuple[str, ...], Timeline] = field(default_factory=dict)
    _addresses: frozenset[str] | None = None

    @property
    def addresses(self) -> frozenset[str]:
        """The calls that it makes."""
        if self._addresses is None:
            self._addresses = frozenset(site.address for site in self.seen.sites)
        return self._addresses

    def timeline(self, irrelevant: Collection[str]) -> Timeline:
        """Its moments, but for those of some agents."""
        without = tuple(irrelevant)
        if without not in self._timelines:
            self._timelines[without] = Timeline(self.seen, irrelevant)
        return self._timelines[without]


def agent_of(deviation: Deviation, sites: Sequence[Site]) -> str:
    """The agent whose calls a deviation is about; empty if it is about none."""
    match deviation:
        case Fault(call=call) | Latency(call=call):
            return next((site.agent for site in sites if site.address == call), "")
        case Down(agent=agent) | SlowAgent(agent=agent):
            return agent
        case _:
            return ""

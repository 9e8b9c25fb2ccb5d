"""Faults of shared state: what an agent reads is old, what it writes is lost."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Disturbance, StateFault
from harness.units import Count


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleRead(StateFault):
    """The agent is told an old value, as from a replica that lags behind, and works on it.

    A value that has not as many earlier versions is not met.
    """

    behind: Count = 1
    """How many versions old."""

    def disturbance(self) -> Disturbance:
        """An old value."""
        return Disturbance(behind=self.behind)


@dataclass(frozen=True, slots=True, kw_only=True)
class LostUpdate(StateFault):
    """What the agent writes is acknowledged, and not kept."""

    def disturbance(self) -> Disturbance:
        """A lost value."""
        return Disturbance(is_lost=True)

"""Clocks that differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.faults.api import Disturbance, StateFault


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSkew(StateFault):
    """The clock of the agent is ahead by `by_s`, or behind if that is negative.

    In a pattern its updates of shared state have that time, and a write that is older than the latest one is dropped: the newest
    wins, whatever came last. In a program `time.time()` and the `datetime` of its `agent_scope` have it; timers do not.
    """

    meets_what: ClassVar[str] = "a reading of the clock"
    only_of_patterns: ClassVar[bool] = False

    by_s: float
    """How much [s]."""

    def disturbance(self) -> Disturbance:
        """A wrong time."""
        return Disturbance(clock_ahead_s=self.by_s)

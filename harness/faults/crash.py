"""Agents that do not work for a time, or for good."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from harness.faults.api import AgentFault, Interruption
from harness.units import PositiveSeconds, Seconds

Memory = Literal["lost", "kept"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Down(AgentFault):
    """The agents are down from `from_s` until `until_s`, or for good."""

    memory: Memory = "kept"
    """Whether they know the earlier turns of their tasks afterwards."""

    def interruption(self) -> Interruption:
        """The window."""
        return Interruption(is_window=True, loses_memory=self.memory == "lost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash(AgentFault):
    """The agent crashes in the call that is met, and is restarted.

    With `agents` all of them crash with the one whose call is met: they are on one machine.
    """

    after_s: Seconds = 0.0
    """How long after the beginning of the call [s]."""
    restart_after_s: PositiveSeconds | None = None
    """How long it is down [s]; absent means for good."""
    memory: Memory = "lost"
    """Whether it knows the earlier turns of its tasks afterwards."""

    def interruption(self) -> Interruption:
        """From the call on."""
        lasts_s = math.inf if self.restart_after_s is None else self.restart_after_s
        return Interruption(
            is_window=False,
            after_s=self.after_s,
            for_s=lasts_s,
            loses_memory=self.memory == "lost",
        )

"""Gradual roll-out: a growing share of tasks gets the new version of an agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import MinLen

from harness.fields import AgentName
from harness.units import Count, Probability, Seconds

NEW_VERSION = "new_version"
ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutStep:
    """The share of tasks from a time on."""

    at_s: Seconds
    """From when on [s]."""
    share: Probability
    """Share of tasks that get the new version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """Which tasks are done by the new version of an agent. A task that has got it keeps it while the share does not fall."""

    to: AgentName
    """The new version: an agent of its own."""
    steps: Annotated[tuple[RolloutStep, ...], MinLen(1)]
    """The share over time; 0 before the first."""
    roll_back_above: Probability | None = None
    """Share of the new version's calls that may fail; above it all tasks go back to the old version. Absent means never."""
    min_calls: Count = 20
    """Calls of the new version before it can be judged."""


class Release:
    """The state of a roll-out; for use by hand.

    Args:
        stated: Its parameters.
    """

    def __init__(self, stated: Rollout) -> None:
        self.stated = stated
        self.is_rolled_back = False
        self._calls = 0
        self._failed = 0

    def share(self, now_s: float) -> float:
        """The share of tasks that get the new version at a time [s]."""
        if self.is_rolled_back:
            return 0.0
        begun = [step for step in self.stated.steps if step.at_s <= now_s]
        return max(begun, key=lambda step: step.at_s).share if begun else 0.0

    def note(self, *, succeeded: bool) -> bool:
        """Count a call of the new version; returns whether that rolls it back."""
        self._calls += 1
        self._failed += not succeeded
        limit = self.stated.roll_back_above
        if self.is_rolled_back or limit is None or self._calls < self.stated.min_calls:
            return False
        self.is_rolled_back = self._failed > limit * self._calls
        return self.is_rolled_back

"""Two agents say opposite things."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Mislead
from harness.faults.meaning.base import MeaningFault
from harness.faults.meaning.words import saying


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction(MeaningFault):
    """The reply denies the latest claim of another agent in the task."""

    says: str | None = None
    """What is said; absent means the agent's `wrong_reply`, or its reply."""

    def verdict(self) -> Mislead:
        """The opposite of what another agent has said."""
        return Mislead(cause="contradiction", says=saying(self.says), is_false=True, opposes=True)

"""A critic that finds everything good."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Mislead
from harness.faults.meaning.base import MeaningFault
from harness.faults.meaning.words import saying


@dataclass(frozen=True, slots=True, kw_only=True)
class SycophanticCritic(MeaningFault):
    """A critic notices no error, and agrees."""

    says: str | None = None
    """How it agrees; absent means the agent's reply, as if it had noticed nothing."""

    def verdict(self) -> Mislead:
        """Verified wrongly."""
        return Mislead(cause="sycophantic_critic", says=saying(self.says), is_blind=True)

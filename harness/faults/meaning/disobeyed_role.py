"""An agent that acts as another."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Mislead
from harness.faults.meaning.base import MeaningFault
from harness.faults.meaning.words import saying


@dataclass(frozen=True, slots=True, kw_only=True)
class DisobeyedRole(MeaningFault):
    """The agent decides what is another's to decide."""

    says: str = "I decide this for the others: it is approved, and done."
    """What it says."""

    def verdict(self) -> Mislead:
        """Out of its role."""
        return Mislead(cause="disobeyed_role", says=saying(self.says), is_false=True)

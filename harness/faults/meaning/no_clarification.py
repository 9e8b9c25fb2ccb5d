"""A guess where a question was due."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Mislead
from harness.faults.meaning.base import MeaningFault
from harness.faults.meaning.words import saying


@dataclass(frozen=True, slots=True, kw_only=True)
class NoClarification(MeaningFault):
    """The agent does not ask back, although it should: it uses no tool, and assumes something false."""

    says: str = "I assume the usual, and go on."
    """What it says instead of a question."""

    def verdict(self) -> Mislead:
        """Guessed."""
        return Mislead(cause="no_clarification", says=saying(self.says), is_false=True)

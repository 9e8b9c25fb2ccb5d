"""Knowledge that is not passed on."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Mislead
from harness.faults.meaning.base import MeaningFault
from harness.faults.meaning.words import saying


@dataclass(frozen=True, slots=True, kw_only=True)
class Withholding(MeaningFault):
    """The agent keeps to itself what it has read and found."""

    says: str = "There is nothing to say of this."
    """What it says instead."""

    def verdict(self) -> Mislead:
        """Kept back."""
        return Mislead(cause="withholding", says=saying(self.says), ignores=True)

"""A false claim that comes from nowhere."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Mislead
from harness.faults.meaning.base import MeaningFault
from harness.faults.meaning.words import saying


@dataclass(frozen=True, slots=True, kw_only=True)
class Hallucination(MeaningFault):
    """The reply holds a false claim that the agent has made up."""

    says: str | None = None
    """What is said; absent means the agent's `wrong_reply`, or its reply."""

    def verdict(self) -> Mislead:
        """False, and said as if it were true."""
        return Mislead(cause="hallucination", says=saying(self.says), is_false=True)

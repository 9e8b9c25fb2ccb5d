"""A check that is not made."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Mislead
from harness.faults.meaning.base import MeaningFault
from harness.faults.meaning.words import without_tools


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedVerification(MeaningFault):
    """A critic does not check: it uses no tool, reads nothing, and agrees."""

    says: str = "accept"
    """How it agrees."""

    def verdict(self) -> Mislead:
        """Agreed without a look."""
        change = without_tools(self.says)
        return Mislead(
            cause="skipped_verification",
            says=lambda reply, *rest: change(reply._replace(text=""), *rest),
            ignores=True,
            is_blind=True,
        )

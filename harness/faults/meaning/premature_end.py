"""Work that ends before it is done."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Mislead
from harness.faults.meaning.base import MeaningFault
from harness.faults.meaning.words import saying


@dataclass(frozen=True, slots=True, kw_only=True)
class PrematureEnd(MeaningFault):
    """The agent says that it is done instead of going on: it uses no further tool."""

    says: str = "Done."
    """What it says."""

    def verdict(self) -> Mislead:
        """Ended too early."""
        return Mislead(cause="premature_end", says=saying(self.says), is_false=True)

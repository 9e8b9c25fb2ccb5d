"""A reply that is not what was asked for."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Mislead
from harness.faults.meaning.base import MeaningFault
from harness.faults.meaning.words import saying


@dataclass(frozen=True, slots=True, kw_only=True)
class DisobeyedTask(MeaningFault):
    """The reply breaks the specification of the task: a format, a limit, a required part."""

    says: str = "Here is what I would rather do."
    """What is said, even if the request asks for a schema that it violates."""

    def verdict(self) -> Mislead:
        """Not what was asked for."""
        return Mislead(cause="disobeyed_task", says=saying(self.says), is_false=True)

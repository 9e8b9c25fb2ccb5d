"""Input of another agent that is not used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.faults.api import Mislead
from harness.faults.meaning.base import MeaningFault
from harness.models import Reply, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredInput(MeaningFault):
    """The agent goes on as if others had said nothing: it passes on none of their claims, and insists on its last reply, if any."""

    def verdict(self) -> Mislead:
        """Deaf to others."""
        return Mislead(cause="ignored_input", says=_insists, ignores=True, is_blind=True)


def _insists(reply: Reply, _request: Request, earlier: Sequence[Reply]) -> Reply:
    return earlier[-1] if earlier else reply

"""A first token that comes late."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Fault, Late
from harness.units import PositiveSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowFirstToken(Fault):
    """The first token comes `by_s` later, and the rest as fast as ever. The attempt holds its slot meanwhile."""

    by_s: PositiveSeconds
    """How much later [s]."""

    def verdict(self) -> Late:
        """Served, late."""
        return Late(self.by_s)

"""A bill that is higher than it should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt

from harness.faults.api import Dearer, Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSpike(Fault):
    """The attempt costs `factor` times as much, as under a surcharge, a dearer region or a lost discount. Tokens stay."""

    factor: Annotated[float, Gt(0)]
    """How many times as much."""

    def verdict(self) -> Dearer:
        """Served, at a price."""
        return Dearer(self.factor)

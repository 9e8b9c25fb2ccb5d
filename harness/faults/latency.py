"""A slow provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt

from harness.faults.api import Fault, Slow


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyFactor(Fault):
    """The attempt takes `factor` times as long to serve."""

    factor: Annotated[float, Gt(0)]
    """How many times as long."""

    def verdict(self) -> Slow:
        """Served, slowly."""
        return Slow(self.factor)

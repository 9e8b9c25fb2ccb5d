"""What a question may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent on a question."""

    runs: int | None = None
    cpu_s: float | None = None
    """Time of all workers together [real s]."""

    def spent(self, runs: int, cpu_s: float) -> str:
        """Why to stop; empty if there is something left."""
        if self.runs is not None and runs >= self.runs:
            return f"the budget of {self.runs:,} runs is spent"
        if self.cpu_s is not None and cpu_s >= self.cpu_s:
            return f"the budget of {self.cpu_s:g} s of CPU is spent"
        return ""


NO_BOUND: Final = Budget()

"""How much a search may spend."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from harness import wall


class BudgetSpent(Exception):  # noqa: N818 - a signal, not an error
    """The search may run no more."""


@dataclass(slots=True)
class Budget:
    """How much a search may spend.

    Args:
        runs: Runs, those for shrinking not counted.
        wall_s: Real time [s].
        findings: Classes of failure.
    """

    runs: int
    wall_s: float
    findings: float = math.inf
    began_s: float = field(default_factory=wall.elapsed_s)
    spent: int = 0

    def take(self) -> None:
        """Take one run.

        Raises:
            BudgetSpent: There is none left.
        """
        if self.is_spent:
            raise BudgetSpent
        self.spent += 1

    @property
    def is_spent(self) -> bool:
        """Whether there is nothing left."""
        return self.spent >= self.runs or wall.elapsed_s() - self.began_s > self.wall_s

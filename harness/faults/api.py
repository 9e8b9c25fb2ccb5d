"""The fault protocol: a fault sees an attempt and returns a verdict.

A plan is an ordered list of faults; the first verdict wins, unless its fault `continues`. A new kind of fault is one file beside its siblings: a
frozen record that extends `Fault` by its parameters and returns in `verdict` what happens to an attempt.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.chance import Draws
from harness.fields import AgentName, ModelName
from harness.models import Request
from harness.models.api import Injection, Mislead
from harness.models.verdict import Alter, Break, Fail, InTurn, Silent, Slow, Verdict
from harness.provider.stated import EndsAt, Takes
from harness.units import Count, Probability, Seconds

__all__ = [
    "Alter",
    "Break",
    "EndsAt",
    "Fail",
    "Fault",
    "InTurn",
    "Injection",
    "Mislead",
    "Silent",
    "Slow",
    "Takes",
    "Verdict",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of the attempts that it applies to. Each field restricts them; all must match."""

    agent: AgentName | None = None
    """Only attempts of this agent."""
    model: ModelName | None = None
    """Only attempts at this model."""
    call: Count | None = None
    """Only the agent's n-th call of the run."""
    attempt: Count | None = None
    """Only the n-th attempt of a call; absent means every attempt, so that retries meet the fault again."""
    from_s: Seconds = 0.0
    """Only attempts from this time on [s]."""
    until_s: Seconds | None = None
    """Only attempts before this time [s]."""
    probability: Probability = 1.0
    """Share of those attempts that are met."""
    continues: bool = False
    """Whether the faults after it may meet the same attempt too; otherwise it is the last that does."""

    def __post_init__(self) -> None:
        if self.until_s is not None and self.until_s <= self.from_s:
            raise ValueError(f"until_s ({self.until_s:g}) is not after from_s ({self.from_s:g})")

    def meets(self, request: Request, now_s: float, draws: Draws, name: str) -> bool:
        """Whether the fault applies to an attempt.

        Args:
            request: The attempt.
            now_s: Virtual time [s].
            draws: Source of random values.
            name: Unique name of the fault in its plan; part of the key of its draw.
        """
        return (
            self.agent in (None, request.agent)
            and self.model in (None, request.model)
            and self.call in (None, request.call_in_run)
            and self.attempt in (None, request.attempt)
            and self.from_s <= now_s
            and (self.until_s is None or now_s < self.until_s)
            and (
                self.probability == 1.0
                or draws.uniform(request.attempt_key, "fault", name) < self.probability
            )
        )

    def verdict(self) -> Verdict:
        """What happens to an attempt that it applies to."""
        raise NotImplementedError

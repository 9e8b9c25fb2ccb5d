"""Health score: rely less on an agent that fails, gradually, and more again as it recovers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Le

from harness.models import CALL_ERRORS, Reply, Request
from harness.resilience.api import Call
from harness.units import Count

SKIPPED = "health_skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthScore:
    """How the share of calls that an agent gets follows its success; the other calls go to its fallback at once."""

    half_life_calls: Count = 10
    """After so many calls an outcome counts half in the score."""
    floor: Annotated[float, Gt(0), Le(1)] = 0.05
    """Least share of calls that it gets, so that its recovery is seen."""


class Health:
    """The health of one agent: the mean of its outcomes, the latest counting most. For use by hand.

    Args:
        stated: Its parameters.
    """

    def __init__(self, stated: HealthScore) -> None:
        self.score = 1.0
        """From 0, when all calls fail, to 1."""
        self._stated = stated
        self._step = 1 - 0.5 ** (1 / stated.half_life_calls)

    @property
    def share(self) -> float:
        """The share of calls that it gets."""
        return max(self._stated.floor, self.score)

    def note(self, *, succeeded: bool) -> None:
        """Count an outcome in."""
        self.score += (float(succeeded) - self.score) * self._step


def with_health(call: Call, health: Health | None) -> Call:
    """Count the outcomes of a call into a health score.

    Args:
        call: The call with all its retries.
        health: The score; None leaves the call as it is.
    """
    if health is None:
        return call

    async def call_scored(request: Request) -> Reply:
        try:
            reply = await call(request)
        except CALL_ERRORS:
            health.note(succeeded=False)
            raise
        health.note(succeeded=True)
        return reply

    return call_scored

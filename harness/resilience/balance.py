"""Load balancing: calls of a role are made by one of several instances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import MinLen

from harness.fields import AgentName
from harness.resilience.health import Health, HealthScore

BALANCED = "balanced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The instances that make the calls of an agent, and how one is chosen."""

    over: Annotated[tuple[AgentName, ...], MinLen(1)]
    """The instances: agents with models, prompts and policies of their own; the agent itself may be one."""
    by: Literal["round_robin", "least_loaded", "health_weighted"] = "round_robin"
    """Each in turn; the first of those with the fewest calls in progress; or by chance, in proportion to their health."""
    health: HealthScore = HealthScore()
    """How health follows success, for `health_weighted`."""


class Balancer:
    """Chooses instances; for use by hand on any event loop.

    Args:
        stated: How one is chosen.
    """

    def __init__(self, stated: Balance) -> None:
        self._stated = stated
        self._turn = 0
        self._load = dict.fromkeys(stated.over, 0)
        self._health = {name: Health(stated.health) for name in stated.over}

    @property
    def names(self) -> list[str]:
        """The instances."""
        return list(self._stated.over)

    def choose(self, luck: float) -> str:
        """The instance for the next call.

        Args:
            luck: A random value between 0 and 1, for `health_weighted`.
        """
        names: Sequence[str] = self._stated.over
        if self._stated.by == "least_loaded":
            return min(names, key=self._load.__getitem__)
        if self._stated.by == "health_weighted":
            return self._weighted(luck)
        self._turn += 1
        return names[(self._turn - 1) % len(names)]

    def _weighted(self, luck: float) -> str:
        shares = {name: self._health[name].share for name in self._stated.over}
        left = luck * sum(shares.values())
        for name, share in shares.items():
            left -= share
            if left < 0:
                return name
        return self._stated.over[-1]

    @contextmanager
    def used(self, name: str) -> Iterator[None]:
        """Context manager: a call is in progress at an instance; an `Exception` counts as its failure."""
        self._load[name] += 1
        try:
            yield
        except Exception:
            self._health[name].note(succeeded=False)
            raise
        else:
            self._health[name].note(succeeded=True)
        finally:
            self._load[name] -= 1

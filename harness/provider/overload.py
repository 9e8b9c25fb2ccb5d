"""Overload that comes and goes, and planned outages; both affect all users of a provider."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from harness.chance.distributions import AnyDistribution
from harness.chance.draws import Draws
from harness.units import PositiveSeconds, Probability, Seconds, whole_microseconds

RefusalKind = Literal["api_error", "overloaded_error", "timeout_error", "connection_error"]

# A draw of exactly 0 would let the state change without time moving, for ever if both states drew it.
_SPELL_MIN_S = 1e-6


_TURN_MIN_S = 1e-3
"""The state may not change faster: following it would take too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overload:
    """Two-state overload: calm and overloaded spells alternate, beginning calm.

    529s are correlated in time, because overload affects all users; independent draws would hide that.
    """

    calm_s: AnyDistribution
    """Length of a calm spell [s]."""
    overloaded_s: AnyDistribution
    """Length of an overloaded spell [s]."""
    refuse: Probability
    """Share of attempts that are refused while overloaded."""

    def __post_init__(self) -> None:
        if self.calm_s.mean + self.overloaded_s.mean < _TURN_MIN_S:
            raise ValueError(
                "a calm and an overloaded spell together must last a millisecond on average"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A period in which every new attempt is refused; attempts in service are completed."""

    at_s: Seconds
    """When it begins [s]."""
    for_s: PositiveSeconds
    """How long it lasts [s]."""
    error: RefusalKind = "api_error"
    """What attempts meet: `api_error` (500), `overloaded_error` (529), `timeout_error` (504) or `connection_error`."""

    def covers(self, now_s: float) -> bool:
        """Whether it is on at a time [s]."""
        return self.at_s <= now_s < self.at_s + self.for_s


class Availability:
    """The overload state of one provider over time, drawn spell by spell when needed.

    Args:
        overload: How the spells are distributed.
        draws: Source of random values.
        provider: Names the draws.
    """

    def __init__(self, overload: Overload, draws: Draws, provider: str) -> None:
        self._overload = overload
        self._draws = draws
        self._provider = provider
        self._changes_s: list[float] = [
            0.0
        ]  # calm from [0] to [1], overloaded from [1] to [2], and so on

    def refuses(self, key: str, now_s: float) -> bool:
        """Whether an attempt is refused now."""
        return (
            self.is_overloaded(now_s)
            and self._draws.uniform(key, "overload") < self._overload.refuse
        )

    def is_overloaded(self, now_s: float) -> bool:
        """The state at a time [s]."""
        changes_s = self._changes_s
        while changes_s[-1] <= now_s:
            spell = len(changes_s) - 1
            length = self._overload.overloaded_s if spell % 2 else self._overload.calm_s
            drawn_s = whole_microseconds(
                length.sample(self._draws, self._provider, "overload", spell)
            )
            changes_s.append(changes_s[-1] + max(drawn_s, _SPELL_MIN_S))
        return (bisect_right(changes_s, now_s) - 1) % 2 == 1

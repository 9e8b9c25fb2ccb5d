"""Stated service times that replace drawn ones, for one attempt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


class StatedService(Protocol):
    """A stated service time, in place of the model's profile."""

    def service_s(self, now_s: float) -> float:
        """Return how long service takes that begins now [s].

        Args:
            now_s: Virtual time [s].
        """


@dataclass(slots=True)
class Treatment:
    """How one attempt is treated otherwise than others."""

    late_s: float = 0.0
    """How much later than usual its first token comes [s]."""
    cost_factor: float = 1.0
    """How many times as much as it should it costs."""
    is_last: bool = False
    """Whether it waits for a slot for as long as any other waits."""


@dataclass(frozen=True, slots=True)
class Takes:
    """The service takes a stated time."""

    seconds: float
    """From the start of service to the last token [s]."""

    def service_s(self, now_s: float) -> float:
        """The stated time [s]."""
        return self.seconds


@dataclass(frozen=True, slots=True)
class EndsAt:
    """The service ends at a stated time, or at once when that is over."""

    at_s: float
    """When the last token comes [virtual s]."""

    def service_s(self, now_s: float) -> float:
        """The time that is left, such that `now_s` plus it is `at_s` to the last bit [s]."""
        left_s = max(0.0, self.at_s - now_s)
        while left_s and now_s + left_s < self.at_s:
            left_s = math.nextafter(left_s, math.inf)
        while left_s and now_s + left_s > self.at_s:
            left_s = math.nextafter(left_s, 0.0)
        return left_s

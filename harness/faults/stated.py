"""A stated service time."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import EndsAt, Fault, Takes
from harness.units import PositiveSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedDuration(Fault):
    """The attempt takes `for_s` to serve, in place of its model's latency; time in a queue is added."""

    for_s: PositiveSeconds
    """From the start of service to the last token [s]."""

    def verdict(self) -> Takes:
        """Served, in that time."""
        return Takes(self.for_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedEnd(Fault):
    """The reply is complete at `at_s`, or as soon as service begins when that is later."""

    at_s: PositiveSeconds
    """When the last token comes [virtual s]."""

    def verdict(self) -> EndsAt:
        """Served, until then."""
        return EndsAt(self.at_s)

"""The provider takes a stated time."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import EndsAt, Fault, Takes
from harness.units import PositiveSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedDuration(Fault):
    """The attempt takes `for_s` to serve, whatever its model's latency is; what it waits in a queue comes on top."""

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

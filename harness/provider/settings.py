"""What a provider takes on, and when: its limits, its slots, and the times at which it serves less or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from harness.provider.limits import Limits
from harness.provider.load import Load
from harness.provider.overload import Outage, Overload
from harness.units import Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Where attempts wait when all slots are busy."""

    capacity: Count | None = None
    """How many may wait; one more is refused with a 529. Absent means no bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """How a provider serves; without any it serves everything, at any time and as fast as its models are."""

    limits: Limits | None = None
    """Rate limits of each pool of models; None means none."""
    concurrency: int | None = None
    """Number of attempts served at once; None means no bound."""
    queue: Queue | None = None
    """Where attempts wait for a slot; None means without a bound."""
    overload: Overload | None = None
    """Overload that comes and goes; None means never."""
    outages: tuple[Outage, ...] = ()
    """Planned outages."""
    load: Load | None = None
    """How the time per token grows with the number of attempts in service; None means that it does not."""


UNLIMITED = ProviderSettings()
"""Of a provider that serves everything at any time."""

"""Attempts that always come last."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Fault, Starved


@dataclass(frozen=True, slots=True, kw_only=True)
class Starvation(Fault):
    """The attempt has the lowest priority at its provider: it waits for a slot for as long as any other attempt waits.

    It needs a provider with `concurrency`, which is busy.
    """

    def verdict(self) -> Starved:
        """Served last."""
        return Starved()

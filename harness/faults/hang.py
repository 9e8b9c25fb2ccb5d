"""A provider that does not answer."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Fault, Silent
from harness.units import PositiveSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang(Fault):
    """No response for `for_s`, then the attempt continues; without `for_s` it hangs until the client gives up."""

    for_s: PositiveSeconds | None = None
    """How long nothing is heard [s]."""

    def verdict(self) -> Silent:
        """Silence."""
        return Silent(self.for_s)

"""The connection breaks."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Fail, Fault
from harness.provider import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFailure(Fault):
    """No connection comes about, so there is neither status nor answer."""

    def verdict(self) -> Fail:
        """Refused, by nobody."""
        return Fail(Refusal("connection_error"))

"""Faults of the connection."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Fail, Fault
from harness.provider import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFailure(Fault):
    """The connection fails, so there is neither status nor answer."""

    def verdict(self) -> Fail:
        """Refused without an HTTP response."""
        return Fail(Refusal("connection_error"))

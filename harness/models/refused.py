"""The error of a refused call in a pattern. On the wire, the API sets status and message."""

from __future__ import annotations

from typing import Final

from harness.models.api import ModelError
from harness.provider import Refusal

_STATUS: Final = {
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""HTTP status of each kind (https://docs.claude.com/en/api/errors); a broken connection has none."""


class RefusedError(ModelError):
    """The provider, or a fault in its place, refused an attempt.

    Args:
        refusal: Why.
    """

    def __init__(self, refusal: Refusal) -> None:
        hit, message = refusal.limit, refusal.message
        if hit is not None:
            message = f"{refusal.model} has a limit of {hit.per_min:,} {hit.what} a minute"
        status = refusal.status or _STATUS.get(refusal.kind)
        limit = "" if hit is None else hit.name
        super().__init__(refusal.kind, status, message, refusal.retry_after_s, limit)
        self.refusal = refusal

"""A refusal as a call of a pattern fails with it; on the wire its status and its words are those of the API."""

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


def error_of(refusal: Refusal) -> ModelError:
    """The error that an SDK would raise."""
    hit, message = refusal.limit, refusal.message
    if hit is not None:
        message = f"the limit of {hit.per_min:,} {hit.what} a minute is reached for {refusal.model}"
    status = refusal.status or _STATUS.get(refusal.kind)
    return ModelError(refusal.kind, status, message, refusal.retry_after_s)

"""Error statuses of the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.faults.api import Fail, Fault
from harness.provider import Refusal
from harness.units import PositiveSeconds

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "invalid_request_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""The kind of refusal behind each status (https://docs.claude.com/en/api/errors)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusError(Fault):
    """The attempt is answered with an HTTP error."""

    status: Literal[400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529]
    """The status."""
    retry_after_s: PositiveSeconds | None = None
    """How long the client is told to wait [s]."""

    def verdict(self) -> Fail:
        """Refused."""
        kind = _KINDS[self.status]
        return Fail(Refusal(kind, retry_after_s=self.retry_after_s, status=self.status))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overloaded(Fault):
    """The attempt is answered with 529 `overloaded_error`."""

    def verdict(self) -> Fail:
        """Refused."""
        return Fail(Refusal("overloaded_error"))

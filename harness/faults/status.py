"""The API answers with an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.faults.api import Fail, Fault
from harness.provider import Refusal, refusal
from harness.units import PositiveSeconds

# Error types and words as in https://docs.claude.com/en/api/errors.
_ERRORS: dict[int, tuple[str, str]] = {
    400: ("invalid_request_error", "Invalid request"),
    401: ("authentication_error", "invalid x-api-key"),
    403: (
        "permission_error",
        "Your API key does not have permission to use the specified resource.",
    ),
    404: ("not_found_error", "Not found"),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: ("rate_limit_error", "This request would exceed your organization's rate limit."),
    500: ("api_error", "Internal server error"),
    503: ("api_error", "Service unavailable"),
    504: ("timeout_error", "Gateway timeout"),
    529: ("overloaded_error", "Overloaded"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusError(Fault):
    """The attempt is answered with an HTTP error."""

    status: Literal[400, 401, 403, 404, 413, 429, 500, 503, 504, 529]
    """The status."""
    retry_after_s: PositiveSeconds | None = None
    """How long the client is told to wait [s]."""

    def verdict(self) -> Fail:
        """Refused."""
        error, message = _ERRORS[self.status]
        return Fail(Refusal(error, self.status, message, self.retry_after_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overloaded(Fault):
    """The attempt is answered with 529 `overloaded_error`."""

    def verdict(self) -> Fail:
        """Refused."""
        return Fail(refusal("overloaded_error"))

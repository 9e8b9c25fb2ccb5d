"""How the API says no: one body for all errors (https://docs.claude.com/en/api/errors)."""

from __future__ import annotations

import math

from harness.json_types import JsonObject
from harness.provider import Refusal
from harness.wire.anthropic.headers import ORGANIZATION_ID, answer, encode, request_id
from harness.wire.api import Ids, Moment
from harness.wire.http import HttpResponse

_WORDS = {
    "invalid_request_error": (400, "Invalid request"),
    "authentication_error": (401, "invalid x-api-key"),
    "billing_error": (402, "There is an issue with your billing or payment information."),
    "permission_error": (
        403,
        "Your API key does not have permission to use the specified resource.",
    ),
    "not_found_error": (404, "Not found"),
    "request_too_large": (413, "Request exceeds the maximum size"),
    "rate_limit_error": (429, "This request would exceed your organization's rate limit."),
    "api_error": (500, "Internal server error"),
    "timeout_error": (504, "Gateway timeout"),
    "overloaded_error": (529, "Overloaded"),
    "connection_error": (500, "Connection error."),
}
"""Status and words by the kind of refusal, which is the API's own error type; a broken connection is told of in the results
of a batch alone."""

_BY_STATUS = {
    408: (408, "Request timeout"),
    409: (409, "Conflict"),
    422: (422, "Unprocessable entity"),
    502: (502, "Bad gateway"),
    503: (503, "Service unavailable"),
}
"""Status and words of errors whose kind stands for another status as well."""

_RATE_LIMIT_ADVICE = (
    " You can see the response headers for current usage. Please reduce the prompt length or the maximum tokens requested, "
    "or try again later. You may also contact sales at https://claude.com/contact-sales to discuss your options for a rate "
    "limit increase."
)
"""The end of the message of a 429, as a published log has it."""

_RETRYABLE_STATUS = frozenset({408, 409, 429})
_SERVER_ERROR_MIN = 500


class Rejection(Exception):  # noqa: N818 - nothing is wrong but the request
    """A request that the API does not accept.

    Args:
        status: HTTP status.
        error: The error type, such as `invalid_request_error`.
        message: The API's own words.
        details: What else it says, such as an `error_code`.
        hint: What harness says of it beside the test.
    """

    def __init__(
        self,
        status: int,
        error: str,
        message: str,
        details: JsonObject | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(status, error, message, details)
        self.status = status
        self.error = error
        self.message = message
        self.details = details
        self.hint = hint


def invalid(message: str, details: JsonObject | None = None) -> Rejection:
    """The rejection of a request that is wrong."""
    return Rejection(400, "invalid_request_error", message, details)


def not_found(message: str, details: JsonObject | None = None, hint: str = "") -> Rejection:
    """The rejection of a request for a missing object."""
    return Rejection(404, "not_found_error", message, details, hint)


def rejected(rejection: Rejection, moment: Moment) -> HttpResponse:
    """The answer to a request that is not accepted."""
    body = error_body(rejection.error, rejection.message, moment.ids, rejection.details)
    response = answer(rejection.status, encode(body), moment, _advice(rejection.status))
    response.hint = rejection.hint
    return response


def refused(refusal: Refusal, moment: Moment) -> HttpResponse:
    """The answer of a provider that does not serve a request; `retry-after` is in whole seconds."""
    status, message = words_of(refusal)
    headers = _advice(status)
    if refusal.retry_after_s is not None:
        headers.append(("retry-after", str(max(1, math.ceil(refusal.retry_after_s)))))
    body = error_body(refusal.kind, message, moment.ids)
    return answer(status, encode(body), moment, headers)


def broken_off(refusal: Refusal, moment: Moment) -> bytes:
    """The event that ends a stream in its middle; here `details` are there, and empty."""
    body = {
        "type": "error",
        "error": {"details": None, "type": refusal.kind, "message": words_of(refusal)[1]},
        "request_id": request_id(moment.ids),
    }
    return b"event: error\ndata: " + encode(body) + b"\n\n"


def error_body(error: str, message: str, ids: Ids, details: JsonObject | None = None) -> JsonObject:
    """The body of an error; `details` only where there are some."""
    said: JsonObject = {"type": error, "message": message}
    if details is not None:
        said["details"] = details
    return {"type": "error", "error": said, "request_id": request_id(ids)}


def words_of(refusal: Refusal) -> tuple[int, str]:
    """The status and the message of a refusal."""
    status, message = _BY_STATUS.get(refusal.status or 0, _WORDS[refusal.kind])
    hit = refusal.limit
    if hit is not None:
        message = (
            f"This request would exceed your organization's rate limit of {hit.per_min:,} {hit.what} per minute "
            f"(org: {ORGANIZATION_ID}, model: {refusal.model}). "
            f"For details, refer to: https://docs.claude.com/en/api/rate-limits.{_RATE_LIMIT_ADVICE}"
        )
    return status, refusal.message or message


def _advice(status: int) -> list[tuple[str, str]]:
    """Whether to try again: `false` was recorded on 400 and 404, `true` on 429 in a published log; the rest follows."""
    again = status in _RETRYABLE_STATUS or status >= _SERVER_ERROR_MIN
    return [("x-should-retry", "true" if again else "false")]

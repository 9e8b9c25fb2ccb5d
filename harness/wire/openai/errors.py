"""Error responses of OpenAI's API.

Status, type and words as recorded or documented (https://platform.openai.com/docs/guides/error-codes). Errors of the
API itself are indented by 2; those of the gateway in front of it, such as 401 and 429, by 4 and end in a newline.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from harness.json_types import JsonObject
from harness.provider import Refusal
from harness.wire.api import Moment
from harness.wire.http import HttpResponse
from harness.wire.openai.encoding import compact, data_line, named_event, pretty
from harness.wire.openai.headers import JSON, ORGANIZATION, go_duration, headers, retry_headers

_GATEWAY = frozenset({401, 403, 404, 429})
_OVERLOADED = (503, "The engine is currently overloaded, please try again later")
_BY_STATUS = {
    408: (408, "Request timed out."),
    409: (409, "The resource was updated by another request."),
    422: (422, "Unable to process the request despite the format being correct."),
    502: (502, "Bad gateway"),
    503: _OVERLOADED,
}
"""Status and words of errors whose kind stands for another status as well."""

_WORDS = {
    "invalid_request_error": (400, "Invalid request"),
    "api_error": (500, "The server had an error while processing your request. Sorry about that!"),
    "overloaded_error": _OVERLOADED,
    "timeout_error": (
        504,
        "The server took too long to process your request. Please retry your request.",
    ),
    "rate_limit_error": (429, "Rate limit reached. Please try again later."),
    "authentication_error": (401, "Incorrect API key provided."),
    "billing_error": (402, "Insufficient balance."),
    "permission_error": (403, "You do not have access to this resource."),
    "not_found_error": (404, "Not found"),
    "request_too_large": (413, "Request body too large."),
    "connection_error": (500, "Connection error."),
}
"""Status and words by the kind of refusal; a 529 is unknown here, and a broken connection told of in batches alone."""

_TYPES = {
    401: ("invalid_request_error", "invalid_api_key"),
    429: ("requests", "rate_limit_exceeded"),
}


class Rejected(Exception):  # noqa: N818 - an answer, not a failure of ours
    """A request that the real API would not have taken.

    Args:
        message: The API's own words.
        param: What is wrong with it.
        code: What kind of mistake it is.
        status: HTTP status.
    """

    def __init__(
        self,
        message: str,
        param: str | None = None,
        code: str | None = None,
        status: int = 400,
        hint: str = "",
    ) -> None:
        super().__init__(message, param, code, status)
        self.hint = hint
        self.problem = Problem(status, message, "invalid_request_error", param, code)


class Problem(NamedTuple):
    """An error of the API."""

    status: int
    message: str
    type: str
    param: str | None
    code: str | None

    @property
    def body(self) -> JsonObject:
        """What is in every error."""
        return {
            "message": self.message,
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }


def answer(problem: Problem, moment: Moment, retry_after_s: float | None = None) -> HttpResponse:
    """The error response."""
    body = pretty({"error": problem.body}, indent=4 if problem.status in _GATEWAY else 2) + b"\n"
    head = [*headers(moment, JSON), *retry_headers(retry_after_s)]
    return HttpResponse(problem.status, head, body)


def problem_of(refusal: Refusal, moment: Moment) -> Problem:
    """A refusal in OpenAI's words."""
    if refusal.limit is not None:
        return _rate_limited(refusal, moment)
    status, message = _BY_STATUS.get(refusal.status or 0, _WORDS[refusal.kind])
    message = refusal.message or message
    if status >= 500:
        return Problem(status, message, "server_error", None, "server_error")
    kind, code = _TYPES.get(status, ("invalid_request_error", None))
    return Problem(status, message, kind, None, code)


def chat_broken_off(problem: Problem) -> bytes:
    """An error in the middle of a stream of chunks."""
    return data_line(compact({"error": problem.body}))


def response_broken_off(problem: Problem, sequence_number: int) -> bytes:
    """An error in the middle of a stream of events; nested, as recorded, though documented as flat."""
    error = {
        "type": problem.type,
        "code": problem.code,
        "message": problem.message,
        "param": problem.param,
    }
    event = {"type": "error", "error": error, "sequence_number": sequence_number}
    return named_event("error", event)


def _rate_limited(refusal: Refusal, moment: Moment) -> Problem:
    """Which limit was reached, and by how much: the wait is what is used and requested beyond the limit, refilled."""
    hit = refusal.limit
    assert hit is not None
    of_requests = hit.what == "requests"
    level = moment.quota.requests if of_requests else moment.quota.input_tokens
    used = hit.per_min if level is None else level.per_min - level.remaining
    missing = math.ceil(hit.retry_after_s * hit.per_min / 60)
    requested = 1 if of_requests else min(hit.per_min, max(1, hit.per_min - used + missing))
    per = "requests per min (RPM)" if of_requests else "tokens per min (TPM)"
    message = (
        f"Rate limit reached for {refusal.model} in organization {ORGANIZATION} on {per}: "
        f"Limit {hit.per_min}, Used {used}, Requested {requested}. "
        f"Please try again in {go_duration(hit.retry_after_s)}. "
        "Visit https://platform.openai.com/account/rate-limits to learn more."
    )
    kind = "requests" if of_requests else "tokens"
    return Problem(429, message, kind, None, "rate_limit_exceeded")

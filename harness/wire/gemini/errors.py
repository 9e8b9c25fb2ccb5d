"""How the API says no: one body for all errors, a `google.rpc.Status` (https://ai.google.dev/gemini-api/docs/troubleshooting)."""

from __future__ import annotations

from harness.json_types import JsonObject
from harness.provider import Refusal
from harness.provider.limits import LimitHit
from harness.wire.api import Moment
from harness.wire.gemini.headers import answer, compact, pretty
from harness.wire.http import HttpResponse

_OVERLOADED = (
    503,
    "UNAVAILABLE",
    "This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again later.",
)
_WORDS = {
    "invalid_request_error": (400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    "authentication_error": (
        401,
        "UNAUTHENTICATED",
        (
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
            "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
        ),
    ),
    "billing_error": (402, "FAILED_PRECONDITION", "Billing is not enabled for this project."),
    "permission_error": (403, "PERMISSION_DENIED", "The caller does not have permission"),
    "not_found_error": (404, "NOT_FOUND", "Requested entity was not found."),
    "request_too_large": (
        413,
        "INVALID_ARGUMENT",
        "Request payload size exceeds the limit: 20971520 bytes.",
    ),
    "rate_limit_error": (
        429,
        "RESOURCE_EXHAUSTED",
        "Resource has been exhausted (e.g. check quota).",
    ),
    "api_error": (
        500,
        "INTERNAL",
        (
            "An internal error has occurred. Please retry or report in "
            "https://developers.generativeai.google/guide/troubleshooting"
        ),
    ),
    "timeout_error": (
        504,
        "DEADLINE_EXCEEDED",
        "Deadline expired before operation could complete.",
    ),
    "overloaded_error": _OVERLOADED,
    "connection_error": (500, "INTERNAL", "Connection error."),
}
"""Status, code and words by the kind of refusal; a 529 is unknown here."""

_BY_STATUS = {
    408: (408, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
    409: (409, "ABORTED", "The operation was aborted, typically due to a concurrency issue."),
    422: (422, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    502: (502, "UNAVAILABLE", "Bad gateway"),
    503: _OVERLOADED,
    504: _WORDS["timeout_error"],
}
"""Those of errors whose kind stands for another status as well."""

_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
}

_QUOTA_DOCS = "https://ai.google.dev/gemini-api/docs/rate-limits"
_METRICS = {
    "requests": (
        "generate_content_paid_tier_requests",
        "GenerateRequestsPerMinutePerProjectPerModel",
    ),
    "input tokens": (
        "generate_content_paid_tier_input_token_count",
        "GenerateContentPaidTierInputTokensPerModelPerMinute",
    ),
    "output tokens": (
        "generate_content_paid_tier_output_token_count",
        "GenerateContentPaidTierOutputTokensPerModelPerMinute",
    ),
}
"""The metric and the id of each limit; the API documents none of output tokens."""

DOMAIN = "type.googleapis.com/google.rpc."


class Rejection(Exception):  # noqa: N818 - nothing is wrong but the request
    """A request that the API does not accept.

    Args:
        message: The API's own words.
        status: HTTP status.
        details: What else it says.
        hint: What harness says of it beside the test.
    """

    def __init__(
        self,
        message: str,
        status: int = 400,
        details: list[JsonObject] | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, status)
        self.message = message
        self.status = status
        self.details = details
        self.hint = hint


def rejected(rejection: Rejection, moment: Moment) -> HttpResponse:
    """The answer to a request that is not accepted."""
    status = rejection.status
    body = error_body(status, _CODES[status], rejection.message, rejection.details)
    response = answer(status, pretty(body), moment)
    response.hint = rejection.hint
    return response


def refused(refusal: Refusal, moment: Moment) -> HttpResponse:
    """The answer of a provider that does not serve a request."""
    body = _body_of(refusal)
    return answer(body["error"]["code"], pretty(body), moment)


def broken_off(refusal: Refusal) -> bytes:
    """The event that ends a stream in its middle."""
    return b"data: " + compact(_body_of(refusal)) + b"\r\n\r\n"


def error_body(
    status: int, code: str, message: str, details: list[JsonObject] | None = None
) -> JsonObject:
    """The body of an error; `details` only where there are some."""
    error: JsonObject = {"code": status, "message": message, "status": code}
    if details:
        error["details"] = details
    return {"error": error}


def _body_of(refusal: Refusal) -> JsonObject:
    status, code, message = _BY_STATUS.get(refusal.status or 0, _WORDS[refusal.kind])
    details: list[JsonObject] = []
    if refusal.limit is not None:
        message = _quota_message(refusal, refusal.limit)
        details = _quota_details(refusal, refusal.limit)
    if refusal.retry_after_s is not None:
        delay = f"{refusal.retry_after_s:.9g}s"
        details.append({"@type": f"{DOMAIN}RetryInfo", "retryDelay": delay})
    return error_body(status, code, refusal.message or message, details)


def _quota_message(refusal: Refusal, hit: LimitHit) -> str:
    metric, _ = _METRICS[hit.what]
    again = (
        "" if refusal.retry_after_s is None else f"\nPlease retry in {refusal.retry_after_s:.9g}s."
    )
    return (
        "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
        f"head to: {_QUOTA_DOCS}. To monitor your current usage, head to: https://ai.dev/rate-limit. \n"
        f"* Quota exceeded for metric: generativelanguage.googleapis.com/{metric}, limit: {hit.per_min}, "
        f"model: {refusal.model}{again}"
    )


def _quota_details(refusal: Refusal, hit: LimitHit) -> list[JsonObject]:
    metric, quota_id = _METRICS[hit.what]
    return [
        {
            "@type": f"{DOMAIN}Help",
            "links": [{"description": "Learn more about Gemini API quotas", "url": _QUOTA_DOCS}],
        },
        {
            "@type": f"{DOMAIN}QuotaFailure",
            "violations": [
                {
                    "quotaMetric": f"generativelanguage.googleapis.com/{metric}",
                    "quotaId": quota_id,
                    "quotaDimensions": {"location": "global", "model": refusal.model},
                    "quotaValue": str(hit.per_min),
                }
            ],
        },
    ]

"""What every request must have, whatever it asks for: a credential, a version, and a body of JSON."""

from __future__ import annotations

from harness.json_types import JsonObject
from harness.wire.anthropic.errors import Rejection, invalid
from harness.wire.http import HttpRequest, max_body_bytes
from harness.wire.json_body import JsonError, parse

OLD_VERSION = "2023-06-01"
NEW_VERSION = "2026-10-21"
"""Since then sampling cannot be steered, and a request is read more strictly."""
_VERSIONS = ("2023-01-01", OLD_VERSION, NEW_VERSION)


def check_credential(http: HttpRequest) -> None:
    """Require an API key in one of the two headers; any value is accepted.

    Raises:
        Rejection: There is none.
    """
    key, bearer = http.headers.get("x-api-key"), http.headers.get("authorization")
    if key is None and bearer is None:
        raise Rejection(401, "authentication_error", "x-api-key header is required")
    token = (bearer or "").removeprefix("Bearer").strip()
    if not (key or "").strip() and not token:
        raise Rejection(401, "authentication_error", "invalid x-api-key")


def version_of(http: HttpRequest) -> str:
    """The version of the API that the client speaks.

    Raises:
        Rejection: It does not say, or there is no such version (whose words are a guess).
    """
    version = http.headers.get("anthropic-version", "")
    if not version:
        raise invalid("anthropic-version: header is required")
    if version not in _VERSIONS:
        raise invalid(f'anthropic-version: "{version}" is not a valid version')
    return version


def betas_of(http: HttpRequest) -> str:
    """The beta features that the client wants, separated by commas."""
    return http.headers.get("anthropic-beta", "")


def body_of(http: HttpRequest) -> JsonObject:
    """The body.

    Raises:
        Rejection: It is too large, or no JSON object.
    """
    if http.too_large or len(http.body) > max_body_bytes(http.path):
        raise Rejection(413, "request_too_large", "Request exceeds the maximum size")
    try:
        body = parse(http.body)
    except JsonError as error:
        reason = str(error)
        raise invalid(
            f"The request body is not valid JSON: {reason[:1].lower()}{reason[1:]}"
        ) from None
    if not isinstance(body, dict):
        raise invalid("Input should be a valid dictionary or object to extract fields from")
    return body

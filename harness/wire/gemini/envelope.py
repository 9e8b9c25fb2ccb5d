"""What every request must have, whatever it asks for: a credential, and a body of JSON."""

from __future__ import annotations

from urllib.parse import parse_qs

from harness.json_types import JsonObject
from harness.wire.gemini.errors import DOMAIN, Rejection
from harness.wire.http import HttpRequest, max_body_bytes
from harness.wire.json_body import JsonError, parse

_NO_KEY = (
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of "
    "API consumer identity to call this API."
)
_BAD_KEY = "API key not valid. Please pass a valid API key."


def check_credential(http: HttpRequest) -> None:
    """Require an API key in the header or the query, or a token; any value is accepted.

    Raises:
        Rejection: There is none, or an empty one.
    """
    key = http.headers.get("x-goog-api-key")
    if key is None:
        key = next(iter(parse_qs(http.query, keep_blank_values=True).get("key", ())), None)
    bearer = http.headers.get("authorization", "").removeprefix("Bearer").strip()
    if key is None and not bearer:
        raise Rejection(_NO_KEY, 403)
    if not bearer and not (key or "").strip():
        reason = {
            "@type": f"{DOMAIN}ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
            "metadata": {"service": "generativelanguage.googleapis.com"},
        }
        words = {"@type": f"{DOMAIN}LocalizedMessage", "locale": "en-US", "message": _BAD_KEY}
        raise Rejection(_BAD_KEY, details=[reason, words])


def json_body(http: HttpRequest) -> JsonObject:
    """The body; an empty one is an empty object.

    Raises:
        Rejection: It is too large, or no JSON object.
    """
    most = max_body_bytes(http.path)
    if http.too_large or len(http.body) > most:
        raise Rejection(f"Request payload size exceeds the limit: {most} bytes.")
    try:
        body = parse(http.body) if http.body.strip() else {}
    except JsonError as error:
        raise Rejection(f"Invalid JSON payload received. {error}") from None
    if not isinstance(body, dict):
        raise Rejection(
            'Invalid JSON payload received. Unknown name "": Root element must be a message.'
        )
    return body

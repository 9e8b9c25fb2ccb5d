"""Send traces to a collector over OTLP/HTTP, with the standard library only."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from harness.errors import HarnessError

TIMEOUT_WALL_S: Final = 10.0
"""How long to wait for a collector [real s], as the SDKs of OpenTelemetry do."""

_ANSWER_BYTES_MAX: Final = 10_000
"""As much of an answer is read: enough for what a collector has to say, and no more of what is none."""

_TRACES_PATH: Final = "/v1/traces"
_HEADERS: Final = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")
"""Where headers are found; the second counts more."""


class Sent(NamedTuple):
    """The result of sending spans."""

    spans: int
    rejected: int
    """How many of them the collector refused to take."""
    message: str
    """What it said of that, or as a warning."""


def post(url: str, bodies: Iterable[tuple[int, bytes]]) -> Sent:
    """Send OTLP/JSON documents one after another.

    Args:
        url: The collector; `/v1/traces` is appended when it has no path.
        bodies: Documents with the number of spans in each.

    Returns:
        How many spans were sent, and what the collector said.

    Raises:
        HarnessError: The address is none, a header cannot be read, or the collector is not there or refuses.
    """
    target = _target(url)
    request_headers = {"Content-Type": "application/json", **_headers()}
    spans = rejected = 0
    message = ""
    for count, body in bodies:
        answer = _post(target, request_headers, body)
        partial = answer.get("partialSuccess") if isinstance(answer, dict) else None
        if isinstance(partial, dict):
            refused = str(
                partial.get("rejectedSpans", 0)
            )  # an integer of 64 bits: a text, says the format
            rejected += int(refused) if refused.isdecimal() and len(refused) < 20 else 0
            message = str(partial.get("errorMessage", "")) or message
        spans += count
    return Sent(spans, rejected, message)


def _target(url: str) -> str:
    """The address that is posted to."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, known = urlsplit(""), False
    if not known or not url.isascii() or not url.isprintable() or " " in url:
        raise HarnessError(
            f"{_without_secrets(url)} is not the address of a collector\n"
            "  How to fix: name one that begins with http:// or https://, such as http://localhost:4318"
        )
    if parts.username is not None or parts.password is not None:
        raise HarnessError(
            f"{_without_secrets(url)} was given with a user's name or password, which other users of this machine can see\n"
            "  How to fix: put `Authorization=Basic%20...` into the variable OTEL_EXPORTER_OTLP_HEADERS"
        )
    path = parts.path if parts.path.strip("/") else _TRACES_PATH
    return urlunsplit(SplitResult(parts.scheme, parts.netloc, path, parts.query, ""))


def _without_secrets(url: str) -> str:
    """An address as it may be shown: without what stands before the host, and without its query."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "", url
    authority, slash, path = rest.partition("/")
    path = path.partition("?")[0].partition("#")[0]
    return f"{scheme}{separator}{authority.rpartition('@')[2].partition('?')[0]}{slash}{path}"


def _headers() -> dict[str, str]:
    """The headers of the environment, in the format of OpenTelemetry: `name=value,name=value`, escaped as in a URL."""
    found: dict[str, str] = {}
    for variable in _HEADERS:
        for place, pair in enumerate(filter(str.strip, os.environ.get(variable, "").split(",")), 1):
            name, separator, value = pair.partition("=")
            name, value = unquote(name.strip()), unquote(value.strip())
            if not separator or not _is_token(name) or not value.isprintable() or not value.isascii():  # fmt: skip
                raise HarnessError(
                    f"{variable}: header {place} is not of the form name=value\n"
                    "  How to fix: write name=value,name=value and escape other characters as in a URL, such as %20"
                )
            found[name] = value
    return found


def _is_token(name: str) -> bool:
    return name.isascii() and name.replace("-", "").replace("_", "").replace(".", "").isalnum()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirects: headers with secrets would be sent to their target."""

    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401 - as its base has it
        return None


def _post(target: str, headers: dict[str, str], body: bytes) -> Any:  # noqa: ANN401 - JSON of a stranger
    shown = _without_secrets(target)
    request = urllib.request.Request(target, data=body, headers=headers, method="POST")  # noqa: S310 - checked above
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=TIMEOUT_WALL_S) as answer:
            text = answer.read(_ANSWER_BYTES_MAX)
    except urllib.error.HTTPError as error:
        with error:
            said = _said(error.read(_ANSWER_BYTES_MAX), headers)
        raise HarnessError(
            f"the collector at {shown} refused the trace: HTTP {error.code}{said}\n"
            f"  How to fix: {_ADVICE.get(error.code, 'see what it says, and its own log')}"
        ) from None
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        late = isinstance(reason, TimeoutError)
        what = f"did not answer within {TIMEOUT_WALL_S:g} s" if late else f"cannot be reached: {_reason(reason)}"  # fmt: skip
        raise HarnessError(
            f"the collector at {shown} {what}\n  How to fix: see that it runs and listens there for OTLP over HTTP"
        ) from None
    try:
        return json.loads(text or b"{}")
    except ValueError:
        return {}  # it has taken the spans, whatever it says in another language


_ADVICE: Final = {
    401: "put the key it wants into OTEL_EXPORTER_OTLP_HEADERS",
    403: "put the key it wants into OTEL_EXPORTER_OTLP_HEADERS",
    404: "name the path at which it takes traces, such as http://localhost:4318/v1/traces",
    405: "name the path at which it takes traces, such as http://localhost:4318/v1/traces",
    415: "it takes no JSON, as Phoenix does not; send to an OpenTelemetry collector that passes it on",
}


def _said(body: bytes, headers: Mapping[str, str]) -> str:
    """The first line of what a collector says of its refusal, without the keys that it may repeat in it."""
    line = body.decode("utf-8", "replace").strip().partition("\n")[0]
    for value in headers.values():
        line = line.replace(value, "***") if value else line
    line = line[:200]
    return f", {line}" if line else ""


def _reason(error: object) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or "no reason given"  # fmt: skip

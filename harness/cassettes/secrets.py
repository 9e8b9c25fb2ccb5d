"""Find secrets that another recorder has left in a cassette."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from harness.cassettes.cassette import RecordedRequest, RecordedResponse
from harness.cassettes.credentials import SECRET_HEADER, is_credential, scrubbed_body, scrubbed_text

_MASKED = re.compile(
    r"(?i)\[secret\]|X{3,}|\*{3,}|redact|filter|scrub|dummy|fake|placeholder|^\s*$|^(?:bearer\s*)?(?:test|mock)?[-_]?(?:api)?[-_]?key$"
)


def secrets_in(request: RecordedRequest, response: RecordedResponse) -> Iterator[str]:
    """Where something in an interaction looks like a secret, in words."""
    for where, headers in (("request", request.headers), ("response", response.headers)):
        for name, value in headers:
            if _MASKED.search(value):
                continue
            if SECRET_HEADER.match(name) or scrubbed_text(value) != value:
                yield f"the header {name!r} of its {where}"
    if _has_credentials(request.url):
        yield "its URL"
    for where, body in (("request", request.body), ("response", response.body)):
        if (place := _first_secret(body)) is not None:
            yield f"the body of its {where}, at {place}"


def _has_credentials(url: str) -> bool:
    parts = urlsplit(url)
    named = any(
        is_credential(name) and not _MASKED.search(value) for name, value in parse_qsl(parts.query)
    )
    return named or bool(parts.username) or scrubbed_text(url) != url


def _first_secret(body: bytes) -> str | None:
    """Where the first secret in a body is; None if there is none."""
    without = scrubbed_body(body)
    if without == body:
        return None
    same = next((n for n, (a, b) in enumerate(zip(body, without, strict=False)) if a != b), 0)
    if _MASKED.match(body[same : same + 40].decode("utf-8", "replace")):
        return None
    before = body[max(0, same - 30) : same].decode("utf-8", "replace")
    return f"character {same + 1}" + (f", after {before!r}" if before else "")

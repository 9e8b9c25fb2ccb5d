"""The headers of every answer, in the capitals in which recorded traffic has them (February to May 2026).

The length or the chunks of a body are not announced here: `harness.wire.http` does so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from harness.provider.limits import Level, Quota
from harness.wire.api import Ids, Moment
from harness.wire.dates import http_date, rfc3339
from harness.wire.http import Header, Headers, HttpResponse, Part

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""The letters of Anthropic's ids."""
HEX = "0123456789abcdef"

ORGANIZATION_ID = "00000000-0000-4000-8000-000000000000"
"""Whose API key it is."""

# Where the run sets no limits: those of the Scale tier for all but Fable models, never touched
# (https://docs.claude.com/en/api/rate-limits).
_UNLIMITED = Quota(
    Level(10_000, 10_000, 0.0), Level(10_000_000, 10_000_000, 0.0), Level(2_000_000, 2_000_000, 0.0)
)

JSON = "application/json"
STREAM = "text/event-stream; charset=utf-8"


def answer(
    status: int,
    body: bytes | Sequence[Part],
    moment: Moment,
    more: Headers | None = None,
    content_type: str = JSON,
) -> HttpResponse:
    """An answer with all its headers.

    Args:
        status: HTTP status.
        body: The body, in one piece or in parts.
        moment: When it is sent.
        more: Headers that only this kind of answer has.
        content_type: What the body is.
    """
    streamed = [("Cache-Control", "no-cache")] if content_type == STREAM else []
    headers = [
        ("Date", http_date(moment.at_s)),
        ("Content-Type", content_type),
        ("Connection", "keep-alive"),
        *streamed,
        ("Server", "cloudflare"),
        ("CF-RAY", f"{moment.ids.next('cf-ray', 16, HEX)}-SJC"),
        ("cf-cache-status", "DYNAMIC"),
        ("X-Robots-Tag", "none"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
        ("vary", "Accept-Encoding"),
        ("request-id", request_id(moment.ids)),
        ("anthropic-organization-id", ORGANIZATION_ID),
        *_rate_limits(moment),
        *_timing(moment),
        *(more or []),
    ]
    return HttpResponse(status, headers, body)


_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
"""Made once: `json.dumps` makes one for every value that is not written in its default way."""


def encode(value: object) -> bytes:
    """A value as compact JSON; a half of a surrogate pair, which UTF-8 cannot carry, as its escape."""
    return _COMPACT.encode(value).encode("utf-8", "backslashreplace")


def request_id(ids: Ids) -> str:
    """The id of a request: the same in its header and in its body."""
    return "req_011C" + ids.first("request", 20, BASE58)


class _Limit(NamedTuple):
    """The headers of one limit: all but the time at which it is full again."""

    limit: Header
    remaining: Header
    reset: str
    """The name of the header of that time."""
    full_in_s: float


def _rate_limits(moment: Moment) -> Headers:
    now = rfc3339(moment.at_s)
    headers: Headers = []
    for limit, remaining, reset, full_in_s in _limits(moment.quota):
        full = rfc3339(math.ceil(moment.at_s + full_in_s)) if full_in_s else now
        headers += (limit, remaining, (reset, full))
    return headers


@lru_cache(maxsize=64)
def _limits(quota: Quota) -> tuple[_Limit, ...]:
    """What is left; of tokens to the nearest thousand. All tokens together are those of input and output."""
    requests = quota.requests or _UNLIMITED.requests
    input_tokens = quota.input_tokens or _UNLIMITED.input_tokens
    output_tokens = quota.output_tokens or _UNLIMITED.output_tokens
    assert requests is not None
    assert input_tokens is not None
    assert output_tokens is not None
    tokens = Level(
        input_tokens.per_min + output_tokens.per_min,
        input_tokens.remaining + output_tokens.remaining,
        max(input_tokens.full_in_s, output_tokens.full_in_s),
    )
    return (
        _limit("requests", requests, requests.remaining),
        _limit("input-tokens", input_tokens, _thousands(input_tokens)),
        _limit("output-tokens", output_tokens, _thousands(output_tokens)),
        _limit("tokens", tokens, _thousands(tokens)),
    )


def _limit(what: str, level: Level, remaining: int) -> _Limit:
    name = f"anthropic-ratelimit-{what}"
    return _Limit(
        (f"{name}-limit", str(level.per_min)),
        (f"{name}-remaining", str(remaining)),
        f"{name}-reset",
        level.full_in_s,
    )


def _thousands(level: Level) -> int:
    """What is left, to the nearest thousand; a limit below that is told exactly, as zero would be no news (a guess)."""
    return level.remaining if level.per_min < 1000 else round(level.remaining, -3)


def _timing(moment: Moment) -> Headers:
    took_ms = round(moment.took_s * 1000)
    trace = moment.ids.next("trace", 32, HEX)
    return [
        ("x-envoy-upstream-service-time", str(took_ms)),
        ("server-timing", f"x-originResponse;dur={took_ms}"),
        ("traceresponse", f"00-{trace}-{moment.ids.next('trace-span', 16, HEX)}-01"),
    ]

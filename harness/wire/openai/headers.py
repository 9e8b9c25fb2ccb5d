"""The headers of every answer.

Names, order and constants as in 2,084 recorded replies; cookies are left out, as they are in all replies but the first
on a connection.
"""

from __future__ import annotations

from functools import lru_cache

from harness.provider.limits import Level, Quota
from harness.virtual.clocks import EPOCH_S
from harness.wire.api import Moment
from harness.wire.dates import http_date
from harness.wire.http import Header, Headers
from harness.wire.openai.encoding import HEX

ORGANIZATION = "org-harnesssimulatedrun00000"
"""Whom the key belongs to; in words of 429s, too."""

JSON = "application/json"
EVENTS = "text/event-stream; charset=utf-8"

# What gpt-4o allows in usage tier 5, as recorded; said where the scenario states no limits.
_REQUESTS = Level(per_min=10_000, remaining=9_999, full_in_s=0.006)
_TOKENS = Level(per_min=30_000_000, remaining=29_999_980, full_in_s=0.0)


def headers(moment: Moment, content_type: str) -> Headers:
    """The headers of an answer, without those that frame its body."""
    took_ms = round(moment.took_s * 1000)
    return [
        ("Date", http_date(moment.at_s)),
        ("Content-Type", content_type),
        ("Connection", "keep-alive"),
        ("Server", "cloudflare"),
        ("access-control-expose-headers", "X-Request-ID"),
        ("openai-organization", ORGANIZATION),
        ("openai-processing-ms", str(took_ms)),
        ("openai-project", "proj_harnesssimulatedrun"),
        ("openai-version", "2020-10-01"),
        ("x-envoy-upstream-service-time", str(took_ms + 2)),
        ("x-openai-proxy-wasm", "v0.1"),
        *_rate_limits(moment.quota),
        ("x-request-id", "req_" + moment.ids.next("req_", 32, HEX)),
        ("cf-cache-status", "DYNAMIC"),
        ("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload"),
        ("X-Content-Type-Options", "nosniff"),
        ("CF-RAY", moment.ids.next("cf-ray", 16, HEX) + "-SJC"),
        ("alt-svc", 'h3=":443"; ma=86400'),
    ]


def begun_s(moment: Moment) -> int:
    """When work on an answer began [s since 1970]; rounded first, or a second could be lost to the last bit."""
    return int(EPOCH_S + round(moment.at_s - moment.took_s, 6))


def retry_headers(retry_after_s: float | None) -> Headers:
    """When to come back, if anybody says so."""
    if retry_after_s is None:
        return []
    return [
        ("retry-after", f"{retry_after_s:g}"),
        ("retry-after-ms", str(round(retry_after_s * 1000))),
    ]


def go_duration(duration_s: float) -> str:
    """A duration as the language Go writes it, in whole milliseconds: `6ms`, `1.5s`, `1m30s`, `6m0s`.

    Source: https://pkg.go.dev/time#Duration.String; the recorded headers are in this form.
    """
    ms = int(duration_s * 1000)
    if ms == 0:
        return "0s"
    if ms < 1000:
        return f"{ms}ms"
    minutes, ms = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{ms / 1000:g}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


@lru_cache(maxsize=64)
def _rate_limits(quota: Quota) -> tuple[Header, ...]:
    requests = quota.requests or _REQUESTS
    tokens = quota.input_tokens or _TOKENS
    return (
        ("x-ratelimit-limit-requests", str(requests.per_min)),
        ("x-ratelimit-limit-tokens", str(tokens.per_min)),
        ("x-ratelimit-remaining-requests", str(requests.remaining)),
        ("x-ratelimit-remaining-tokens", str(tokens.remaining)),
        ("x-ratelimit-reset-requests", go_duration(requests.full_in_s)),
        ("x-ratelimit-reset-tokens", go_duration(tokens.full_in_s)),
    )

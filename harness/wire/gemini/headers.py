"""The headers of every answer, and JSON as Google writes it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence

from harness.virtual.clocks import EPOCH_S
from harness.wire.api import Moment
from harness.wire.dates import http_date
from harness.wire.http import HttpResponse, Part

JSON = "application/json; charset=UTF-8"
STREAM = "text/event-stream"

_TIER = "x-gemini-service-tier"


def answer(
    status: int,
    body: bytes | Sequence[Part],
    moment: Moment,
    content_type: str = JSON,
    tier: str = "",
) -> HttpResponse:
    """An answer with all its headers.

    Args:
        status: HTTP status.
        body: The body, in one piece or in parts.
        moment: When it is sent.
        content_type: What the body is.
        tier: The service tier of a model's answer; empty for other answers.
    """
    took_ms = round(moment.took_s * 1000)
    attachment = [("Content-Disposition", "attachment")] if content_type == STREAM else []
    headers = [
        ("Content-Type", content_type),
        *attachment,
        ("Vary", "Origin"),
        ("Vary", "X-Origin"),
        ("Vary", "Referer"),
        ("Date", http_date(moment.at_s)),
        ("Server", "scaffolding on HTTPServer2"),
        ("X-XSS-Protection", "0"),
        ("X-Frame-Options", "SAMEORIGIN"),
        ("X-Content-Type-Options", "nosniff"),
        ("Server-Timing", f"gfet4t7; dur={took_ms}"),
        *([(_TIER, tier)] if tier else []),
    ]
    return HttpResponse(status, headers, body)


def pretty(value: object) -> bytes:
    """JSON as in a whole answer: indented by 2, with a newline at the end."""
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode(
        "utf-8", "backslashreplace"
    )


def compact(value: object) -> bytes:
    """JSON as in a stream; a half of a surrogate pair as its escape."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def wall(at_s: float) -> datetime.datetime:
    """The date at a virtual time."""
    return datetime.datetime.fromtimestamp(EPOCH_S + at_s, datetime.UTC)


def timestamp(at_s: float) -> str:
    """A virtual time as a `google.protobuf.Timestamp`, to the microsecond."""
    return wall(at_s).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

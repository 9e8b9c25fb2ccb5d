"""JSON as OpenAI writes it: whole answers indented, streams compact.

As recorded (pydantic-ai, crewai and dd-trace-py cassettes, 2024 to 2026).
"""

from __future__ import annotations

import json

from harness.json_types import JsonObject

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""The letters of ids of Chat Completions, of tool calls and of padding."""

HEX = "0123456789abcdef"
"""The letters of ids of the Responses API and of requests."""


_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
"""Made once: `json.dumps` makes one for every value that is not written in its default way."""


def pretty(body: object, indent: int = 2) -> bytes:
    """A whole answer, without a newline at its end.

    Args:
        body: The answer.
        indent: How far each level is indented; the gateway in front of the API uses 4.
    """
    return json.dumps(body, indent=indent, ensure_ascii=False).encode("utf-8", "replace")


def compact(body: object) -> str:
    """A part of a stream, or a text to be counted."""
    return _COMPACT.encode(body)


def data_line(body: str) -> bytes:
    """One event that has no name."""
    return f"data: {body}\n\n".encode("utf-8", "replace")


def named_event(name: str, body: JsonObject) -> bytes:
    """One event that has a name."""
    return f"event: {name}\ndata: {compact(body)}\n\n".encode("utf-8", "replace")

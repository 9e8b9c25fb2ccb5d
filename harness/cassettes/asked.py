"""What recorded requests ask, whatever API they are of: the model, the system prompt, the last text of the user."""

from __future__ import annotations

import re
from typing import Any

from harness.cassettes.cassette import RecordedRequest
from harness.json_types import JsonObject

_IN_PATH = re.compile(r"/models/([^/:]+):(\w+)$")
"""The model and what is asked of it, where the path says so."""


def model_asked(request: RecordedRequest) -> str:
    """The model that a request asks; empty if it asks none."""
    named = _text(_mapping(request.json).get("model"))
    found = _IN_PATH.search(request.path)
    return named or ("" if found is None else found[1])


def is_streamed(request: RecordedRequest) -> bool:
    """Whether a request asks for a stream."""
    found = _IN_PATH.search(request.path)
    streams = found is not None and found[2].startswith("stream")
    return streams or _mapping(request.json).get("stream") is True


def system_of(request: RecordedRequest) -> str:
    """The system prompt of a request."""
    body = _mapping(request.json)
    if (system := body.get("system") or body.get("instructions")) is not None:
        return text_of(system)
    if (system := body.get("systemInstruction") or body.get("system_instruction")) is not None:
        return text_of(_mapping(system).get("parts"))
    told = [
        text_of(message.get("content"))
        for message in map(_mapping, _list(body.get("messages")) or _list(body.get("input")))
        if message.get("role") in ("system", "developer")
    ]
    return "\n".join(told)


def last_user_text_of(request: RecordedRequest) -> str:
    """The last text of the user in a request."""
    body = _mapping(request.json)
    asked = body.get("input")
    if isinstance(asked, str):
        return asked
    for message in reversed(_list(body.get("messages")) or _list(asked)):
        if _mapping(message).get("role") == "user" and (text := text_of(message.get("content"))):
            return text
    for content in reversed(_list(body.get("contents"))):
        said = _mapping(content)
        if said.get("role", "user") == "user" and (text := text_of(said.get("parts"))):
            return text
    return ""


def text_of(content: object) -> str:
    """The text of what a message contains."""
    if isinstance(content, str):
        return content
    return "\n".join(_text(_mapping(part).get("text")) for part in _list(content))


def _mapping(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

"""Changes to answers of Chat Completions, in whole ones and in streams; other answers stay as they are."""

from __future__ import annotations

import json
from collections.abc import Callable

from harness.json_types import JsonObject
from harness.wire.api import Moment
from harness.wire.dialects.dialect import Answered, encoded, event_of
from harness.wire.http import HttpResponse, Part

Change = Callable[[JsonObject, Answered, int], None]
"""Changes a body, or a chunk of which the number is given."""

_OWN_HEADERS = ("openai-", "x-openai-")
"""Headers that OpenAI's servers alone send."""


def changed(it: Answered, change: Change) -> HttpResponse:
    """The answer with a change made to its body, or to each of its chunks, which have no padding."""
    response = without_vendor_headers(it.response)
    if not isinstance(response.body, bytes):
        chunks = enumerate(response.body)
        return HttpResponse(
            response.status, response.headers, [_changed(part, change, it, n) for n, part in chunks]
        )
    body = json.loads(response.body)
    if body.get("object") != "chat.completion":
        return response
    change(body, it, 0)
    return HttpResponse(response.status, response.headers, encoded(body))


def _changed(part: Part, change: Change, it: Answered, number: int) -> Part:
    chunk = event_of(part)
    if chunk is None or chunk.get("object") != "chat.completion.chunk":
        return part
    chunk.pop("obfuscation", None)
    change(chunk, it, number)
    return Part(b"data: " + encoded(chunk) + b"\n\n", part.share)


def without_vendor_headers(response: HttpResponse) -> HttpResponse:
    """The response without the headers of OpenAI's own servers."""
    kept = [one for one in response.headers if not one[0].lower().startswith(_OWN_HEADERS)]
    return HttpResponse(response.status, kept, response.body)


def error_of_vendor(response: HttpResponse, moment: Moment) -> HttpResponse:
    """The API's error as another vendor sends it."""
    del moment
    return without_vendor_headers(response)

"""Lists that come page by page."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs

from harness.json_types import JsonObject
from harness.wire.gemini.errors import Rejection

_DEFAULT_ITEMS = 50
_MAX_ITEMS = 1000


def page(name: str, items: list[JsonObject], query: str) -> JsonObject:
    """One page of a list.

    Args:
        name: The field that has the items.
        items: The whole list.
        query: The query of the request: `pageSize` and `pageToken`.

    Raises:
        Rejection: The page token is none.
    """
    wishes = {key: values[-1] for key, values in parse_qs(query).items()}
    asked = wishes.get("pageSize", wishes.get("page_size", ""))
    size = min(int(asked), _MAX_ITEMS) if asked.isdecimal() and int(asked) else _DEFAULT_ITEMS
    first = _place_of(wishes.get("pageToken", wishes.get("page_token", "")))
    found: JsonObject = {}
    if items[first : first + size]:
        found[name] = items[first : first + size]
    if first + size < len(items):
        found["nextPageToken"] = base64.b64encode(str(first + size).encode()).decode()
    return found


def _place_of(token: str) -> int:
    if not token:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except ValueError:
        raise Rejection("Invalid page token.") from None

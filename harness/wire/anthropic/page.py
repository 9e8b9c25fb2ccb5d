"""Lists that come page by page."""

from __future__ import annotations

from urllib.parse import parse_qs

from harness.json_types import JsonObject
from harness.wire.anthropic.errors import invalid

_DEFAULT_ITEMS = 20
_MAX_ITEMS = 1000


def page(items: list[JsonObject], query: str) -> JsonObject:
    """One page of a list.

    Args:
        items: The whole list.
        query: The query of the request: `limit`, and `after_id` or `before_id`.
    """
    wishes = {name: values[-1] for name, values in parse_qs(query).items()}
    limit = _limit(wishes.get("limit", str(_DEFAULT_ITEMS)))
    ids = [item["id"] for item in items]
    first, last = 0, len(items)
    if wishes.get("after_id") in ids:
        first = ids.index(wishes["after_id"]) + 1
    backwards = wishes.get("before_id") in ids
    if backwards:
        last = ids.index(wishes["before_id"])
        first = max(0, last - limit)
    shown = items[first:last][:limit]
    more = first > 0 if backwards else first + limit < len(items)
    return {
        "data": shown,
        "has_more": more,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
    }


def _limit(text: str) -> int:
    if not text.isdecimal():
        raise invalid(
            "limit: Input should be a valid integer, unable to parse string as an integer"
        )
    if not 1 <= int(text) <= _MAX_ITEMS:
        raise invalid(f"limit: Input should be between 1 and {_MAX_ITEMS}")
    return int(text)

"""Paginated lists."""

from __future__ import annotations

from urllib.parse import parse_qs

from harness.json_types import JsonObject
from harness.wire.openai.errors import Rejected

_DEFAULT_ITEMS = 20
_MAX_ITEMS = 10_000


def page(items: list[JsonObject], query: str) -> JsonObject:
    """One page of a list.

    Args:
        items: The whole list.
        query: The query of the request: `limit` and `after`.
    """
    wishes = {name: values[-1] for name, values in parse_qs(query).items()}
    text = wishes.get("limit", str(_DEFAULT_ITEMS))
    if not text.isdecimal() or not 1 <= int(text[:9]) <= _MAX_ITEMS:
        raise Rejected(
            f"Invalid 'limit': expected an integer from 1 to {_MAX_ITEMS}, but got '{text[:20]}' instead.",
            "limit",
        )
    ids = [item["id"] for item in items]
    after = wishes.get("after")
    first = ids.index(after) + 1 if after in ids else 0
    shown = items[first : first + int(text)]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": first + len(shown) < len(items),
    }

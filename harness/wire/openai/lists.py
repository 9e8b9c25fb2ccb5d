"""Paginated lists."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qs

from harness.json_types import JsonObject
from harness.wire.openai.errors import Rejected
from harness.wire.openai.limits import check_value

_DEFAULT_ITEMS = 20
_MAX_FILES = 10_000
_MAX_ITEMS = 100
"""How long a page may be: of files and batches, and of the items of a response or a conversation."""

_ORDERS = ("asc", "desc")


def wishes_of(query: str) -> dict[str, str]:
    """What a query says, by name; the last value counts."""
    return {name: values[-1] for name, values in parse_qs(query).items()}


def page_of_items(items: Sequence[JsonObject], query: str) -> JsonObject:
    """One page of the items of a response or a conversation, the latest first unless `order` says otherwise.

    Args:
        items: All of them, the oldest first.
        query: The query of the request: `limit`, `after` and `order`.

    Raises:
        Rejected: The query is wrong.
    """
    order = wishes_of(query).get("order", "desc")
    check_value("order", order, _ORDERS)
    ordered = list(items) if order == "asc" else list(items)[::-1]
    return page(ordered, query, _MAX_ITEMS)


def page(items: list[JsonObject], query: str, most: int = _MAX_FILES) -> JsonObject:
    """One page of a list.

    Args:
        items: The whole list.
        query: The query of the request: `limit` and `after`.
        most: How long a page may be.

    Raises:
        Rejected: The query is wrong.
    """
    wishes = wishes_of(query)
    text = wishes.get("limit", str(_DEFAULT_ITEMS))
    if not text.isdecimal() or not 1 <= int(text[:9]) <= most:
        raise Rejected(
            f"Invalid 'limit': expected an integer from 1 to {most}, but got '{text[:20]}' instead.",
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

"""Lists that come page by page."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from harness.json_types import JsonObject
from harness.wire.anthropic.errors import invalid

_DEFAULT_ITEMS = 20
_MAX_ITEMS = 1000
_MAX_IDS = 100
_PAGE = "page_"


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


def cursor_page(items: list[JsonObject], query: str) -> JsonObject:
    """One page of a list whose pages have names, or the items of some ids.

    Args:
        items: The whole list, newest first.
        query: The query of the request: `limit` and `page`, or `ids[]`.
    """
    wishes = parse_qs(query, keep_blank_values=True)
    for name in ("before_id", "after_id"):
        if name in wishes:
            raise invalid(f"{name}: Extra inputs are not permitted")
    wanted = dict.fromkeys(wishes.get("ids[]", []) + wishes.get("ids", []))
    if wanted:
        if "page" in wishes or "limit" in wishes:
            raise invalid("ids: cannot be combined with page or limit")
        if len(wanted) > _MAX_IDS:
            raise invalid(f"ids: List should have at most {_MAX_IDS} items")
        return {"data": [item for item in items if item["id"] in wanted], "next_page": None}
    limit = _limit(wishes.get("limit", [str(_DEFAULT_ITEMS)])[-1])
    number = _first_of(wishes["page"][-1]) if "page" in wishes else len(items)
    shown = items[max(0, len(items) - number) :]
    rest = len(shown) - limit
    return {"data": shown[:limit], "next_page": f"{_PAGE}{rest:016x}" if rest > 0 else None}


def _first_of(name: str) -> int:
    """How many items are left where a page begins: new ones stand before it, and move nothing."""
    digits = name.removeprefix(_PAGE)
    if digits == name or re.fullmatch("[0-9a-f]{16}", digits) is None:
        raise invalid("page: Invalid page cursor")
    return int(digits, 16)


def _limit(text: str) -> int:
    if not text.isdecimal():
        raise invalid(
            "limit: Input should be a valid integer, unable to parse string as an integer"
        )
    if not 1 <= int(text) <= _MAX_ITEMS:
        raise invalid(f"limit: Input should be between 1 and {_MAX_ITEMS}")
    return int(text)

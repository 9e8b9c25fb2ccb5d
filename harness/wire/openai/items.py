"""Items of responses and conversations: as a request gives them, and as a list shows them."""

from __future__ import annotations

from typing import Any

from harness.json_types import JsonObject
from harness.wire.api import Ids
from harness.wire.openai.response_object import new_id

Items = tuple[JsonObject, ...]

_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "reasoning": "rs",
    "compaction": "cmp",
}
_WITH_STATUS = frozenset({"message", "function_call", "function_call_output"})


def items_of(asked: Any) -> Items:  # noqa: ANN401 - a text or a list of items
    """What a request says, item by item."""
    if isinstance(asked, str):
        return ({"type": "message", "role": "user", "content": asked},)
    return tuple({"type": "message", **item} for item in asked or ())


def listed(item: JsonObject, ids: Ids) -> JsonObject:
    """An item of a request as a list shows it: with an id, and a text as a part."""
    kind = item["type"]
    shown = {**item, "id": item.get("id") or new_id(_PREFIXES.get(kind, "item"), ids)}
    if kind in _WITH_STATUS:
        shown["status"] = item.get("status") or "completed"
    content = item.get("content")
    if kind == "message" and isinstance(content, str):
        is_own = item.get("role") == "assistant"
        part = {"type": "output_text", "annotations": []} if is_own else {"type": "input_text"}
        shown["content"] = [{**part, "text": content}]
    return shown

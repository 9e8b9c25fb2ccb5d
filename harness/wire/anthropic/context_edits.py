"""What context management clears from a conversation before the model reads it.

https://platform.claude.com/docs/en/build-with-claude/context-editing: results of old uses of tools, and thoughts of earlier turns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from harness.json_types import JsonObject
from harness.wire.anthropic.checks import as_table, list_at, table_at, tag_at, whole_number_at
from harness.wire.anthropic.tokens import sections_of
from harness.wire.anthropic.turns import blocks_of

_TRIGGER_TOKENS = 100_000
_KEPT_USES = 3
_KEPT_TURNS = 1
"""What holds where a request does not say."""

_CLEARED = "[cleared to save context]"
"""What stands in the place of a result; its words are a guess."""


class Edited(NamedTuple):
    """A request after context management."""

    body: JsonObject
    applied: tuple[JsonObject, ...] | None
    """The edits that were applied, as the answer tells them; None where none are asked for."""


def edited(body: JsonObject) -> Edited:
    """Apply the edits that a request asks for.

    Args:
        body: The request, which stays as it is.

    Raises:
        Rejection: An edit is not what it should be.
    """
    if body.get("context_management") is None:
        return Edited(body, None)
    wanted = table_at(body, "context_management", "context_management")
    applied = []
    edits = list_at(wanted, "edits", "context_management.edits") if wanted.get("edits") else []
    for number, given in enumerate(edits):
        place = f"context_management.edits.{number}"
        edit = as_table(given, place)
        kind = tag_at(edit, place, (*_EDITS, "compact_20260112"))
        messages, told = _EDITS[kind](body, edit, place) if kind in _EDITS else (None, {})
        if messages is None:
            continue
        changed = {**body, "messages": messages}
        cleared = tokens_of(body) - tokens_of(changed)
        least = _value(edit, "clear_at_least", 0, place)
        if cleared >= max(1, least):
            body = changed
            applied.append({"type": edit["type"], **told, "cleared_input_tokens": cleared})
    return Edited(body, tuple(applied))


def tokens_of(body: JsonObject) -> int:
    """The size of a request [tokens]."""
    return sum(section.tokens for section in sections_of(body))


def _value(edit: JsonObject, name: str, usual: int, place: str) -> int:
    """The number in a field such as `{"type": "tool_uses", "value": 3}`."""
    if edit.get(name) is None:
        return usual
    inside = table_at(edit, name, f"{place}.{name}")
    return whole_number_at(inside, "value", f"{place}.{name}.value", 0)


Change = tuple[list[JsonObject] | None, JsonObject]
"""The messages as an edit leaves them, None if it does not apply; and what is told of it."""


def _clear_tool_uses(body: JsonObject, edit: JsonObject, place: str) -> Change:
    spared = list_at(edit, "exclude_tools", place) if edit.get("exclude_tools") else ()
    uses = [block for block in _blocks(body) if block["type"] == "tool_use"]
    begins_at = _value(edit, "trigger", _TRIGGER_TOKENS, place)
    by_uses = (edit.get("trigger") or {}).get("type") == "tool_uses"
    if (len(uses) if by_uses else tokens_of(body)) <= begins_at:
        return None, {}
    kept = _value(edit, "keep", _KEPT_USES, place)
    old = [use["id"] for use in uses if use["name"] not in spared]
    old = old[: max(0, len(old) - kept)]
    inputs = edit.get("clear_tool_inputs") or ()

    def change(block: JsonObject) -> JsonObject:
        if block["type"] == "tool_result" and block["tool_use_id"] in old:
            return {**block, "content": _CLEARED}
        if block["type"] == "tool_use" and inputs and block["id"] in old:
            named = inputs is True or (isinstance(inputs, list) and block["name"] in inputs)
            return {**block, "input": {}} if named else block
        return block

    messages = [_with_blocks(one, [change(b) for b in _content(one)]) for one in body["messages"]]
    return messages, {"cleared_tool_uses": len(old)}


def _clear_thinking(body: JsonObject, edit: JsonObject, place: str) -> Change:
    keep = edit.get("keep")
    if keep == "all" or (isinstance(keep, dict) and keep.get("type") == "all"):
        return None, {}
    kept = _value(edit, "keep", _KEPT_TURNS, place)
    thoughtful = [
        number
        for number, message in enumerate(body["messages"])
        if message["role"] == "assistant" and any(map(_is_thought, _content(message)))
    ]
    old = thoughtful[: max(0, len(thoughtful) - kept)]
    messages = [
        _with_blocks(one, [block for block in _content(one) if not _is_thought(block)])
        if number in old
        else one
        for number, one in enumerate(body["messages"])
    ]
    return messages, {"cleared_thinking_turns": len(old)}


_EDITS: dict[str, Callable[[JsonObject, JsonObject, str], Change]] = {
    "clear_tool_uses_20250919": _clear_tool_uses,
    "clear_thinking_20251015": _clear_thinking,
}


def _is_thought(block: JsonObject) -> bool:
    return block["type"] in ("thinking", "redacted_thinking")


def _content(message: JsonObject) -> list[JsonObject]:
    return blocks_of(message["content"])


def _blocks(body: JsonObject) -> Iterator[JsonObject]:
    for message in body["messages"]:
        yield from _content(message)


def _with_blocks(message: JsonObject, blocks: list[JsonObject]) -> JsonObject:
    return message if isinstance(message["content"], str) else {**message, "content": blocks}

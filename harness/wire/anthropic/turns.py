"""The rules on the messages of a request: whose turn it is, what they may hold, and which tool calls must be answered."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from harness.json_types import JsonObject
from harness.wire.anthropic.catalogue import Facts
from harness.wire.anthropic.checks import (
    Table,
    as_table,
    list_at,
    nothing_else,
    tag_at,
    text_at,
)
from harness.wire.anthropic.envelope import NEW_VERSION
from harness.wire.anthropic.errors import Rejection, invalid
from harness.wire.anthropic.extras import check_block
from harness.wire.anthropic.sources import check_source

_NO_PREFILL = "This model does not support assistant message prefill. The conversation must end with a user message."

_REQUIRED = {
    "text": ("text",),
    "image": ("source",),
    "document": ("source",),
    "search_result": ("content", "source", "title"),
    "tool_use": ("id", "name", "input"),
    "tool_result": ("tool_use_id",),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
    "container_upload": ("file_id",),
}
"""Fields that each kind of block must have."""

_TEXTS = frozenset(
    {"text", "id", "name", "tool_use_id", "thinking", "signature", "data", "file_id"}
)
"""Those of them that are texts."""

_KINDS = (
    *_REQUIRED,
    # The server's own, which come back as they were sent.
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "tool_reference",
    "mcp_tool_use",
    "mcp_tool_result",
    "compaction",
    "fallback",
    "advisor_tool_result",
    "tool_addition",
    "tool_removal",
)

_PAUSED = (
    "server_tool_use",
    "mcp_tool_use",
    *(kind for kind in _KINDS if kind.endswith("_tool_result")),
)
"""What a paused turn ends with; it comes back to be continued
(https://docs.claude.com/en/api/handling-stop-reasons#pause-turn)."""

_TOOL_ID = re.compile("[a-zA-Z0-9_-]+")

_RESULT_KINDS = ("text", "image", "search_result", "document", "tool_reference")
"""What the result of a tool may hold."""


class Turn(NamedTuple):
    """Consecutive messages of one side."""

    role: str
    number: int
    """That of its first message."""
    blocks: list[JsonObject]


def turns_of(messages: list[Any]) -> list[Turn]:
    """The messages, those of one side in a row taken as one, with all contents as lists of blocks."""
    turns: list[Turn] = []
    for number, message in enumerate(messages):
        blocks = blocks_of(message["content"])
        if turns and turns[-1].role == message["role"]:
            turns[-1].blocks.extend(blocks)
        else:
            turns.append(Turn(message["role"], number, blocks))
    return turns


def blocks_of(content: str | list[Any]) -> list[JsonObject]:
    """A content as a list of blocks: a text is one, and no text is none."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return list(content)


def check_system(body: Table) -> None:
    """The system prompt is a text, or text blocks."""
    system = body.get("system")
    if system is None or isinstance(system, str):
        return
    if not isinstance(system, list):
        raise invalid("system: Input should be a valid list")
    for number, block in enumerate(system):
        place = f"system.{number}"
        tag_at(as_table(block, place), place, ("text",))
        if not text_at(block, "text", f"{place}.text"):
            raise invalid("system: text content blocks must be non-empty")


def check_messages(body: Table, version: str, facts: Facts) -> list[JsonObject]:
    """Check each message by itself.

    Args:
        body: The request.
        version: That of the API.
        facts: What the model takes.

    Returns:
        The messages.
    """
    messages = list_at(body, "messages", "messages")
    if not messages:
        raise invalid("messages: at least one message is required")
    for number, message in enumerate(messages):
        place = f"messages.{number}"
        if not isinstance(message, dict):
            raise invalid(f"{place}: Input does not match the expected shape.")
        role = text_at(message, "role", f"{place}.role")
        nothing_else(message, ("role", "content"), f"{place}.")
        if role == "system" and not facts.takes_system_turns:
            raise invalid(
                'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, not "system" '
                "as an input message role."
            )
        if role not in ("user", "assistant", "system"):
            raise invalid(f"{place}.role: Input should be 'user' or 'assistant'")
        _check_content(message, place, is_last=number == len(messages) - 1, version=version)
    return messages


def _check_content(message: Table, place: str, *, is_last: bool, version: str) -> None:
    if "content" not in message:
        raise invalid(f"{place}.content: Field required")
    content = message["content"]
    if not isinstance(content, (str, list)):
        raise invalid(f"{place}: Input does not match the expected shape.")
    if not content and not (is_last and message["role"] == "assistant"):
        raise invalid(
            f"{place}: all messages must have non-empty content except for the optional final assistant message"
        )
    if isinstance(content, str) and content and not content.isspace():
        return  # as a block of text, of which nothing more is asked
    _check_blocks(content, place, _KINDS)
    if version == NEW_VERSION:
        for number, block in enumerate(blocks_of(content)):
            _check_strictly(block, message["role"], f"{place}.content.{number}")


def _check_blocks(content: str | list[Any], place: str, kinds: Collection[str]) -> None:
    for number, block in enumerate(blocks_of(content)):
        here = f"{place}.content.{number}"
        _check_block(as_table(block, here), here, kinds)
    _check_blank_texts(content)


def _check_blank_texts(content: str | list[Any]) -> None:
    """Blank text may stand before a tool call alone, where models themselves write it (as recorded)."""
    kind_after = ""
    for block in reversed(blocks_of(content)):
        if block["type"] == "text" and not block["text"].strip() and kind_after != "tool_use":
            raise invalid("messages: text content blocks must contain non-whitespace text")
        kind_after = block["type"]


def _check_block(block: Table, place: str, kinds: Collection[str]) -> None:
    kind = tag_at(block, place, kinds)
    for name in _REQUIRED.get(kind, ()):
        if name in _TEXTS:
            text_at(block, name, f"{place}.{kind}.{name}")
        elif name not in block:
            raise invalid(f"{place}.{kind}.{name}: Field required")
    check_block(block, place)
    if kind == "text" and not block["text"]:
        raise invalid("messages: text content blocks must be non-empty")
    if kind == "tool_use":
        as_table(block["input"], f"{place}.tool_use.input")
        if _TOOL_ID.fullmatch(block["id"]) is None:
            raise invalid(
                f"{place}.tool_use.id: String should match pattern '^{_TOOL_ID.pattern}$'"
            )
    if kind == "tool_result":
        _check_result(block, f"{place}.tool_result")
    if kind in ("image", "document"):
        source, here = as_table(block["source"], f"{place}.{kind}.source"), f"{place}.{kind}.source"
        check_source(kind, source, here)
        _check_source_blocks(source, here)


def _check_source_blocks(source: Table, place: str) -> None:
    content = source.get("content")
    if source.get("type") == "content" and content:
        if not isinstance(content, (str, list)):
            raise invalid(f"{place}.content: Input should be a valid list")
        _check_blocks(content, place, ("text", "image"))


def _check_result(block: Table, place: str) -> None:
    content = block.get("content")
    if block.get("is_error") and not content:
        raise invalid(f"{place}: content cannot be empty if `is_error` is true")
    if not content:
        return
    if not isinstance(content, (str, list)):
        raise invalid(f"{place}.content: Input should be a valid list")
    _check_blocks(content, place, _RESULT_KINDS)


def _check_strictly(block: Table, role: str, place: str) -> None:
    """What version 2026-10-21 refuses beside; its words are a guess."""
    if role == "assistant" and block["type"] == "document":
        raise invalid(f"{place}: `document` blocks are not permitted in assistant messages")
    if role == "user" and block["type"] == "text" and block.get("citations"):
        raise invalid(f"{place}.text.citations: Extra inputs are not permitted")


def check_order(turns: list[Turn]) -> None:
    """Check that somebody speaks, and that results follow each turn with tool calls, before other content.

    Either side may begin (as recorded).
    """
    if all(turn.role == "system" for turn in turns):
        raise invalid("messages: at least one message is required")
    _check_twice(turns)
    asked: list[str] = []
    asked_at = 0
    for turn in turns:
        if turn.role == "system":
            continue
        answered = list(_answers(turn))
        _check_unasked(turn, asked)
        missing = [tool_id for tool_id in asked if tool_id not in answered]
        if missing:
            raise _unanswered(asked_at, missing)
        uses = [block for block in turn.blocks if block["type"] == "tool_use"]
        asked = [block["id"] for block in uses] if turn.role == "assistant" else []
        asked_at = turn.number
    if asked:
        raise _unanswered(asked_at, asked)


def _check_twice(turns: list[Turn]) -> None:
    """No two tool calls of a turn have one id, and none has two results; another turn may have the same ids (as recorded)."""
    for turn in turns:
        used: dict[str, set[str]] = {"tool_use": set(), "tool_result": set()}
        for number, block in enumerate(turn.blocks):
            kind = block["type"]
            if kind not in used:
                continue
            tool_id = block["id" if kind == "tool_use" else "tool_use_id"]
            place = f"messages.{turn.number}.content.{number}"
            if tool_id in used[kind] and kind == "tool_use":
                raise invalid(f"{place}: `tool_use` ids must be unique")
            if tool_id in used[kind]:
                raise invalid(
                    f"{place}: each tool_use must have a single result. Found multiple `tool_result` blocks with id: {tool_id}"
                )
            used[kind].add(tool_id)


def _answers(turn: Turn) -> Iterator[str]:
    """The tool calls that a turn answers, as far as results come before all else."""
    for block in turn.blocks:
        if block["type"] != "tool_result":
            return
        yield block["tool_use_id"]


def _check_unasked(turn: Turn, asked: list[str]) -> None:
    for number, block in enumerate(turn.blocks):
        if block["type"] == "tool_result" and block["tool_use_id"] not in asked:
            raise invalid(
                f"messages.{turn.number}.content.{number}: unexpected `tool_use_id` found in `tool_result` blocks: "
                f"{block['tool_use_id']}. Each `tool_result` block must have a corresponding `tool_use` block in the "
                "previous message."
            )


def _unanswered(number: int, missing: list[str]) -> Rejection:
    return invalid(
        f"messages.{number}: `tool_use` ids were found without `tool_result` blocks immediately after: "
        f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the next message."
    )


def check_end(turns: list[Turn], facts: Facts, *, thinks: bool) -> None:
    """An assistant's last message is to be continued, which not every model does."""
    last = turns[-1]
    if last.role != "assistant":
        return
    if last.blocks and last.blocks[-1]["type"] in _PAUSED:
        return  # a turn that was paused goes on
    if not facts.takes_prefill:
        raise invalid(_NO_PREFILL)
    if thinks and last.blocks and last.blocks[0]["type"] not in ("thinking", "redacted_thinking"):
        raise invalid(
            f"messages.{last.number}.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
            f"`{last.blocks[0]['type']}`. When `thinking` is enabled, a final `assistant` message must start with a thinking "
            "block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking "
            "blocks from previous turns. To avoid this requirement, disable `thinking`. Please consult our documentation at "
            "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
        )
    if last.blocks and last.blocks[-1].get("text", "x")[-1:].isspace():
        raise invalid("messages: final assistant content cannot end with trailing whitespace")

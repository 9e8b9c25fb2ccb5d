"""A request for a response as a prompt that every model understands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from harness.json_types import JsonObject
from harness.provider.tokens import count_tokens
from harness.wire.api import Prompt
from harness.wire.openai.conversation import Conversation, call_of, text_of
from harness.wire.openai.encoding import compact
from harness.wire.openai.items import Items
from harness.wire.openai.models import context_tokens
from harness.wire.openai.reasoning import thinking_of
from harness.wire.openai.response_rules import check_window
from harness.wire.openai.server_tools import offered_in, wanted_hosted
from harness.wire.openai.tools import FRAME_TOKENS, offer
from harness.wire.openai.validate import tokens_of


class Held(NamedTuple):
    """What a compaction holds."""

    text: str
    """What the model said; empty if that is not known."""
    tokens: int


Read = Callable[[JsonObject], Held]
"""Reads the item of a compaction."""


@dataclass(frozen=True, slots=True)
class ResponseWish:
    """What a request says of its answer, and what it was about."""

    asked: JsonObject
    """The request."""
    items: Items
    """All of the conversation, with what went before."""
    before: int = 0
    """How many of them a conversation held before."""
    compacts: bool = False
    """Whether a compaction is asked for, and no response."""


def prompt_of(asked: JsonObject, items: Items, read: Read) -> Prompt:
    """Make a prompt of a request.

    Args:
        asked: The request.
        items: All items of the conversation.
        read: Reads compactions.

    Raises:
        Rejected: It is too long for the model.
    """
    talk = Conversation()
    tools = asked.get("tools") or ()
    format_ = (asked.get("text") or {}).get("format") or {}
    for part in (*tools, *([format_] if "schema" in format_ else ())):
        talk.count(part, count_tokens(compact(part)))
    instructions = asked.get("instructions")
    if instructions:
        talk.instruct(instructions)
        talk.count(instructions, count_tokens(instructions))
    for item in _in_window(asked, items, tokens_of(talk.sections), read):
        _hear(talk, item, read)
    check_window(asked["model"], talk.sections)
    functions = [tool for tool in tools if tool.get("type") == "function"]
    offered = offer(functions, asked.get("tool_choice"))
    hosted = offered_in(asked, items)
    schema = {"type": "object"} if format_.get("type") == "json_object" else format_.get("schema")
    return Prompt(
        model=asked["model"],
        system=talk.system,
        conversation=tuple(talk.said),
        sections=tuple(talk.sections),
        max_tokens=asked.get("max_output_tokens"),
        stream=bool(asked.get("stream")),
        tools=tuple(offered.schemas),
        tool_choice=offered.choice,
        tool_schemas=offered.schemas,
        parallel_tool_calls=asked.get("parallel_tool_calls") is not False,
        thinking=thinking_of(asked["model"], (asked.get("reasoning") or {}).get("effort")),
        hosted=hosted,
        wanted_hosted=wanted_hosted(asked, hosted, len(offered.schemas)),
        frame_tokens=FRAME_TOKENS,
        wanted=schema if offered.wanted is None else offered.wanted,
        wanted_tool=offered.wanted_tool,
        result_ids=talk.result_ids,
        details=ResponseWish(asked, items),
    )


def _in_window(asked: JsonObject, items: Items, other_tokens: int, read: Read) -> Items:
    """The items that a request lets the model read: with `truncation` the last ones that fit into its context.

    Args:
        asked: The request.
        items: All items.
        other_tokens: What instructions and tools take of the context.
        read: Reads compactions.
    """
    longest = context_tokens(asked["model"])
    if asked.get("truncation") != "auto" or longest is None:
        return items
    sizes = [_size(item, read) for item in items]
    beyond, first = sum(sizes) + other_tokens - longest, 0
    while beyond > 0 and first < len(items) - 1:
        beyond -= sizes[first]
        first += 1
    dropped = {item.get("call_id") for item in items[:first] if item["type"] == "function_call"}
    return tuple(
        item
        for item in items[first:]
        if item["type"] != "function_call_output" or item.get("call_id") not in dropped
    )


def _size(item: JsonObject, read: Read) -> int:
    alone = Conversation()
    _hear(alone, item, read)
    return tokens_of(alone.sections)


def _hear(talk: Conversation, item: JsonObject, read: Read) -> None:
    """Take in one item."""
    match item["type"]:
        case "message":
            _hear_message(talk, item)
        case "function_call":
            talk.speak_on("", ((item.get("call_id", ""), call_of(item)),))
            talk.count_message(item, "", [item])
        case "function_call_output":
            talk.bring(item.get("call_id", ""), text_of(item.get("output")))
            talk.count_message(item, item.get("output"))
        case "reasoning":
            talk.count_message(item, item.get("summary"))
        case "compaction":
            text, tokens = read(item)
            if text:
                talk.speak_on(text)
            talk.count(item, tokens)
        case _:
            talk.count(item, count_tokens(compact(item)))


def _hear_message(talk: Conversation, item: JsonObject) -> None:
    text = text_of(item.get("content"))
    match item.get("role"):
        case "system" | "developer":
            talk.instruct(text)
        case "assistant":
            talk.speak_on(text)
        case _:
            talk.hear(text)
    talk.count_message(item, item.get("content"))

"""A reply as the body of an answer, with its fields in the order in which recorded bodies have them."""

from __future__ import annotations

from harness.json_types import JsonObject
from harness.models import ToolCall
from harness.wire.anthropic.citations import citations_of
from harness.wire.anthropic.headers import BASE58
from harness.wire.anthropic.messages import Asked
from harness.wire.anthropic.server_tools import encrypted
from harness.wire.anthropic.tool_blocks import blocks_of, container_of, counts_of
from harness.wire.api import Completion, Ids, Moment, Prompt, Stop

_STOP_REASON: dict[Stop, str] = {
    "end": "end_turn",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_use",
    "refusal": "refusal",
    "pause": "pause_turn",
}

_GEO_GENERATION = 4.6
"""Models before this one answer `not_available` when asked where they run."""

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SIGNATURE_PIECES, _SIGNATURE_PIECE = 3, 85
"""A signature has 256 letters here; recorded ones have from 300 up, with the length of the thoughts."""


def message(prompt: Prompt, spoken: Completion, moment: Moment) -> JsonObject:
    """The whole message."""
    body = {
        **opening(prompt, moment.ids),
        "content": content(prompt, spoken, moment),
        **ending(prompt, spoken),
        "usage": usage(prompt, spoken),
    }
    container = container_of(spoken.reply.server_tools, moment.ids, moment.at_s)
    return body | ({"container": container} if container else {}) | managed(prompt)


def managed(prompt: Prompt) -> JsonObject:
    """What context management did, as a field of an answer that asks for it."""
    edits = prompt.details.edits
    return {} if edits is None else {"context_management": {"applied_edits": list(edits)}}


def opening(prompt: Prompt, ids: Ids) -> JsonObject:
    """The first fields of a message and of a stream."""
    asked: Asked = prompt.details
    return {
        "model": asked.facts.dated,
        "id": "msg_01" + ids.next("message", 22, BASE58),
        "type": "message",
        "role": "assistant",
        "content": [],
    }


def content(prompt: Prompt, spoken: Completion, moment: Moment) -> list[JsonObject]:
    """The blocks: thoughts, then uses of the server's tools, then text, then wishes to use tools."""
    asked: Asked = prompt.details
    reply, ids = spoken.reply, moment.ids
    blocks: list[JsonObject] = []
    if asked.thinks and spoken.thoughts:
        blocks.append(_thoughts(asked, spoken, ids))
    blocks += blocks_of(reply.server_tools, prompt.hosted, asked.files, ids, moment.at_s)
    if reply.text:
        cited = citations_of(reply, asked.turns, ids)
        citations = {"citations": cited} if cited else {}
        blocks.append({**citations, "type": "text", "text": reply.text})
    return [*blocks, *(_tool_use(call, ids) for call in reply.tool_calls)]


def _thoughts(asked: Asked, spoken: Completion, ids: Ids) -> JsonObject:
    if asked.redacts_thinking or spoken.reply.thinking_is_redacted:
        data = encrypted("redacted", spoken.thought_tokens, ids)
        return {"type": "redacted_thinking", "data": data}
    shown = spoken.thoughts if asked.shows_thinking else ""
    return {"type": "thinking", "thinking": shown, "signature": _signature(ids)}


def _tool_use(call: ToolCall, ids: Ids) -> JsonObject:
    return {
        "type": "tool_use",
        "id": ids.tool("toolu_01", 22, BASE58),
        "name": call.tool,
        "input": call.arguments,
        "caller": {"type": "direct"},
    }


def ending(prompt: Prompt, spoken: Completion) -> JsonObject:
    """Why it ended."""
    asked: Asked = prompt.details
    reason = _STOP_REASON[spoken.stop]
    if spoken.stop == "max_tokens" and asked.cut_by_context:
        reason = "model_context_window_exceeded"
    details = {"type": "refusal", "category": None, "explanation": None}
    return {
        "stop_reason": reason,
        "stop_sequence": spoken.stop_sequence,
        "stop_details": details if spoken.stop == "refusal" else None,
    }


def usage(prompt: Prompt, spoken: Completion) -> JsonObject:
    """Usage, in the long form of a message."""
    asked: Asked = prompt.details
    written = spoken.usage.cache_write_tokens
    known_geo = "global" if asked.facts.generation >= _GEO_GENERATION else "not_available"
    numbers = _read(spoken)
    numbers["cache_creation"] = {
        "ephemeral_5m_input_tokens": written - spoken.usage.cache_write_1h_tokens,
        "ephemeral_1h_input_tokens": spoken.usage.cache_write_1h_tokens,
    }
    numbers |= _written(asked, spoken)
    numbers["service_tier"] = asked.tier
    numbers["inference_geo"] = asked.geo or known_geo
    if asked.speed:
        numbers["speed"] = asked.speed
    return numbers


def usage_so_far(prompt: Prompt, spoken: Completion) -> JsonObject:
    """Usage, in the short form at the end of a stream."""
    return _read(spoken) | _written(prompt.details, spoken)


def _read(spoken: Completion) -> JsonObject:
    usage = spoken.usage
    return {
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
    }


def _written(asked: Asked, spoken: Completion) -> JsonObject:
    numbers: JsonObject = {"output_tokens": spoken.usage.output_tokens}
    if asked.thinks:
        numbers["output_tokens_details"] = {"thinking_tokens": spoken.thought_tokens}
    if spoken.reply.server_tools:
        numbers["server_tool_use"] = counts_of(spoken.reply.server_tools)
    return numbers


def _signature(ids: Ids) -> str:
    pieces = (ids.next("signature", _SIGNATURE_PIECE, _BASE64) for _ in range(_SIGNATURE_PIECES))
    return "E" + "".join(pieces)

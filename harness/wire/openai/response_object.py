"""The response object of the Responses API, with all its fields in order.

The fields and the order are those of a recorded reply of January 2026; `cache_write_tokens` was added since.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.json_types import JsonObject
from harness.models import ToolCall
from harness.wire.api import Completion, Ids, Prompt
from harness.wire.openai.annotations import annotations_of
from harness.wire.openai.deltas import pieces
from harness.wire.openai.encoding import BASE62, HEX, compact
from harness.wire.openai.families import has
from harness.wire.openai.logprobs import logprobs_of
from harness.wire.openai.models import snapshot
from harness.wire.openai.reasoning import item_of, settings_of
from harness.wire.openai.server_tools import echoed
from harness.wire.openai.tiers import tier_of
from harness.wire.openai.tool_items import items_of, listings_of


def new_id(prefix: str, ids: Ids) -> str:
    """The name of a response or of an item."""
    return f"{prefix}_{ids.next(prefix, 50, HEX)}"


def completed(
    asked: JsonObject,
    spoken: Completion,
    response_id: str,
    output: list[JsonObject],
    created_s: int,
    ended_s: int,
) -> JsonObject:
    """A response that has ended.

    Args:
        asked: The request.
        spoken: The reply.
        response_id: Its name.
        output: Its items.
        created_s: When work on it began [s since 1970].
        ended_s: When it ended [s since 1970].
    """
    body = in_progress(asked, response_id, created_s)
    if spoken.stop == "max_tokens":
        body["status"] = "incomplete"
        body["incomplete_details"] = {"reason": "max_output_tokens"}
    else:
        body["status"] = "completed"
        body["completed_at"] = ended_s
    body["service_tier"] = tier_of(asked)
    body["output"] = output
    body["usage"] = usage_of(spoken)
    return body


def in_progress(asked: JsonObject, response_id: str, created_s: int) -> JsonObject:
    """A response that has only begun."""
    model = asked["model"]
    text = asked.get("text") or {}
    return {
        "id": response_id,
        "object": "response",
        "created_at": created_s,
        "status": "in_progress",
        "background": bool(asked.get("background")),
        "billing": {"payer": "developer"},
        "completed_at": None,
        **_conversation(asked),
        "error": None,
        "frequency_penalty": 0.0,
        "incomplete_details": None,
        "instructions": asked.get("instructions"),
        "max_output_tokens": asked.get("max_output_tokens"),
        "max_tool_calls": asked.get("max_tool_calls"),
        "model": snapshot(asked["model"]),
        "output": [],
        "parallel_tool_calls": asked.get("parallel_tool_calls") is not False,
        "presence_penalty": 0.0,
        "previous_response_id": asked.get("previous_response_id"),
        "prompt_cache_key": asked.get("prompt_cache_key"),
        **(
            {"prompt_cache_options": _cache_options(asked)}
            if has(model, "prompt_cache_options")
            else {}
        ),
        "prompt_cache_retention": asked.get("prompt_cache_retention")
        or ("24h" if has(model, "prompt_cache_retention") else None),
        "reasoning": settings_of(asked),
        "safety_identifier": asked.get("safety_identifier"),
        "service_tier": asked.get("service_tier") or "auto",
        "store": asked.get("store") is not False,
        "temperature": float(_given(asked.get("temperature"), 1.0)),
        "text": {
            "format": text.get("format") or {"type": "text"},
            "verbosity": text.get("verbosity") or "medium",
        },
        "tool_choice": asked.get("tool_choice") or "auto",
        "tools": [_tool(tool) for tool in asked.get("tools") or ()],
        "top_logprobs": asked.get("top_logprobs") or 0,
        "top_p": float(_given(asked.get("top_p"), 1.0)),
        "truncation": asked.get("truncation") or "disabled",
        "usage": None,
        "user": asked.get("user"),
        "metadata": asked.get("metadata") or {},
    }


def output_items(
    prompt: Prompt,
    spoken: Completion,
    ids: Ids,
    asked: JsonObject,
    heard: Sequence[JsonObject],
) -> list[JsonObject]:
    """What a reply says, item by item: tools of MCP servers, thoughts, uses of OpenAI's tools, the message, wishes.

    Args:
        prompt: The request, as it was read.
        spoken: The reply.
        ids: Where the items' names come from.
        asked: The request.
        heard: The items of the conversation.
    """
    reply = spoken.reply
    items = list(listings_of(reply, prompt.hosted, heard, ids))
    if prompt.thinking is not None or spoken.thought_tokens:
        items.append(item_of(asked, spoken, new_id("rs", ids), ids))
    if reply.server_tools:
        items += items_of(asked, reply, prompt.hosted, heard, ids)
    if reply.text or not (reply.tool_calls or reply.server_tools or spoken.thought_tokens):
        items.append(_message(asked, spoken, ids))
    items += (_call(call, ids) for call in reply.tool_calls)
    return items


def _message(asked: JsonObject, spoken: Completion, ids: Ids) -> JsonObject:
    text = spoken.reply.text
    cited = annotations_of(spoken.reply)
    told: list[JsonObject] = []
    if "message.output_text.logprobs" in (asked.get("include") or ()):
        tokens = pieces(text, spoken.said_tokens)
        told = logprobs_of(tokens, asked.get("top_logprobs") or 0, ids)
    part: JsonObject = {
        "type": "output_text",
        "annotations": cited,
        "logprobs": told,
        "text": text,
    }
    if spoken.stop == "refusal":
        part = {"type": "refusal", "refusal": text}
    message = {
        "id": new_id("msg", ids),
        "type": "message",
        "status": "incomplete" if spoken.stop == "max_tokens" else "completed",
        "content": [part],
        "role": "assistant",
    }
    if has(asked["model"], "phase"):
        message["phase"] = "commentary" if spoken.reply.tool_calls else "final_answer"
    return message


def _call(call: ToolCall, ids: Ids) -> JsonObject:
    return {
        "id": new_id("fc", ids),
        "type": "function_call",
        "status": "completed",
        "arguments": compact(call.arguments),
        "call_id": ids.tool("call_", 24, BASE62),
        "name": call.tool,
    }


def usage_of(spoken: Completion) -> JsonObject:
    """What was read and written; here what is read includes what came from a cache."""
    usage = spoken.usage
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cache_read_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": spoken.thought_tokens},
        "total_tokens": usage.prompt_tokens + usage.output_tokens,
    }


def _tool(tool: JsonObject) -> JsonObject:
    """A tool as the answer repeats it."""
    if tool.get("type") != "function":
        return echoed(tool)
    return {
        "type": "function",
        "description": tool.get("description"),
        "name": tool.get("name"),
        "parameters": tool.get("parameters"),
        "strict": tool.get("strict") is not False,
    }


def conversation_id(asked: JsonObject) -> str | None:
    """The conversation that a request belongs to; None if it belongs to none."""
    named = asked.get("conversation")
    return named.get("id") if isinstance(named, dict) else named


def _conversation(asked: JsonObject) -> JsonObject:
    named = conversation_id(asked)
    return {} if named is None else {"conversation": {"id": named}}


def _cache_options(asked: JsonObject) -> JsonObject:
    """How the prompt cache is used (types of the SDK 3.54)."""
    return {"mode": "implicit", "ttl": "30m", **(asked.get("prompt_cache_options") or {})}


def _given(value: float | None, default: float) -> float:
    return default if value is None else value

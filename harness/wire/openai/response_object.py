"""The response object of the Responses API, with all its fields in order.

The fields and the order are those of a recorded reply of January 2026; `cache_write_tokens` was added since.
"""

from __future__ import annotations

from harness.json_types import JsonObject
from harness.models import ToolCall
from harness.provider.tokens import count_tokens
from harness.wire.api import Completion, Ids
from harness.wire.openai.encoding import BASE62, HEX, compact
from harness.wire.openai.models import is_reasoning, snapshot


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
    body["service_tier"] = "default"
    body["output"] = output
    body["usage"] = _usage(spoken)
    return body


def in_progress(asked: JsonObject, response_id: str, created_s: int) -> JsonObject:
    """A response that has only begun."""
    reasoning = asked.get("reasoning") or {}
    effort = reasoning.get("effort") or ("medium" if is_reasoning(asked["model"]) else None)
    text = asked.get("text") or {}
    return {
        "id": response_id,
        "object": "response",
        "created_at": created_s,
        "status": "in_progress",
        "background": False,
        "billing": {"payer": "developer"},
        "completed_at": None,
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
        "prompt_cache_retention": asked.get("prompt_cache_retention"),
        "reasoning": {"effort": effort, "summary": reasoning.get("summary")},
        "safety_identifier": asked.get("safety_identifier"),
        "service_tier": "auto",
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


def output_items(asked: JsonObject, spoken: Completion, ids: Ids) -> list[JsonObject]:
    """What a reply says, item by item: what was thought, then said, then wished."""
    reply = spoken.reply
    items: list[JsonObject] = []
    if reply.thinking:
        items.append(_thought(asked, reply.thinking, ids))
    if reply.text or not reply.tool_calls:
        items.append(_message(spoken, ids))
    items += (_call(call, ids) for call in reply.tool_calls)
    return items


def _thought(asked: JsonObject, thinking: str, ids: Ids) -> JsonObject:
    """What was thought; its words are shown to those who ask for a summary."""
    item: JsonObject = {"id": new_id("rs", ids), "type": "reasoning"}
    if "reasoning.encrypted_content" in (asked.get("include") or ()):
        item["encrypted_content"] = "gAAAAAB" + ids.next("encrypted", 64, BASE62)
    shown = (asked.get("reasoning") or {}).get("summary") is not None
    item["summary"] = [{"type": "summary_text", "text": thinking}] if shown else []
    return item


def _message(spoken: Completion, ids: Ids) -> JsonObject:
    text = spoken.reply.text
    part: JsonObject = {"type": "output_text", "annotations": [], "logprobs": [], "text": text}
    if spoken.stop == "refusal":
        part = {"type": "refusal", "refusal": text}
    return {
        "id": new_id("msg", ids),
        "type": "message",
        "status": "incomplete" if spoken.stop == "max_tokens" else "completed",
        "content": [part],
        "role": "assistant",
    }


def _call(call: ToolCall, ids: Ids) -> JsonObject:
    return {
        "id": new_id("fc", ids),
        "type": "function_call",
        "status": "completed",
        "arguments": compact(call.arguments),
        "call_id": ids.tool("call_", 24, BASE62),
        "name": call.tool,
    }


def _usage(spoken: Completion) -> JsonObject:
    """What was read and written; here what is read includes what came from a cache."""
    usage = spoken.usage
    thought = min(count_tokens(spoken.reply.thinking), usage.output_tokens)
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cache_read_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": usage.prompt_tokens + usage.output_tokens,
    }


def _tool(tool: JsonObject) -> JsonObject:
    """A tool as the answer repeats it."""
    if tool.get("type") != "function":
        return tool
    return {
        "type": "function",
        "description": tool.get("description"),
        "name": tool.get("name"),
        "parameters": tool.get("parameters"),
        "strict": tool.get("strict") is not False,
    }


def _given(value: float | None, default: float) -> float:
    return default if value is None else value

"""Responses requests that the real API rejects, with its messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from harness.errors import NotSimulated
from harness.json_types import JsonObject
from harness.wire.api import PromptSection
from harness.wire.openai.content_rules import check_part
from harness.wire.openai.errors import Rejected
from harness.wire.openai.models import is_reasoning
from harness.wire.openai.parameters import check_effort
from harness.wire.openai.reasoning import thinking_of
from harness.wire.openai.strict_schema import check_function, check_strict
from harness.wire.openai.validate import (
    MISSING,
    TOO_LONG,
    check_schema,
    check_there,
    check_type,
    is_too_long,
)

_SOURCES = ("input", "previous_response_id", "prompt", "conversation")
_ROLES = ("assistant", "system", "developer", "user")
_OUTPUT_TOKENS_MIN = 16
_REQUIRED = {
    "function": ("name",),
    "custom": ("name",),
    "file_search": ("vector_store_ids",),
    "code_interpreter": ("container",),
    "mcp": ("server_label",),
}
"""What a tool of each type must state, as the types of the SDK have it."""


def check_response(asked: JsonObject) -> None:
    """Check what a request for a response says.

    Raises:
        Rejected: The real API would not take it.
        NotSimulated: It asks for what only the real API has.
    """
    if all(asked.get(name) is None for name in _SOURCES):
        raise Rejected(
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided.",
            code=MISSING,
        )
    check_simulated(asked)
    _check_state(asked)
    most = asked.get("max_output_tokens")
    if most is not None and most < _OUTPUT_TOKENS_MIN:
        raise Rejected(
            f"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= {_OUTPUT_TOKENS_MIN}, "
            f"but got {most} instead.",
            "max_output_tokens",
            "integer_below_min_value",
        )
    if is_reasoning(asked["model"]) and asked.get("temperature") not in (None, 1):
        raise Rejected(
            "Unsupported parameter: 'temperature' is not supported with this model.", "temperature"
        )
    wants_logprobs = "message.output_text.logprobs" in (asked.get("include") or ())
    effort = (asked.get("reasoning") or {}).get("effort")
    if thinking_of(asked["model"], effort) and (wants_logprobs or asked.get("top_logprobs")):
        raise Rejected("logprobs are not supported with reasoning models.", "include")
    check_effort(asked["model"], (asked.get("reasoning") or {}).get("effort"), "reasoning.effort")
    format_ = (asked.get("text") or {}).get("format")
    if format_ is not None:
        check_there("text.format", format_, "type")
        what = f"response_format '{format_.get('name', '')}'"
        check_schema("text.format.schema", what, format_.get("schema"), "invalid_json_schema")
        if format_.get("strict"):
            check_strict("text.format.schema", what, format_.get("schema"), "invalid_json_schema")
        _check_json_is_named(format_["type"], asked)
    _check_tools(asked.get("tools") or ())
    check_input(asked.get("input"), asked["model"])


def _check_json_is_named(kind: str, asked: JsonObject) -> None:
    """Free JSON is asked for in the input, too; what went before it is not looked at."""
    if kind != "json_object" or asked.get("previous_response_id") is not None:
        return
    if "json" not in json.dumps(asked.get("input")).lower():
        raise Rejected(
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
            "input",
        )


def check_simulated(asked: JsonObject) -> None:
    """Check that a request asks for nothing that only the real API has.

    Raises:
        NotSimulated: It does.
    """
    if asked.get("prompt"):
        raise NotSimulated("'prompt' of OpenAI's responses", "leave it out, and send all items")


def _check_state(asked: JsonObject) -> None:
    """Check what is said of state that is kept. The words about `background` are a guess."""
    conversation = asked.get("conversation")
    if isinstance(conversation, dict):
        check_there("conversation", conversation, "id")
    if conversation is not None and asked.get("previous_response_id") is not None:
        raise Rejected(
            "Mutually exclusive parameters. Ensure you are only providing one of: 'previous_response_id' or "
            "'conversation'.",
            code="mutually_exclusive_parameters",
        )
    if asked.get("background") and asked.get("store") is False:
        raise Rejected("Background mode requires 'store' to be true.", "background")


def check_results(items: Sequence[JsonObject]) -> None:
    """Check that every call of a tool has its output, every output its call, and every thought what it led to."""
    _check_thoughts(items)
    calls = [item.get("call_id") for item in items if item["type"] == "function_call"]
    searches = [item.get("call_id") for item in items if item["type"] == "tool_search_call"]
    outputs = [item.get("call_id") for item in items if item["type"] == "function_call_output"]
    for call_id in outputs:
        if call_id not in (*calls, *searches):  # a search by the client is answered like a function
            raise Rejected(
                f"No tool call found for function call output with call_id {call_id}.", "input"
            )
    for call_id in calls:
        if call_id not in outputs:
            raise Rejected(f"No tool output found for function call {call_id}.", "input")


def _check_thoughts(items: Sequence[JsonObject]) -> None:
    """What was thought is followed by what it led to: an item that is the model's too."""
    for item, following in zip_longest(items, items[1:]):
        if item["type"] != "reasoning" or not item.get("id"):
            continue
        kind = None if following is None else following["type"]
        is_own = (
            kind == "message" and following is not None and following.get("role") == "assistant"
        )
        if kind in (None, "function_call_output") or (kind == "message" and not is_own):
            raise Rejected(
                f"Item '{item['id']}' of type 'reasoning' was provided without its required following item.",
                "input",
            )


def check_window(model: str, sections: Sequence[PromptSection]) -> None:
    """Check that the input fits into the model's context."""
    if is_too_long(model, sections):
        raise Rejected(
            "Your input exceeds the context window of this model. Please adjust your input and try again.",
            "input",
            TOO_LONG,
        )


def _check_tools(tools: Sequence[Any]) -> None:
    for number, tool in enumerate(tools):
        check_there(f"tools[{number}]", tool, "type")
        check_there(f"tools[{number}]", tool, *_REQUIRED.get(tool["type"], ()))
        if tool["type"] == "function":
            check_function(f"tools[{number}].parameters", tool)


def check_input(said: object, model: str) -> None:
    """Check what a request says, as a text or item by item."""
    if said is None:
        return
    check_type("input", said, (str, list))
    check_items("input", said if isinstance(said, list) else (), model)


def check_items(place: str, items: Sequence[Any], model: str) -> None:
    """Check items.

    Args:
        place: Where they stand.
        items: The items.
        model: Who reads them; empty if that is not known yet.
    """
    for number, item in enumerate(items):
        here = f"{place}[{number}]"
        check_type(here, item, (dict,))
        if item.get("type") == "function_call":
            check_there(here, item, "call_id", "name", "arguments")
            check_type(f"{here}.arguments", item["arguments"], (str,))
        if item.get("type") == "compaction":
            check_there(here, item, "encrypted_content")
        if item.get("type", "message") == "message" and item.get("role") not in _ROLES:
            raise Rejected(
                f"Invalid value: '{item.get('role')}'. Supported values are: 'assistant', 'system', 'developer', "
                "and 'user'.",
                here,
                "invalid_value",
            )
        content = item.get("content")
        for at, part in enumerate(content if isinstance(content, list) else ()):
            check_part(model, part, f"{here}.content[{at}]")

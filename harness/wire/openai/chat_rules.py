"""Chat requests that the real API rejects, with its messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from harness.errors import NotSimulated
from harness.json_types import JsonObject
from harness.wire.api import PromptSection
from harness.wire.openai.content_rules import check_part
from harness.wire.openai.errors import Rejected
from harness.wire.openai.models import context_tokens, is_reasoning, takes
from harness.wire.openai.parameters import check_effort
from harness.wire.openai.strict_schema import check_function, check_strict
from harness.wire.openai.validate import (
    MISSING,
    TOO_LONG,
    check_not_empty,
    check_schema,
    check_there,
    check_type,
    is_too_long,
    tokens_of,
)

_ROLES = ("system", "assistant", "user", "function", "tool", "developer")
_ORPHAN = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
_UNANSWERED = (
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
    "The following tool_call_ids did not have response messages: "
)
_UNSUPPORTED = "unsupported_parameter"
_SOME_MODELS_TAKE = (
    "max_tokens",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
)


def check_messages(messages: Any) -> None:  # noqa: ANN401 - whatever was sent
    """Check that there are messages, their roles, and that tools' results fit."""
    if messages is None:
        raise Rejected("Missing required parameter: 'messages'.", "messages", MISSING)
    check_type("messages", messages, (list,))
    check_not_empty("messages", messages)
    for number, message in enumerate(messages):
        _check_message(message, number)
    _check_results(messages)


def check_parameters(asked: JsonObject) -> None:
    """Check what a chat asks for beside its messages."""
    for name in ("functions", "audio"):
        if asked.get(name):
            raise NotSimulated(f"{name!r} of OpenAI's chats", "leave it out, or use tools")
    model = asked["model"]
    for number, message in enumerate(asked["messages"]):
        content = message.get("content")
        for at, part in enumerate(content if isinstance(content, list) else ()):
            check_part(model, part, f"messages.[{number}].content.[{at}]")
    for name in _SOME_MODELS_TAKE:
        if asked.get(name) and not takes(model, name):
            instead = " Use 'max_completion_tokens' instead." if name == "max_tokens" else ""
            raise Rejected(
                f"Unsupported parameter: '{name}' is not supported with this model.{instead}",
                name,
                _UNSUPPORTED,
            )
    if is_reasoning(model):
        _check_sampling(asked)
    check_effort(model, asked.get("reasoning_effort"), "reasoning_effort")
    _check_tools(asked)
    format_ = asked.get("response_format") or {}
    if format_.get("type") == "json_schema":
        check_there("response_format", format_, "json_schema")
        named = format_["json_schema"]
        check_there("response_format.json_schema", named, "name")
        what = f"response_format '{named['name']}'"
        check_schema("response_format", what, named.get("schema"))
        if named.get("strict"):
            check_strict("response_format", what, named.get("schema"))
    if format_.get("type") == "json_object" and "json" not in json.dumps(asked["messages"]).lower():
        raise Rejected(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
            "messages",
        )


def check_length(model: str, sections: Sequence[PromptSection]) -> None:
    """Check that a chat fits into the model's context."""
    if is_too_long(model, sections):
        raise Rejected(
            f"This model's maximum context length is {context_tokens(model)} tokens. However, your messages resulted "
            f"in {tokens_of(sections)} tokens. Please reduce the length of the messages.",
            "messages",
            TOO_LONG,
        )


def _check_message(message: Any, number: int) -> None:  # noqa: ANN401 - whatever was sent
    place = f"messages[{number}]"
    check_there(place, message, "role")
    role, content = message["role"], message.get("content")
    if role not in _ROLES:
        roles = ", ".join(f"'{known}'" for known in _ROLES[:-1])
        raise Rejected(
            f"Invalid value: '{role}'. Supported values are: {roles}, and '{_ROLES[-1]}'.",
            f"{place}.role",
            "invalid_value",
        )
    if role == "tool":
        check_there(place, message, "tool_call_id")
    _check_calls(message.get("tool_calls"), f"{place}.tool_calls")
    if content is None and not (message.get("tool_calls") or message.get("refusal")):
        raise Rejected(
            "Invalid value for 'content': expected a string, got null.",
            f"messages.[{number}].content",
        )
    for at, part in enumerate(content if isinstance(content, list) else ()):
        check_there(f"{place}.content[{at}]", part, "type")


def _check_calls(calls: Any, place: str) -> None:  # noqa: ANN401 - whatever was sent
    if calls is None:
        return
    check_type(place, calls, (list,))
    for at, call in enumerate(calls):
        check_there(f"{place}[{at}]", call, "id", "type")
        if call["type"] == "function":
            check_there(f"{place}[{at}]", call, "function")
            check_there(f"{place}[{at}].function", call["function"], "name", "arguments")
            arguments = call["function"]["arguments"]
            check_type(f"{place}[{at}].function.arguments", arguments, (str,))


def _check_results(messages: Sequence[JsonObject]) -> None:
    """Every tool message answers a call of the assistant message before it, and every call is answered."""
    open_ids: list[str] = []
    for number, message in enumerate([*messages, {"role": ""}]):
        place = f"messages.[{number}].role"
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_ids:
                raise Rejected(_ORPHAN, place)
            open_ids.remove(message["tool_call_id"])
        elif open_ids:
            raise Rejected(_UNANSWERED + ", ".join(open_ids), place)
        elif message["role"] == "assistant":
            open_ids = [call["id"] for call in message.get("tool_calls") or ()]


def _check_sampling(asked: JsonObject) -> None:
    temperature = asked.get("temperature")
    if temperature not in (None, 1):
        raise Rejected(
            f"Unsupported value: 'temperature' does not support {temperature:g} with this model. "
            "Only the default (1) value is supported.",
            "temperature",
            "unsupported_value",
        )


def _check_tools(asked: JsonObject) -> None:
    tools = asked.get("tools")
    if tools is not None:
        check_not_empty("tools", tools)
    for number, tool in enumerate(tools or ()):
        check_there(f"tools[{number}]", tool, "type")
        if tool["type"] == "function":
            check_there(f"tools[{number}]", tool, "function")
            function = tool["function"]
            check_there(f"tools[{number}].function", function, "name")
            place = f"tools[{number}].function.parameters"
            check_function(place, function)
    choice = asked.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "function":
        check_there("tool_choice", choice, "function")
        check_there("tool_choice.function", choice["function"], "name")
    for name in ("tool_choice", "parallel_tool_calls"):
        if asked.get(name) is not None and not tools:
            raise Rejected(
                f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified.",
                name,
            )

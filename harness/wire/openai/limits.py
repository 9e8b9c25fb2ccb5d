"""Limits of single fields at OpenAI's own host, the same for every model.

Each is in the API reference (https://platform.openai.com/docs/api-reference); other vendors have values of their own.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

from harness.json_types import JsonObject
from harness.wire.openai.errors import Rejected
from harness.wire.openai.parameters import listed
from harness.wire.openai.strict_schema import check_arrays
from harness.wire.openai.validate import check_bounds, check_not_empty, check_there, check_type

TIERS: Final = ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast")
INCLUDABLE: Final = (
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
)
FORMATS: Final = ("json_object", "json_schema", "text")
CHOICES: Final = ("none", "auto", "required")
_CHAT_TOOLS = ("function", "custom")
_CHAT_PARTS = ("text", "image_url", "input_audio", "refusal", "audio", "file")
DETAILS: Final = ("low", "high", "auto", "original")
_SOUNDS = ("wav", "mp3")
_SCHEMES = ("http://", "https://", "data:")
_RETENTIONS = ("in_memory", "in-memory", "24h")
_VALUES: Final = {
    "service_tier": TIERS,
    "prompt_cache_retention": _RETENTIONS,
    "truncation": ("auto", "disabled"),
}
_TEXTS = ("user", "safety_identifier", "prompt_cache_key")
_NUMBERS = ("seed", "max_tool_calls")

_NAME = re.compile("[a-zA-Z0-9_-]+")
_NAME_LETTERS = 64
_PAIRS, _KEY_LETTERS, _VALUE_LETTERS = 16, 64, 512


def check_value(place: str, value: object, values: Collection[str]) -> None:
    """Check that a value is one of a few."""
    if value is not None and value not in values:
        raise Rejected(
            f"Invalid value: '{value}'. Supported values are: {listed(values)}.",
            place,
            "invalid_value",
        )


def check_common(asked: JsonObject) -> None:
    """Check what chats and responses have in common."""
    for name, values in _VALUES.items():
        check_value(name, asked.get(name), values)
    for name in _TEXTS:
        if asked.get(name) is not None:
            check_type(name, asked[name], (str,))
    for name in _NUMBERS:
        if asked.get(name) is not None:
            check_type(name, asked[name], (int,))
    if asked.get("stream_options") is not None and not asked.get("stream"):
        raise Rejected(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            "stream_options",
        )
    check_metadata(asked.get("metadata") or {})


def check_chat(asked: JsonObject) -> None:
    """Check the fields of a chat, whose shape is right."""
    check_common(asked)
    _check_together(asked)
    for token, bias in (asked.get("logit_bias") or {}).items():
        check_type(f"logit_bias.{token}", bias, (int, float))
        check_bounds(f"logit_bias.{token}", bias, -100, 100)
    for number, modality in enumerate(asked.get("modalities") or ()):
        check_value(f"modalities[{number}]", modality, ("text", "audio"))
    tools = asked.get("tools") or ()
    for number, tool in enumerate(tools):
        check_value(f"tools[{number}].type", tool["type"], _CHAT_TOOLS)
        if tool["type"] == "function":
            check_name(f"tools[{number}].function.name", tool["function"]["name"])
            check_arrays(f"tools[{number}].function.parameters", tool["function"])
    names = [tool["function"]["name"] for tool in tools if tool["type"] == "function"]
    _check_choice(asked.get("tool_choice"), names)
    format_ = asked.get("response_format") or {}
    check_value("response_format.type", format_.get("type"), FORMATS)
    if format_.get("type") == "json_schema":
        check_name("response_format.json_schema.name", format_["json_schema"]["name"])
        check_there("response_format.json_schema", format_["json_schema"], "schema")
    for number, message in enumerate(asked["messages"]):
        if isinstance(message.get("content"), list):
            _check_parts(message["content"], f"messages[{number}].content")
            _check_seer(message, f"messages[{number}]")


def check_name(place: str, name: str) -> None:
    """Check the name of a tool or a schema."""
    if len(name) > _NAME_LETTERS:
        raise _too_long(place, name, _NAME_LETTERS)
    if _NAME.fullmatch(name) is None:
        raise Rejected(
            f"Invalid '{place}': string does not match pattern. Expected a string that matches the pattern "
            f"'^{_NAME.pattern}$'.",
            place,
            "invalid_value",
        )


def unknown_choice(name: str) -> Rejected:
    """The rejection of a choice of a tool that is not offered."""
    return Rejected(f"Tool choice '{name}' not found in 'tools' parameter.", "tool_choice")


def _check_together(asked: JsonObject) -> None:
    if asked.get("top_logprobs") is not None and not asked.get("logprobs"):
        raise Rejected(
            "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
            "top_logprobs",
        )
    if asked.get("max_tokens") is not None and asked.get("max_completion_tokens") is not None:
        raise Rejected(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            "max_tokens",
            "invalid_parameter_combination",
        )


def _check_choice(choice: Any, names: Collection[str]) -> None:  # noqa: ANN401 - of the right shape
    if isinstance(choice, str):
        check_value("tool_choice", choice, CHOICES)
        return
    is_named = choice is not None and choice.get("type") == "function"
    if is_named and choice["function"]["name"] not in names:
        raise unknown_choice(choice["function"]["name"])


def _check_parts(parts: list[Any], place: str) -> None:
    check_not_empty(place, parts)
    for number, part in enumerate(parts):
        here = f"{place}[{number}]"
        check_value(here, part["type"], _CHAT_PARTS)
        if part["type"] in ("text", "image_url", "input_audio", "file"):
            check_there(here, part, part["type"])
        if part["type"] == "image_url":
            check_type(f"{here}.image_url", part["image_url"], (dict,))
            check_there(f"{here}.image_url", part["image_url"], "url")
            check_value(f"{here}.image_url.detail", part["image_url"].get("detail"), DETAILS)
            check_url(f"{here}.image_url.url", part["image_url"]["url"])
        elif part["type"] == "input_audio":
            check_there(f"{here}.input_audio", part["input_audio"], "data", "format")
            check_value(f"{here}.input_audio.format", part["input_audio"]["format"], _SOUNDS)
        elif part["type"] == "file":
            check_type(f"{here}.file", part["file"], (dict,))
            if part["file"].get("file_data") is None:
                check_there(f"{here}.file", part["file"], "file_id")


def check_url(place: str, url: object) -> None:
    """Check the URL of an image."""
    check_type(place, url, (str,))
    if not str(url).startswith(_SCHEMES):
        raise Rejected(
            f"Invalid '{place}'. Expected a valid URL, but got a value with an invalid format.",
            place,
            "invalid_value",
        )


def _check_seer(message: JsonObject, place: str) -> None:
    """Only users show images."""
    role = message["role"]
    if role != "user" and any(part["type"] == "image_url" for part in message["content"]):
        raise Rejected(
            f"Invalid '{place}'. Image URLs are only allowed for messages with role 'user', but this message with role "
            f"'{role}' contains an image URL.",
            place,
            "invalid_value",
        )


def check_metadata(pairs: JsonObject) -> None:
    """Check the pairs that a program attaches to an object."""
    if len(pairs) > _PAIRS:
        raise Rejected(
            f"Invalid 'metadata': too many properties. Expected an object with at most {_PAIRS} properties, but got an "
            f"object with {len(pairs)} properties instead.",
            "metadata",
            "object_above_max_properties",
        )
    for key, value in pairs.items():
        check_type(f"metadata.{key}", value, (str,))
        if len(key) > _KEY_LETTERS:
            raise _too_long("metadata", key, _KEY_LETTERS)
        if len(value) > _VALUE_LETTERS:
            raise _too_long(f"metadata.{key}", value, _VALUE_LETTERS)


def _too_long(place: str, text: str, longest: int) -> Rejected:
    return Rejected(
        f"Invalid '{place}': string too long. Expected a string with maximum length {longest}, but got a string with "
        f"length {len(text)} instead.",
        place,
        "string_above_max_length",
    )

"""Limits of the fields of a response at OpenAI's own host, the same for every model.

The values are those of the types of SDK 3.54; a test compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from harness.json_types import JsonObject
from harness.wire.openai.errors import Rejected
from harness.wire.openai.limits import (
    CHOICES,
    DETAILS,
    FORMATS,
    INCLUDABLE,
    check_common,
    check_name,
    check_url,
    check_value,
    unknown_choice,
)
from harness.wire.openai.strict_schema import check_arrays
from harness.wire.openai.validate import check_bounds, check_there

TOOLS: Final = (
    "function",
    "file_search",
    "computer",
    "computer_use_preview",
    "web_search",
    "web_search_2025_08_26",
    "mcp",
    "code_interpreter",
    "programmatic_tool_calling",
    "image_generation",
    "local_shell",
    "shell",
    "custom",
    "namespace",
    "tool_search",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "apply_patch",
)
ITEMS: Final = (
    "message",
    "file_search_call",
    "computer_call",
    "computer_call_output",
    "web_search_call",
    "function_call",
    "function_call_output",
    "tool_search_call",
    "tool_search_output",
    "additional_tools",
    "configuration_update",
    "reasoning",
    "compaction",
    "image_generation_call",
    "code_interpreter_call",
    "local_shell_call",
    "local_shell_call_output",
    "shell_call",
    "shell_call_output",
    "apply_patch_call",
    "apply_patch_call_output",
    "mcp_list_tools",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "custom_tool_call_output",
    "custom_tool_call",
    "compaction_trigger",
    "item_reference",
    "program",
    "program_output",
)
_PARTS = (
    "input_text",
    "input_image",
    "output_text",
    "refusal",
    "input_file",
    "computer_screenshot",
    "summary_text",
)
_OWN_PARTS = ("output_text", "refusal")
"""What a message of the assistant may hold."""
_REASONING = ("effort", "summary", "generate_summary", "context", "mode")
_SUMMARIES = ("auto", "concise", "detailed")


def check_response_limits(asked: JsonObject) -> None:
    """Check the fields of a request for a response, whose shape is right."""
    check_common(asked)
    for number, name in enumerate(asked.get("include") or ()):
        check_value(f"include[{number}]", name, INCLUDABLE)
    if asked.get("max_tool_calls") is not None:
        check_bounds("max_tool_calls", asked["max_tool_calls"], 1, None)
    for name, value in (asked.get("reasoning") or {}).items():
        if name not in _REASONING:
            place = f"reasoning.{name}"
            raise Rejected(f"Unknown parameter: '{place}'.", place, "unknown_parameter")
        if name in ("summary", "generate_summary"):
            check_value(f"reasoning.{name}", value, _SUMMARIES)
    format_ = (asked.get("text") or {}).get("format") or {}
    check_value("text.format.type", format_.get("type"), FORMATS)
    if format_.get("type") == "json_schema":
        check_there("text.format", format_, "name", "schema")
        check_name("text.format.name", format_["name"])
    tools = asked.get("tools") or ()
    for number, tool in enumerate(tools):
        check_value(f"tools[{number}].type", tool["type"], TOOLS)
        if tool["type"] == "function":
            check_name(f"tools[{number}].name", tool["name"])
            check_arrays(f"tools[{number}].parameters", tool)
    _check_choice(asked.get("tool_choice"), tools)
    items = asked.get("input")
    check_item_limits("input", items if isinstance(items, list) else ())


def _check_choice(choice: Any, tools: Sequence[JsonObject]) -> None:  # noqa: ANN401 - of the right shape
    if isinstance(choice, str):
        check_value("tool_choice", choice, CHOICES)
    elif choice is not None and choice.get("type") == "function" and choice.get("name"):
        loaded = any(tool["type"] != "function" for tool in tools)  # a namespace may have it
        if not loaded and choice["name"] not in [tool.get("name") for tool in tools]:
            raise unknown_choice(choice["name"])


def check_item_limits(place: str, items: Sequence[JsonObject]) -> None:
    """Check the fields of items, whose shape is right.

    Args:
        place: Where they stand.
        items: The items.
    """
    for number, item in enumerate(items):
        _check_item(item, f"{place}[{number}]")


def _check_item(item: JsonObject, place: str) -> None:
    kind = item.get("type") or "message"
    check_value(place, kind, ITEMS)
    content = item.get("content")
    if kind != "message" or not isinstance(content, list):
        return
    values = _OWN_PARTS if item.get("role") == "assistant" else _PARTS
    for number, part in enumerate(content):
        _check_part(part, f"{place}.content[{number}]", values)


def _check_part(part: JsonObject, place: str, values: Sequence[str]) -> None:
    check_there(place, part, "type")
    check_value(place, part["type"], values)
    if part["type"] in ("input_text", "output_text"):
        check_there(place, part, "text")
    if part["type"] == "input_image":
        if isinstance(part.get("image_url"), dict):
            raise Rejected(
                f"Invalid type for '{place}.image_url': expected an image URL, but got an object instead.",
                f"{place}.image_url",
                "invalid_type",
            )
        check_value(f"{place}.detail", part.get("detail"), DETAILS)
        if part.get("image_url") is not None:
            check_url(f"{place}.image_url", part["image_url"])

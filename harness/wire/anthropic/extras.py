"""The fields that the objects of a request may have; others are refused by their names.

They are those of the types of SDK 2.12; a test compares them.
"""

from __future__ import annotations

from typing import Final

from harness.wire.anthropic.checks import Table, nothing_else, tag_at, text_at
from harness.wire.anthropic.errors import invalid

BLOCKS: Final = {
    "text": ("type", "text", "cache_control", "citations"),
    "image": ("type", "source", "cache_control", "transformations"),
    "tool_use": ("type", "id", "name", "input", "cache_control", "caller", "toolset_name"),
    "tool_result": (
        "type",
        "tool_use_id",
        "content",
        "is_error",
        "cache_control",
        "toolset_name",
    ),
    "thinking": ("type", "thinking", "signature"),
    "redacted_thinking": ("type", "data"),
}
"""By the type of a block; those of the server's own blocks are not looked at."""

CHOICES: Final = {
    "auto": ("type", "disable_parallel_tool_use"),
    "any": ("type", "disable_parallel_tool_use"),
    "tool": ("type", "name", "disable_parallel_tool_use"),
    "none": ("type",),
}
"""By the type of `tool_choice`."""

TOOL: Final = (
    "type",
    "name",
    "description",
    "input_schema",
    "allowed_callers",
    "cache_control",
    "defer_loading",
    "eager_input_streaming",
    "input_examples",
    "strict",
)
"""Of a tool of the user's."""

TOOL_TYPES: Final = (
    "bash_20250124",
    "browser_toolset_20260801",
    "code_execution_20250522",
    "code_execution_20250825",
    "code_execution_20260120",
    "code_execution_20260521",
    "computer_toolset_20260801",
    "custom",
    "memory_20250818",
    "text_editor_20250124",
    "text_editor_20250429",
    "text_editor_20250728",
    "tool_search_tool_bm25",
    "tool_search_tool_bm25_20251119",
    "tool_search_tool_regex",
    "tool_search_tool_regex_20251119",
    "web_fetch_20250910",
    "web_fetch_20260209",
    "web_fetch_20260309",
    "web_fetch_20260318",
    "web_search_20250305",
    "web_search_20260209",
    "web_search_20260318",
)
"""Types of tools for requests that name no beta feature."""

THINKING: Final = {
    "enabled": ("type", "budget_tokens", "display"),
    "disabled": ("type",),
    "adaptive": ("type", "display"),
}
"""By the type of `thinking`."""

_BETA: Final = ("block_binding", "task_budget")
"""Fields that a request may have that names a beta feature, whichever."""

_DISPLAYS = ("summarized", "omitted")


def check_block(block: Table, place: str) -> None:
    """Check that a block has no other fields."""
    kind = block["type"]
    if kind in BLOCKS:
        nothing_else(block, BLOCKS[kind], f"{place}.{kind}.")


def check_thinking(thinking: Table, betas: str) -> None:
    """Check that `thinking`, whose type is known, has no other fields."""
    kind = thinking["type"]
    if kind not in THINKING:
        return
    nothing_else(thinking, (*THINKING[kind], *(_BETA if betas else ())), f"thinking.{kind}.")
    if thinking.get("display") not in (None, *_DISPLAYS):
        raise invalid(f"thinking.{kind}.display: Input should be 'summarized' or 'omitted'")


def check_output_config(config: Table, betas: str) -> None:
    """Check that `output_config` has no other fields."""
    known = ("effort", "format", *(_BETA if betas else ()))
    nothing_else(config, known, "output_config.")


def check_choice(choice: Table) -> str:
    """Check that `tool_choice` has no other fields, and return its type."""
    kind = tag_at(choice, "tool_choice", tuple(CHOICES))
    nothing_else(choice, CHOICES[kind], f"tool_choice.{kind}.")
    return kind


def check_named_values(body: Table) -> None:
    """Check settings that are one of a few words, and what is known of the user."""
    for name, one, other in (
        ("service_tier", "auto", "standard_only"),
        ("speed", "standard", "fast"),
    ):
        if body.get(name) not in (None, one, other):
            raise invalid(f"{name}: Input should be '{one}' or '{other}'")
    metadata = body.get("metadata")
    if metadata is not None:
        nothing_else(metadata, ("user_id",), "metadata.")
        if metadata.get("user_id") is not None:
            text_at(metadata, "user_id", "metadata.user_id")

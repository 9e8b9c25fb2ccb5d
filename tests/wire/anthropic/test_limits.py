"""Limits of models and of fields, which the real API refuses to pass; each has a source in the rules."""

# ruff: noqa: ANN401 - JSON is anything, and so is a fixture of another file
from __future__ import annotations

import base64
import typing
from typing import Any

import pytest
from anthropic import types

from harness.wire.anthropic import extras

HI: dict[str, Any] = {
    "model": "claude-sonnet-4-6",
    "max_tokens": 2000,
    "messages": [{"role": "user", "content": "hi"}],
}
THINK = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
OBJECT: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}


def user(*blocks: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(blocks)}]}


def tool(schema: Any, **more: Any) -> dict[str, Any]:
    return {"tools": [{"name": "look", "input_schema": schema, **more}]}


def formatted(schema: Any) -> dict[str, Any]:
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


def document(data: bytes) -> dict[str, Any]:
    data_64 = base64.b64encode(data).decode()
    source = {"type": "base64", "media_type": "application/pdf", "data": data_64}
    return {"type": "document", "source": source}


def cached(ttl: str) -> dict[str, Any]:
    return {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": ttl}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"top_k": -1}, "top_k: Input should be greater than or equal to 0"),
        ({"top_k": "many"}, "top_k: Input should be a valid integer"),
        ({"temperature": 0.5, "top_p": 0.9}, "`temperature` and `top_p` cannot both be specified"),
        ({"model": "claude-opus-4-7", "temperature": 0.5}, "`temperature` is deprecated for this"),
        ({"model": "claude-opus-5", "top_p": 0.5}, "`top_p` is deprecated for this model."),
        ({"model": "claude-sonnet-5", "top_k": 5}, "`top_k` is deprecated for this model."),
        ({**THINK, "top_k": 5}, "`top_k` must be unset when thinking is enabled."),
        ({**THINK, "top_p": 0.5}, "`top_p` must be greater than or equal to 0.95 or unset when"),
        (
            {"model": "claude-opus-4-5", "output_config": {"effort": "max"}},
            "This model does not support the effort level 'max'.",
        ),
        ({"output_config": {"effort": "xhigh"}}, "does not support the effort level 'xhigh'."),
        ({"output_config": {"foo": 1}}, "output_config.foo: Extra inputs are not permitted"),
        ({"metadata": {"team": "a"}}, "metadata.team: Extra inputs are not permitted"),
        ({"metadata": {"user_id": 5}}, "metadata.user_id: Input should be a valid string"),
        ({"service_tier": "gold"}, "service_tier: Input should be 'auto' or 'standard_only'"),
        ({"speed": "warp"}, "speed: Input should be 'standard' or 'fast'"),
        (
            {"thinking": {"type": "disabled", "budget_tokens": 1024}},
            "thinking.disabled.budget_tokens: Extra inputs are not permitted",
        ),
        (
            {"thinking": {"type": "adaptive", "display": "loud"}},
            "thinking.adaptive.display: Input should be 'summarized' or 'omitted'",
        ),
        (
            {"model": "claude-3-5-sonnet-20241022", **THINK},
            "'claude-3-5-sonnet-20241022' does not support thinking.",
        ),
        (
            {"model": "claude-sonnet-4-20250514", **formatted(OBJECT)},
            "'claude-sonnet-4-20250514' does not support output format.",
        ),
        (
            formatted({"type": "object", "properties": {}}),
            "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
        ),
        (
            formatted({**OBJECT, "properties": {"a": {"type": "integer", "minimum": 3}}}),
            "For 'integer' type, property 'minimum' is not supported",
        ),
        (
            formatted({**OBJECT, "properties": {"a": {"anyOf": [{"type": "object"}]}}}),
            "For 'object' type, 'additionalProperties' must be explicitly set to false",
        ),
        (
            formatted({**OBJECT, "$defs": {"a": {"type": "number", "minimum": 1, "maximum": 2}}}),
            "For 'number' type, properties maximum, minimum are not supported",
        ),
        (
            formatted({**OBJECT, "properties": {"a": {"type": "array", "minItems": 4}}}),
            "For 'array' type, 'minItems' values other than 0 or 1 are not supported",
        ),
        (
            {"output_config": {"format": {"type": "xml"}}},
            "output_config.format: Input tag 'xml' found using 'type' does not match",
        ),
        (
            {"output_config": {"format": {"type": "json_schema"}}},
            "output_config.format.json_schema.schema: Field required",
        ),
        (
            tool({"type": "object"}, strict=True),
            "tools.0.custom: For 'object' type, 'additionalProperties' must be explicitly set",
        ),
        (tool({"type": "object"}, foo=1), "tools.0.custom.foo: Extra inputs are not permitted"),
        (
            {"tools": [{"type": "web_search_19990101", "name": "web_search"}]},
            "tools.0: Input tag 'web_search_19990101' found using 'type' does not match",
        ),
        (tool({"type": "object"}, description=5), "tools.0.custom.description: Input should be"),
        (
            tool({"type": "object", "anyOf": [{"type": "object"}]}),
            "input_schema does not support oneOf, allOf, or anyOf at the top level",
        ),
        (
            {**tool({"type": "object"}), "tool_choice": {"type": "auto", "name": "look"}},
            "tool_choice.auto.name: Extra inputs are not permitted",
        ),
        (
            user({"type": "text", "text": "x", "id": "1"}),
            "messages.0.content.0.text.id: Extra inputs are not permitted",
        ),
        (
            user({"type": "image", "source": {"type": "url", "url": "http://x/y.png"}}),
            "Only HTTPS URLs are supported.",
        ),
        (user(document(b"no PDF")), "The PDF specified was not valid."),
        (
            {"model": "claude-3-haiku-20240307", **user(document(b"%PDF-1.7"))},
            "'claude-3-haiku-20240307' does not support PDF input.",
        ),
        (
            user(
                {
                    "type": "document",
                    "source": {"type": "text", "media_type": "text/html", "data": "x"},
                }
            ),
            "messages.0.content.0.document.source.text.media_type: Input should be 'text/plain'",
        ),
        (
            user(cached("5m"), cached("1h")),
            "messages.0.content.1.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m'",
        ),
        (
            {
                "messages": [
                    *HI["messages"],
                    {
                        "role": "assistant",
                        "content": [{"type": "tool_use", "id": "a b", "name": "f", "input": {}}],
                    },
                ]
            },
            "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
        ),
    ],
)
def test_request_beyond_a_limit_is_refused(bench: Any, change: Any, words: str) -> None:
    old = {"anthropic-version": "2023-06-01"}
    assert words in bench.error({**HI, **change}, headers=old)[2]


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0.5},
        {"top_k": 0},
        {"model": "claude-opus-4-7", "temperature": 1, "top_p": 0.99},
        {"model": "claude-sonnet-4-20250514", "temperature": 0.5, "top_p": 0.9},
        {**THINK, "top_p": 0.95},
        {"output_config": {"effort": "max"}},
        {"model": "claude-opus-4-7", "output_config": {"effort": "xhigh"}},
        {"metadata": {"user_id": "u"}},
        formatted({**OBJECT, "properties": {"a": {"type": "array", "minItems": 1}}}),
        tool({**OBJECT}, strict=True),
        tool({"type": "object", "properties": {"a": {"type": "integer", "minimum": 3}}}),
        user(document(b"%PDF-1.7")),
        user(cached("1h"), cached("5m")),
    ],
)
def test_request_within_the_limits_is_taken(bench: Any, change: Any) -> None:
    bench.ask({**HI, **change}, headers={"anthropic-version": "2023-06-01"})


FIELDS = {
    "text": types.TextBlockParam,
    "image": types.ImageBlockParam,
    "tool_use": types.ToolUseBlockParam,
    "tool_result": types.ToolResultBlockParam,
    "thinking": types.ThinkingBlockParam,
    "redacted_thinking": types.RedactedThinkingBlockParam,
}


@pytest.mark.parametrize("kind", FIELDS)
def test_fields_of_blocks_are_those_of_the_sdk(kind: str) -> None:
    assert set(extras.BLOCKS[kind]) == set(FIELDS[kind].__annotations__)


def test_types_of_tools_are_those_of_the_sdk() -> None:
    found: set[str] = set()
    for one in typing.get_args(types.ToolUnionParam):
        kind = typing.get_type_hints(one)["type"]
        while typing.get_origin(kind) is not typing.Literal:
            kind = typing.get_args(kind)[0]
        found.update(typing.get_args(kind))
    assert set(extras.TOOL_TYPES) == found


def test_fields_of_tools_and_choices_are_those_of_the_sdk() -> None:
    assert set(extras.TOOL) == set(types.ToolParam.__annotations__)
    choices = {
        "auto": types.ToolChoiceAutoParam,
        "any": types.ToolChoiceAnyParam,
        "tool": types.ToolChoiceToolParam,
        "none": types.ToolChoiceNoneParam,
    }
    assert {kind: set(names) for kind, names in extras.CHOICES.items()} == {
        kind: set(choice.__annotations__) for kind, choice in choices.items()
    }

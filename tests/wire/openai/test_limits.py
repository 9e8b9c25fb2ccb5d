"""Limits of fields and of models at OpenAI's own host; each has a source in the rules."""

from __future__ import annotations

import json
import typing
from collections.abc import Callable
from typing import Any

import pytest
from openai.types.responses import ResponseIncludable, ResponseInputItemParam, ToolParam

from harness.wire.api import Prompt
from harness.wire.openai import limits, response_limits

Call = Callable[..., Any]

HI = [{"role": "user", "content": "hi"}]
OPEN: dict[str, Any] = {"type": "object", "properties": {}}
CLOSED = {**OPEN, "additionalProperties": False}
IMAGE = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
ARRAY = {"type": "object", "properties": {"a": {"type": "array"}}}


def function(name: str = "look", schema: Any = OPEN, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"type": "function", "function": {"name": name, "parameters": schema, **more}}


def flat(name: str = "look", schema: Any = OPEN, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"type": "function", "name": name, "parameters": schema, "strict": False, **more}


def said(*parts: Any, role: str = "user") -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    return [{"role": role, "content": list(parts)}]


def schema_of(kind: str = "json_schema", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"response_format": {"type": kind, **({"json_schema": more} if more else {})}}


@pytest.mark.parametrize(
    ("change", "param", "words"),
    [
        ({"metadata": {f"k{n}": "v" for n in range(17)}}, "metadata", "at most 16 properties, but"),
        ({"metadata": {"k": 1}}, "metadata.k", "expected a string, but got an integer instead."),
        ({"metadata": {"k": "v" * 513}}, "metadata.k", "maximum length 512, but got a string"),
        ({"service_tier": "gold"}, "service_tier", "Invalid value: 'gold'. Supported values are:"),
        ({"prompt_cache_retention": "3h"}, "prompt_cache_retention", "Invalid value: '3h'."),
        ({"stream_options": {"include_usage": True}}, "stream_options", "when 'stream' is enabled"),
        ({"top_logprobs": 3}, "top_logprobs", "only allowed when 'logprobs' is enabled."),
        ({"max_tokens": 9, "max_completion_tokens": 9}, "max_tokens", "at the same time is not"),
        ({"logit_bias": {"1": 200}}, "logit_bias.1", "Expected a value <= 100, but got 200"),
        ({"modalities": ["smell"]}, "modalities[0]", "Supported values are: 'text' and 'audio'."),
        ({"seed": "x"}, "seed", "expected an integer, but got a string instead."),
        ({"user": 5}, "user", "expected a string, but got an integer instead."),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type", "are: 'function' and 'custom'."),
        ({"tools": [function("a b")]}, "tools[0].function.name", "'^[a-zA-Z0-9_-]+$'"),
        ({"tools": [function("a" * 65)]}, "tools[0].function.name", "maximum length 64, but got"),
        (
            {"tools": [function(schema=ARRAY)]},
            "tools[0].function.parameters",
            "In context=('properties', 'a'), array schema missing items.",
        ),
        (
            {"tools": [function(schema={**CLOSED, "allOf": [OPEN]}, strict=True)]},
            "tools[0].function.parameters",
            "In context=(), 'allOf' is not permitted.",
        ),
        (
            {"tools": [function()], "tool_choice": "yes"},
            "tool_choice",
            "Supported values are: 'none', 'auto', and 'required'.",
        ),
        (
            {"tools": [function()], "tool_choice": function("other")},
            "tool_choice",
            "Tool choice 'other' not found in 'tools' parameter.",
        ),
        (schema_of("xml"), "response_format.type", "'json_object', 'json_schema', and 'text'."),
        (schema_of(name="a b", schema=OPEN), "response_format.json_schema.name", "match pattern"),
        (schema_of(name="a"), "response_format.json_schema.schema", "Missing required parameter"),
        ({"messages": said()}, "messages[0].content", "Expected an array with minimum length 1"),
        ({"messages": said({"type": "smell"})}, "messages[0].content[0]", "Invalid value: 'smell'"),
        ({"messages": said({"type": "text"})}, "messages[0].content[0].text", "Missing required"),
        (
            {"messages": said({"type": "image_url", "image_url": "https://x/y.png"})},
            "messages[0].content[0].image_url",
            "expected an object, but got a string instead.",
        ),
        (
            {"messages": said({"type": "image_url", "image_url": {"url": "file:///etc/x.png"}})},
            "messages[0].content[0].image_url.url",
            "Expected a valid URL, but got a value with an invalid format.",
        ),
        (
            {"messages": [*said(IMAGE, role="system"), *HI]},
            "messages[0]",
            "Image URLs are only allowed for messages with role 'user'",
        ),
        (
            {"messages": said({"type": "file", "file": {}})},
            "messages[0].content[0].file.file_id",
            "Missing required parameter: 'messages[0].content[0].file.file_id'.",
        ),
        (
            {"messages": said({"type": "image_url", "image_url": {"url": "u", "detail": "max"}})},
            "messages[0].content[0].image_url.detail",
            "Invalid value: 'max'.",
        ),
    ],
)
def test_chat_beyond_a_limit_is_refused(
    chat: Call, change: dict[str, Any], param: str, words: str
) -> None:
    error = error_of(chat(**{"messages": HI, "model": "gpt-4o", **change}))
    assert (error["param"], words in error["message"]) == (param, True), error


@pytest.mark.parametrize(
    ("model", "change", "words"),
    [
        ("gpt-4o", {"max_tokens": 16_385}, "This model supports at most 16384 completion tokens"),
        ("gpt-4.1-mini-2025-04-14", {"max_tokens": 32_769}, "max_tokens is too large: 32769."),
        ("gpt-4o", {"verbosity": "low"}, "'low' is not supported with the 'gpt-4o' model."),
        ("gpt-5", {"verbosity": "loud"}, "Supported values are: 'low', 'medium', and 'high'."),
        ("gpt-4", schema_of(name="a", schema=OPEN), "of type 'json_schema' is not supported with"),
        ("gpt-4o-2024-05-13", schema_of(name="a", schema=OPEN), "the Structured Outputs guide"),
        ("gpt-4o", {"web_search_options": {}}, "Web search options not supported with this model."),
        (
            "o1-mini",
            {"messages": [{"role": "system", "content": "x"}, *HI]},
            "'messages[0].role' does not support 'system' with this model.",
        ),
        (
            "gpt-4o",
            {"prediction": {"type": "content", "content": "x"}, "tools": [function()]},
            "'tools' is not supported with 'prediction'.",
        ),
        ("gpt-5", {"prediction": {"type": "content", "content": "x"}}, "'prediction' is not supp"),
        ("gpt-5", {"top_p": 0.5}, "'top_p' is not supported with this model."),
        ("gpt-5.5", {"temperature": 0.5}, "'temperature' is not supported with this model."),
        ("o1-mini", {"tools": [function()]}, "'tools' is not supported with this model."),
        (
            "gpt-4o-audio-preview",
            {
                "messages": said(
                    {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "aiff"}}
                )
            },
            "Invalid value: 'aiff'. Supported values are: 'wav' and 'mp3'.",
        ),
        ("o1-pro", {}, "only supported in v1/responses and not in v1/chat/completions."),
        ("text-embedding-3-small", {}, "This is not a chat model and thus not supported"),
        ("whisper-1", {}, "This is not a chat model and thus not supported"),
        (
            "gpt-3.5-turbo",
            {"messages": said({"type": "file", "file": {"file_id": "file-1"}})},
            "file is only supported by certain models.",
        ),
    ],
)
def test_chat_beyond_what_its_model_does_is_refused(
    chat: Call, model: str, change: dict[str, Any], words: str
) -> None:
    assert words in error_of(chat(**{"messages": HI, "model": model, **change}))["message"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"include": ["foo"]}, "Invalid value: 'foo'. Supported values are: 'file_search_call"),
        ({"model": "gpt-5", "reasoning": {"foo": 1}}, "Unknown parameter: 'reasoning.foo'."),
        ({"model": "gpt-5", "reasoning": {"summary": "long"}}, "Invalid value: 'long'. Supported"),
        ({"model": "gpt-5.5", "top_p": 0.5}, "'top_p' is not supported with this model."),
        ({"truncation": "maybe"}, "Supported values are: 'auto' and 'disabled'."),
        ({"text": {"format": {"type": "xml"}}}, "'json_object', 'json_schema', and 'text'."),
        ({"max_tool_calls": 0}, "Expected a value >= 1, but got 0 instead."),
        ({"max_tool_calls": "3"}, "expected an integer, but got a string instead."),
        ({"tools": [{"type": "foo"}]}, "Invalid value: 'foo'. Supported values are: 'function'"),
        ({"tools": [flat("a b")]}, "string does not match pattern."),
        ({"tools": [flat(schema=ARRAY)]}, "array schema missing items."),
        ({"tools": [flat()], "tool_choice": "yes"}, "'none', 'auto', and 'required'."),
        (
            {"tools": [flat()], "tool_choice": {"type": "function", "name": "other"}},
            "Tool choice 'other' not found in 'tools' parameter.",
        ),
        ({"input": [{"type": "foo"}]}, "Invalid value: 'foo'. Supported values are: 'message'"),
        ({"input": said({"type": "text", "text": "x"})}, "Supported values are: 'input_text'"),
        (
            {"input": [*said({"type": "input_text", "text": "x"}, role="assistant"), *HI]},
            "Supported values are: 'output_text' and 'refusal'.",
        ),
        (
            {"input": said({"type": "input_image", "image_url": {"url": "https://x/y.png"}})},
            "expected an image URL, but got an object instead.",
        ),
        ({"model": "text-embedding-3-small"}, "cannot be used with the Responses API."),
        ({"model": "gpt-4o-search-preview"}, "cannot be used with the Responses API."),
        (
            {
                "model": "gpt-3.5-turbo",
                "input": said({"type": "input_file", "file_id": "file-1"}),
            },
            "input_file is only supported by certain models.",
        ),
    ],
)
def test_response_beyond_a_limit_is_refused(send: Call, change: dict[str, Any], words: str) -> None:
    body = {"model": "gpt-4o", "input": "hi", **change}
    assert words in error_of(send("/v1/responses", body))["message"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dimensions": 2000}, "'dimensions' = 2000. Must be less than or equal to 1536."),
        ({"model": "text-embedding-ada-002", "dimensions": 9}, "does not support specifying"),
        ({"encoding_format": "hex"}, "Supported values are: 'float' and 'base64'."),
        ({"input": ""}, "'$.input' is invalid."),
        ({"input": "word " * 9000}, "This model's maximum context length is 8192 tokens"),
        ({"model": "gpt-4o"}, "You are not allowed to generate embeddings from this model"),
    ],
)
def test_embedding_beyond_a_limit_is_refused(
    send: Call, change: dict[str, Any], words: str
) -> None:
    body = {"model": "text-embedding-3-small", "input": "hi", **change}
    assert words in error_of(send("/v1/embeddings", body))["message"]


@pytest.mark.parametrize(
    ("model", "change"),
    [
        ("gpt-4o", {"max_tokens": 16_384, "metadata": {"k": "v" * 512}, "service_tier": "flex"}),
        ("gpt-4o", {"logprobs": True, "top_logprobs": 3, "logit_bias": {"1": -100}}),
        ("gpt-4o", {"tools": [function("a" * 64)], "tool_choice": function("a" * 64)}),
        ("gpt-4o", schema_of(name="a", schema=ARRAY)),
        ("gpt-5.1", {"temperature": 0.5, "top_p": 0.5}),
        ("gpt-5.5", {"temperature": 1, "reasoning_effort": "low"}),
        ("gpt-5-chat-latest", {"temperature": 0.5}),
        ("gpt-5", {"verbosity": "low", "max_completion_tokens": 128_000}),
        ("gpt-4o-search-preview", {"web_search_options": {}}),
        ("my-model", {"verbosity": "low", "max_tokens": 10**6}),
    ],
)
def test_chat_within_the_limits_is_taken(chat: Call, model: str, change: dict[str, Any]) -> None:
    assert isinstance(chat(HI, model=model, **change), Prompt)


def test_no_items_at_all_are_no_crash(send: Call) -> None:
    send("/v1/responses", {"model": "gpt-4o", "input": []})


def test_values_are_those_of_the_sdk() -> None:
    assert set(limits.INCLUDABLE) == set(typing.get_args(ResponseIncludable))
    assert set(response_limits.ITEMS) == types_of(ResponseInputItemParam)
    assert set(response_limits.TOOLS) == types_of(ToolParam)


def types_of(union: Any) -> set[str]:  # noqa: ANN401 - a union of types of the SDK
    """The values of `type` in some types."""
    found: set[str] = set()
    for one in typing.get_args(union):
        kind = typing.get_type_hints(one).get("type")
        while typing.get_origin(kind) is not typing.Literal:
            kind = typing.get_args(kind)[0]
        found.update(typing.get_args(kind))
    return found


def error_of(answer: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever was answered
    error: dict[str, Any] = json.loads(answer.body)["error"]
    return error

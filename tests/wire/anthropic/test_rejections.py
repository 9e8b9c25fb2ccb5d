"""Requests that the real API would not accept, and its words."""

# ruff: noqa: ANN401 - JSON is anything, and so is a fixture of another file
from __future__ import annotations

import json
from typing import Any, get_args

import pytest

HI: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 2000,
    "messages": [{"role": "user", "content": "hi"}],
}
TOOL: dict[str, Any] = {"name": "search", "input_schema": {"type": "object"}}
USE = {
    "role": "assistant",
    "content": [{"type": "tool_use", "id": "toolu_1", "name": "search", "input": {}}],
}
RESULT = {
    "role": "user",
    "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}],
}
CACHED = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}


def _said(*messages: Any) -> dict[str, Any]:
    return {"messages": list(messages)}


def _user(*blocks: Any) -> dict[str, Any]:
    return _said({"role": "user", "content": list(blocks)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_tokens": None}, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
        (
            {"max_tokens": 64_001},
            (
                "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for "
                "claude-sonnet-4-5-20250929"
            ),
        ),
        ({"model": 7}, "model: Input should be a valid string"),
        ({"messages": "hi"}, "messages: Input should be a valid list"),
        ({"messages": []}, "messages: at least one message is required"),
        (_said("hi"), "messages.0: Input does not match the expected shape."),
        (_said({"content": "x"}), "messages.0.role: Field required"),
        (_said({"role": "user"}), "messages.0.content: Field required"),
        (
            _said({"role": "robot", "content": "x"}),
            "messages.0.role: Input should be 'user' or 'assistant'",
        ),
        (
            _said({"role": "user", "content": "x", "name": "Bob"}),
            "messages.0.name: Extra inputs are not permitted",
        ),
        (
            _said(
                {
                    "role": "user",
                    "content": [{"type": "text", "text": " "}, {"type": "text", "text": "x"}],
                }
            ),
            "messages: text content blocks must contain non-whitespace text",
        ),
        (_user({"type": "text", "text": ""}), "messages: text content blocks must be non-empty"),
        (
            _user({"type": "text", "text": " \n"}),
            "messages: text content blocks must contain non-whitespace text",
        ),
        (_user({"type": "text"}), "messages.0.content.0.text.text: Field required"),
        (
            _user(),
            "messages.0: all messages must have non-empty content except for the optional final assistant message",
        ),
        (
            _said(*HI["messages"], USE, {"role": "user", "content": "well?"}),
            (
                "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1. Each "
                "`tool_use` block must have a corresponding `tool_result` block in the next message."
            ),
        ),
        (
            _said(RESULT),
            (
                "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1. Each `tool_result` "
                "block must have a corresponding `tool_use` block in the previous message."
            ),
        ),
        (
            _said(*HI["messages"], {**USE, "content": [*USE["content"], *USE["content"]]}, RESULT),
            "messages.1.content.1: `tool_use` ids must be unique",
        ),
        (
            _said(*HI["messages"], USE, RESULT, RESULT),
            (
                "messages.2.content.1: each tool_use must have a single result. Found multiple `tool_result` blocks with "
                "id: toolu_1"
            ),
        ),
        (
            {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "fetch"}},
            "Tool 'fetch' not found in provided tools",
        ),
        (
            {"tool_choice": {"type": "any"}},
            "tool_choice: tool_choice may only be specified while providing tools.",
        ),
        (
            {"tools": [TOOL], "tool_choice": {"type": "all"}},
            (
                "tool_choice: Input tag 'all' found using 'type' does not match any of the expected tags: 'auto', 'any', "
                "'tool', 'none'"
            ),
        ),
        ({"tools": [TOOL, TOOL]}, "tools: Tool names must be unique."),
        (
            {"tools": [{**TOOL, "name": "a b"}]},
            "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
        ),
        ({"tools": [{"name": "a"}]}, "tools.0.custom.input_schema: Field required"),
        (
            {"thinking": {"type": "enabled"}},
            "thinking.enabled.budget_tokens: Field required",
        ),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 1000}},
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ),
        (
            {"stop_sequences": [" "]},
            "stop_sequences: each stop sequence must contain non-whitespace",
        ),
        ({"stream": "yes"}, "stream: Input should be a valid boolean"),
        (
            {"system": [CACHED] * 5},
            "A maximum of 4 blocks with cache_control may be provided. Found 5.",
        ),
        ({"temperature": 1}, "temperature: Extra inputs are not permitted"),
        ({"response_format": {}}, "response_format: Extra inputs are not permitted"),
        ({"thread": {"type": "create"}}, "thread: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(bench: Any, change: Any, message: str) -> None:
    assert bench.error({**HI, **change}) == (400, "invalid_request_error", message)


@pytest.mark.parametrize("name", ["model", "max_tokens", "messages"])
def test_a_missing_field_is_named(bench: Any, name: str) -> None:
    body = {key: HI[key] for key in HI if key != name}
    assert bench.error(body)[2] == f"{name}: Field required"


def test_a_kind_of_block_that_is_none_is_told_the_others(bench: Any) -> None:
    message = bench.error({**HI, **_user({"type": "sound"})})[2]
    assert message.startswith(
        "messages.0.content.0: Input tag 'sound' found using 'type' does not match any of the expected tags: 'text',"
    )


def test_a_budget_for_thinking_stays_below_the_reply(bench: Any) -> None:
    thinking = {"type": "enabled", "budget_tokens": 2000}
    message = bench.error({**HI, "thinking": thinking})[2]
    assert message.startswith("`max_tokens` must be greater than `thinking.budget_tokens`.")
    interleaved = {"anthropic-beta": "interleaved-thinking-2025-05-14"}
    bench.ask({**HI, "thinking": thinking}, headers=interleaved)


def test_thinking_and_a_forced_tool_exclude_each_other(bench: Any) -> None:
    body = {**HI, "tools": [TOOL], "tool_choice": {"type": "any"}}
    thinking = {"type": "enabled", "budget_tokens": 1024}
    message = bench.error({**body, "thinking": thinking})[2]
    assert message == "Thinking may not be enabled when tool_choice forces tool use."


@pytest.mark.parametrize(
    ("model", "kind", "words"),
    [
        ("claude-opus-5", "enabled", '"thinking.type.enabled" is not supported for this model.'),
        ("claude-sonnet-4-5", "adaptive", "adaptive thinking is not supported on this model"),
    ],
)
def test_a_model_thinks_in_its_own_way(bench: Any, model: str, kind: str, words: str) -> None:
    thinking = {"type": kind, **({"budget_tokens": 1024} if kind == "enabled" else {})}
    assert words in bench.error({**HI, "model": model, "thinking": thinking})[2]


def test_new_models_do_not_continue_what_they_did_not_begin(bench: Any) -> None:
    prefill = [*HI["messages"], {"role": "assistant", "content": "{"}]
    bench.ask({**HI, "messages": prefill})
    message = bench.error({**HI, "model": "claude-sonnet-4-6", "messages": prefill})[2]
    assert message.startswith("This model does not support assistant message prefill.")


def test_a_prefill_ends_in_no_blank_and_begins_with_thoughts_if_there_are_any(bench: Any) -> None:
    prefill = [*HI["messages"], {"role": "assistant", "content": "So "}]
    message = bench.error({**HI, "messages": prefill})[2]
    assert message == "messages: final assistant content cannot end with trailing whitespace"
    thinking = {"type": "enabled", "budget_tokens": 1024}
    message = bench.error({**HI, "messages": prefill, "thinking": thinking})[2]
    assert message.startswith("messages.1.content.0.type: Expected `thinking`")


def test_the_old_version_still_takes_a_temperature_and_no_system_messages(bench: Any) -> None:
    old = {"version": "2023-06-01"}
    bench.ask({**HI, "temperature": 0.5, "top_k": 3}, **old)
    system = [*HI["messages"], {"role": "system", "content": "x"}]
    assert bench.error({**HI, "messages": system}, **old)[2].startswith(
        'messages: Unexpected role "system".'
    )
    assert bench.error({**HI, "temperature": 2}, **old)[2] == "temperature: range: 0..1"


def test_a_prompt_may_not_be_longer_than_the_window(bench: Any) -> None:
    body = {**HI, "messages": [{"role": "user", "content": "x" * 800_000}]}
    assert bench.error(body)[2] == "prompt is too long: 200007 tokens > 200000 maximum"
    long_context = {"anthropic-beta": "context-1m-2025-08-07"}
    assert bench.ask(body, headers=long_context).tokens == 200_007


def test_an_old_model_does_not_shorten_its_reply(bench: Any) -> None:
    body = {**HI, "model": "claude-opus-4-1", "max_tokens": 32_000}
    message = bench.error({**body, **_user({"type": "text", "text": "x" * 700_000})})[2]
    assert message == (
        "input length and `max_tokens` exceed context limit: 175007 + 32000 > 200000, decrease input length or "
        "`max_tokens` and try again"
    )


@pytest.mark.parametrize(
    ("headers", "status", "error", "message"),
    [
        ({"x-api-key": None}, 401, "authentication_error", "x-api-key header is required"),
        ({"x-api-key": " "}, 401, "authentication_error", "invalid x-api-key"),
        (
            {"anthropic-version": None},
            400,
            "invalid_request_error",
            "anthropic-version: header is required",
        ),
        (
            {"anthropic-version": "2024-01-01"},
            400,
            "invalid_request_error",
            'anthropic-version: "2024-01-01" is not a valid version',
        ),
    ],
)
def test_the_headers_say_who_asks_and_how(
    bench: Any, headers: Any, status: int, error: str, message: str
) -> None:
    assert bench.error(HI, headers=headers) == (status, error, message)


def test_either_header_carries_a_key(bench: Any) -> None:
    bench.ask(HI, headers={"x-api-key": None, "authorization": "Bearer key"})


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_told_so(bench: Any, data: bytes) -> None:
    status, error, message = bench.error(data)
    assert (status, error) == (400, "invalid_request_error")
    assert message.startswith("The request body is not valid JSON: ")


def test_a_body_of_more_than_32_mb_is_too_large(bench: Any) -> None:
    assert bench.error(b" " * (2**25 + 1)) == (
        413,
        "request_too_large",
        "Request exceeds the maximum size",
    )


@pytest.mark.parametrize("model", ["gpt-4o", "claude-sonet-4-5", "claude-sonnet-45", "claude-9"])
def test_a_model_that_does_not_exist_is_not_found(bench: Any, model: str) -> None:
    assert bench.error({**HI, "model": model}) == (404, "not_found_error", f"model: {model}")


def test_every_model_of_the_sdk_is_found(bench: Any) -> None:
    from anthropic.types import ModelParam

    names = [name for part in get_args(ModelParam) for name in get_args(part)]
    assert len(names) > 10
    for name in names:
        bench.ask({**HI, "model": name})


def test_models_of_the_run_are_found(bench: Any) -> None:
    bench.desk.models = ("house-model",)
    bench.ask({**HI, "model": "house-model"})


def test_an_unknown_path_is_not_found(bench: Any) -> None:
    body = bench.own("POST", "/v1/complete", {})
    assert body["error"] == {"type": "not_found_error", "message": "Not found"}


def test_an_error_has_one_id_in_its_body_and_its_header(bench: Any) -> None:
    response = bench.send("POST", "/v1/messages", {})
    headers = dict(response.headers)
    assert json.loads(response.body)["request_id"] == headers["request-id"]
    assert headers["x-should-retry"] == "false"
    assert "retry-after" not in headers


BLANK = {"role": "assistant", "content": [{"type": "text", "text": "\n\n"}, *USE["content"]]}


@pytest.mark.parametrize(
    "body",
    [
        _said({"role": "assistant", "content": "Welcome."}, *HI["messages"]),
        _said(*HI["messages"], BLANK, RESULT),
        _said(*HI["messages"], USE, RESULT, USE, RESULT),
        {
            **_said(*HI["messages"], {"role": "system", "content": "Be brief."}),
            "model": "claude-opus-4-8",
        },
        {
            "model": "claude-sonnet-4-6",
            "tools": [TOOL],
            "tool_choice": {"type": "any"},
            "thinking": {"type": "adaptive"},
        },
    ],
)
@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
def test_what_the_real_api_takes_is_taken(bench: Any, body: Any, version: str) -> None:
    bench.ask({**HI, **body}, version=version)


@pytest.mark.parametrize("model", ["claude-opus-4-7", "claude-sonnet-5", "claude-haiku-4-5"])
def test_models_before_opus_4_8_take_no_turns_of_the_system(bench: Any, model: str) -> None:
    body = _said(*HI["messages"], {"role": "system", "content": "Be brief."})
    message = bench.error({**HI, **body, "model": model})[2]
    assert message.startswith('messages: Unexpected role "system".')


PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_PLACE = "messages.0.content.0.image.source"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"type": "path", "path": "x"}, f"{_PLACE}: Input tag 'path' found using 'type'"),
        ({"type": "url"}, f"{_PLACE}.url.url: Field required"),
        (
            {"type": "base64", "media_type": "image/tiff", "data": PNG},
            f"{_PLACE}.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or",
        ),
        (
            {"type": "base64", "media_type": "image/png", "data": ""},
            f"{_PLACE}.base64: image cannot be empty",
        ),
        (
            {"type": "base64", "media_type": "image/png", "data": "***"},
            f"{_PLACE}.base64.data: Invalid base64 data",
        ),
        (
            {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="},
            "Could not process image",
        ),
        (
            {"type": "base64", "media_type": "image/jpeg", "data": PNG},
            f"{_PLACE}.base64.data: Image does not match the provided media type image/jpeg",
        ),
    ],
)
def test_image_that_cannot_be_read_is_rejected(bench: Any, source: Any, words: str) -> None:
    status, kind, message = bench.error({**HI, **_user({"type": "image", "source": source})})
    assert (status, kind) == (400, "invalid_request_error")
    assert message.startswith(words)


@pytest.mark.parametrize(
    "source",
    [
        {"type": "base64", "media_type": "image/png", "data": PNG},
        {"type": "url", "url": "https://x.example/y.png"},
    ],
)
def test_image_that_can_be_read_is_taken(bench: Any, source: Any) -> None:
    bench.ask({**HI, **_user({"type": "image", "source": source})})

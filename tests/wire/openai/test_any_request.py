"""A request of which any part is anything is understood, or told what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.errors import NotSimulated
from harness.wire.api import Prompt

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "array", "items": {"type": "string"}}},
    "required": ["a"],
    "additionalProperties": False,
}
LOOK = {"name": "look", "parameters": SCHEMA, "strict": True}
CALL = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
FORMAT = {"name": "a", "schema": {"type": "object", "properties": {}}}

CHAT: dict[str, Any] = {
    "model": "gpt-4o",
    "messages": [
        {"role": "system", "content": "x"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "json"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
                {"type": "file", "file": {"file_id": "f"}},
            ],
        },
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c", "content": "x"},
    ],
    "tools": [{"type": "function", "function": LOOK}],
    "tool_choice": {"type": "function", "function": {"name": "look"}},
    "response_format": {"type": "json_schema", "json_schema": FORMAT},
    "metadata": {"a": "b"},
    "logit_bias": {"1": 3},
    "logprobs": True,
    "top_logprobs": 2,
    "service_tier": "flex",
    "seed": 1,
    "user": "u",
    "stop": ["a"],
    "stream": True,
    "stream_options": {"include_usage": True},
    "modalities": ["text"],
    "max_tokens": 5,
    "verbosity": "medium",
    "prompt_cache_retention": "24h",
}
RESPONSE: dict[str, Any] = {
    "model": "gpt-5",
    "input": [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "x"},
                {"type": "input_image", "image_url": "https://x/y.png", "detail": "low"},
            ],
        },
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x"}]},
        {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "x"},
    ],
    "tools": [{"type": "function", **LOOK}, {"type": "web_search"}],
    "tool_choice": {"type": "function", "name": "look"},
    "text": {"format": {"type": "json_schema", **FORMAT}, "verbosity": "low"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "truncation": "auto",
    "max_tool_calls": 3,
    "metadata": {"a": "b"},
    "max_output_tokens": 100,
}
EMBEDDING: dict[str, Any] = {
    "model": "text-embedding-3-small",
    "input": ["a", "b"],
    "dimensions": 3,
    "encoding_format": "float",
}
VALUES: list[Any] = [
    None, True, False, 0, -1, 1.5, 10**9, "", "x", "json", [], {}, [1], ["x"], [None], [{}], [[]],
    {"type": "x"}, {"type": None}, {"type": []}, {"a": {}},
]  # fmt: skip

FULL = {"chat/completions": CHAT, "responses": RESPONSE, "embeddings": EMBEDDING}


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - JSON
    """Every place in a request, the whole included."""
    yield at
    parts = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())  # fmt: skip
    for key, part in parts:
        yield from places(part, (*at, key))


def changed(value: Any, at: tuple[Any, ...], new: Any) -> Any:  # noqa: ANN401 - JSON
    """A copy of a request with something else at one place."""
    if not at:
        return new
    copy = value.copy()
    copy[at[0]] = changed(value[at[0]], at[1:], new)
    return copy


@pytest.mark.parametrize("endpoint", FULL)
def test_changed_request_is_understood_or_told_what_is_wrong(
    send: Callable[..., Any], endpoint: str
) -> None:
    taken = 0
    for at in places(FULL[endpoint]):
        for value in VALUES:
            try:
                answer = send(f"/v1/{endpoint}", changed(FULL[endpoint], at, value))
            except NotSimulated:
                continue
            if isinstance(answer, Prompt) or answer.status == 200:
                taken += 1
            else:
                assert json.loads(answer.body)["error"]["message"]
    assert taken

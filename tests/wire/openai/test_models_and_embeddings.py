"""What the API answers without asking a model; and its prompt cache."""

from __future__ import annotations

import base64
import json
import math
import struct
from collections.abc import Callable
from typing import Any

import pytest

from harness.wire.openai import OpenAI

Call = Callable[..., Any]


def embed(send: Call, **asked: object) -> Any:  # noqa: ANN401 - JSON
    body = {"model": "text-embedding-3-small", **asked}
    return json.loads(send("/v1/embeddings", body).body)


def test_a_text_has_one_direction(send: Call) -> None:
    first, second, again = (
        row["embedding"] for row in embed(send, input=["cat", "dog", "cat"])["data"]
    )
    assert len(first) == 1536
    assert math.fsum(number * number for number in first) == pytest.approx(1.0)
    assert first == again
    assert abs(math.fsum(a * b for a, b in zip(first, second, strict=True))) < 0.2


def test_vectors_can_be_packed_and_shortened(send: Call) -> None:
    (plain,) = embed(send, input="cat", dimensions=256)["data"]
    (packed,) = embed(send, input="cat", dimensions=256, encoding_format="base64")["data"]
    unpacked = struct.unpack("<256f", base64.b64decode(packed["embedding"]))
    assert list(unpacked) == pytest.approx(plain["embedding"], abs=1e-6)


def test_numbers_of_tokens_can_be_embedded(send: Call) -> None:
    assert embed(send, input=[1, 2, 3])["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    assert len(embed(send, input=[[1], [2]])["data"]) == 2


def test_there_must_be_something_to_embed(send: Call) -> None:
    assert send("/v1/embeddings", {"model": "text-embedding-3-small", "input": []}).status == 400


def test_the_models_of_the_run_are_listed(send: Call) -> None:
    listed = json.loads(send("/v1/models", None, "GET").body)
    assert listed["object"] == "list"
    assert "my-model" in [model["id"] for model in listed["data"]]
    assert json.loads(send("/v1/models/gpt-4o", None, "GET").body)["id"] == "gpt-4o"
    assert send("/v1/models/claude", None, "GET").status == 404


def test_a_prompt_that_was_read_before_is_cached_in_steps(api: OpenAI, chat: Call) -> None:
    system = {"role": "system", "content": "x" * 4800}  # 1203 tokens
    first = chat([system, {"role": "user", "content": "one"}])
    second = chat([system, {"role": "user", "content": "two"}])
    usage = api.usage(first, 0.0)
    assert (usage.input_tokens, usage.cache_read_tokens) == (first.tokens, 0)
    assert api.usage(second, 0.5).cache_read_tokens == 0  # no answer has begun
    api.remember(first, 0.9)
    usage = api.usage(second, 1.0)
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (1152, 0)
    assert usage.prompt_tokens == second.tokens
    assert api.usage(second, 300.9).cache_read_tokens == 0


def test_a_short_prompt_is_not_cached(api: OpenAI, chat: Call) -> None:
    prompt = chat("hi")
    api.remember(prompt, 0.0)
    assert api.usage(prompt, 1.0).cache_read_tokens == 0

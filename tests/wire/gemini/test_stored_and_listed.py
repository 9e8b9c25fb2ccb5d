"""Cached contents, models and embeddings, without the SDK."""

# ruff: noqa: ANN401 - JSON is anything
from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.wire.api import Prompt
from tests.wire.gemini.test_rejections import LOOK, TEXT, user

Send = Callable[..., Any]
MODEL = "models/gemini-2.5-flash"
LONG = {"text": "word " * 1000}


@pytest.fixture
def call(send: Send) -> Send:
    """The status and the JSON of an answer."""

    def call(*args: Any, **more: Any) -> tuple[int, Any]:
        answer = send(*args, **more)
        return answer.status, json.loads(answer.body)

    return call


def test_content_is_held_changed_and_given_up(call: Send) -> None:
    body = {"model": MODEL, "contents": [user(LONG)], "ttl": "60s", "displayName": "book"}
    status, held = call("/cachedContents", body)
    assert status == 200
    assert held["usageMetadata"] == {"totalTokenCount": 1250}
    assert (held["model"], held["displayName"]) == (MODEL, "book")
    assert held["expireTime"] > held["createTime"]
    name = f"/{held['name']}"
    assert call(name, method="GET") == (200, held)
    assert call("/cachedContents", method="GET") == (200, {"cachedContents": [held]})
    changed = call(name, {"ttl": "3600s"}, "PATCH", "updateMask=ttl")[1]
    assert changed["expireTime"] > held["expireTime"]
    assert call(name, method="DELETE") == (200, {})
    status, gone = call(name, method="GET")
    assert (status, gone["error"]["status"]) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"contents": [user(TEXT)]}, "total_token_count=1, min_total_token_count=1024"),
        ({"contents": [user(LONG)], "ttl": "an hour"}, "Invalid value at 'cached_content.ttl'"),
        ({"contents": [user(LONG)], "expireTime": "soon"}, "cached_content.expire_time"),
        (
            {"contents": [user(LONG)], "expireTime": "2001-01-01T00:00:00Z"},
            "expire_time must be in the future",
        ),
    ],
)
def test_content_that_cannot_be_held_is_rejected(call: Send, body: Any, message: str) -> None:
    status, answer = call("/cachedContents", {"model": MODEL, **body})
    assert status == 400
    assert message in answer["error"]["message"]


def test_held_content_is_the_beginning_of_a_prompt(call: Send, ask: Send, refusal: Send) -> None:
    system = {"parts": [{"text": "Be brief."}]}
    body = {"model": MODEL, "contents": [user(LONG)], "systemInstruction": system, "tools": [LOOK]}
    name = call("/cachedContents", body)[1]["name"]
    prompt = ask("hi", cachedContent=name)
    assert isinstance(prompt, Prompt)
    assert (prompt.system, prompt.tools) == ("Be brief.", ("look",))
    assert [said.text for said in prompt.conversation] == [f"{LONG['text']}\n\nhi"]
    assert (
        "CachedContent can not be used with" in refusal("hi", cachedContent=name, tools=[LOOK])[2]
    )
    other = refusal("hi", model="gemini-2.5-pro", cachedContent=name)[2]
    assert other.endswith("(models/gemini-2.5-flash) has to be the same.")
    assert refusal("hi", cachedContent="cachedContents/none")[0] == 403


def test_models_come_page_by_page(call: Send) -> None:
    first = call("/models", method="GET", query="pageSize=2")[1]
    assert len(first["models"]) == 2
    query = f"pageSize=1000&pageToken={first['nextPageToken']}"
    rest = call("/models", method="GET", query=query)[1]
    names = [one["name"] for one in (*first["models"], *rest["models"])]
    assert len(names) == len(set(names))
    assert {"models/gemini-2.5-flash", "models/my-model"} <= set(names)
    assert "nextPageToken" not in rest


def test_model_says_what_it_can(call: Send) -> None:
    found = call("/models/gemini-2.5-pro", method="GET")[1]
    assert (found["inputTokenLimit"], found["outputTokenLimit"]) == (1_048_576, 65_536)
    assert found["thinking"] is True
    assert "createCachedContent" in found["supportedGenerationMethods"]
    assert call("/models/gemini-9", method="GET")[0] == 404


def test_equal_texts_have_equal_vectors(call: Send) -> None:
    def request(text: str, **more: Any) -> dict[str, Any]:
        return {"model": "models/gemini-embedding-001", "content": user({"text": text}), **more}

    path = "/models/gemini-embedding-001"
    requests = [request("a"), request("b"), request("a"), request("a", outputDimensionality=256)]
    found = call(f"{path}:batchEmbedContents", {"requests": requests})[1]["embeddings"]
    one, other, same, short = (each["values"] for each in found)
    assert one == same != other
    assert (len(one), len(short)) == (3072, 256)
    assert call(f"{path}:embedContent", request("a"))[1] == {"embedding": {"values": one}}
    assert call(f"{path}:embedContent", request(""))[0] == 400
    assert call(f"{path}:generateContent", {})[0] == 404

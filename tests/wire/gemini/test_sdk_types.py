"""Every field of every answer is one that the SDK's types know, and has a value that they take; whole and streamed."""

# ruff: noqa: ANN401 - the SDK is not there where types are checked
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

from harness import Reply, ToolCall
from harness.sim import Sim
from harness.wire.gemini import api, headers
from tests.wire.gemini.sdk import NEW, OLD, client, types
from tests.wire.strict_types import problems

REPLIES: dict[str, Any] = {
    "text": "Hello there. " * 30,
    "thoughts": Reply("Hello there", thinking="Let me see.", thinking_tokens=40),
    "tool calls": Reply("I look.", (ToolCall("look", {"at": 1}), ToolCall("look", {}))),
    "blocked": Reply("", refused=True),
    "refusal": Reply("I will not.", refused=True),
    "truncated": Reply("Hello", truncated=True),
    "alternatives": Reply("red", alternatives=("green",)),
    "malformed": Reply("", (ToolCall("look", "{"),), as_is=True),  # type: ignore[arg-type]  # on purpose
}

RENAMED = {"Model.supportedGenerationMethods"}
"""What the SDK reads under another name."""
DOCUMENTED = {"CountTokensResponse.promptTokensDetails"}
"""What the API reference has and the SDK's type has not."""

_UNKNOWN = re.compile(r"\.(\w+): (\w+) does not know it")


@contextmanager
def received() -> Iterator[list[Any]]:
    """The JSON of all answers."""
    found: list[Any] = []
    make = headers.answer

    def answer(status: int, body: Any, *args: Any, **more: Any) -> Any:
        whole = (
            [body]
            if isinstance(body, bytes)
            else [part.data.removeprefix(b"data: ") for part in body]
        )
        found.extend(map(json.loads, whole))
        return make(status, body, *args, **more)

    with mock.patch.object(api, "answer", answer):
        yield found


def wrong(answers: list[Any], kind: Any) -> list[str]:
    """What is wrong with answers, but for what is known."""
    assert answers
    found = [problem for answer in answers for problem in problems(answer, kind)]
    named = ((problem, _UNKNOWN.search(problem)) for problem in found)
    return [
        problem
        for problem, field in named
        if field is None or f"{field[2]}.{field[1]}" not in RENAMED | DOCUMENTED
    ]


async def ask_all(model: str, streamed: bool) -> None:
    look = {"name": "look", "parameters": {"type": "OBJECT"}}
    async with client() as gemini:
        for said in REPLIES:
            config = {
                "candidate_count": 2 if said == "alternatives" else 1,
                "tools": [{"function_declarations": [look]}],
                "thinking_config": {"include_thoughts": True},
            }
            asked = {"model": model, "contents": said, "config": config}
            if streamed:
                async for _ in await gemini.models.generate_content_stream(**asked):
                    pass
            else:
                await gemini.models.generate_content(**asked)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("model", [OLD, NEW])
def test_replies_keep_the_types(sim: Sim, model: str, streamed: bool) -> None:
    sim.agent("a", reply=[*REPLIES.values()])
    with received() as answers:
        sim.run(ask_all, model, streamed)
    assert wrong(answers, types.GenerateContentResponse) == []
    for answer in answers:
        assert {"usageMetadata", "modelVersion", "responseId"} <= answer.keys()
        assert {"promptTokenCount", "totalTokenCount"} <= answer["usageMetadata"].keys()
    last = [
        one["finishReason"]
        for answer in answers
        for one in answer.get("candidates", ())
        if "finishReason" in one
    ]
    assert last == [
        "STOP", "STOP", "STOP", "SAFETY", "MAX_TOKENS", "STOP", "STOP", "MALFORMED_FUNCTION_CALL",
    ]  # fmt: skip


def test_other_answers_keep_the_types(sim: Sim) -> None:
    async def rest() -> dict[str, Any]:
        found: dict[str, Any] = {}
        async with client() as gemini:
            with received() as answers:
                await gemini.models.count_tokens(model=OLD, contents="hi")
            found["CountTokensResponse"] = answers
            with received() as answers:
                await gemini.models.embed_content(model="gemini-embedding-001", contents=["a", "b"])
            found["EmbedContentResponse"] = answers
            with received() as answers:
                await gemini.models.get(model=OLD)
            found["Model"] = answers
            with received() as answers:
                cached = await gemini.caches.create(model=OLD, config={"contents": "word " * 1000})
                await gemini.caches.get(name=cached.name)
            found["CachedContent"] = answers
        return found

    for kind, answers in sim.run(rest).output.items():
        assert wrong(answers, getattr(types, kind)) == [], kind

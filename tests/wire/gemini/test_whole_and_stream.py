"""Whole and streamed replies, as the SDK gets them."""

# ruff: noqa: ANN401 - the SDK is not there where types are checked
from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest

from harness import Reply
from harness.sim import Sim
from tests.wire.gemini.sdk import NEW, OLD, blocking, blocking_stream, client, generate, stream

TEXT = "It rains until noon, and then the sun comes out for the rest of the day. " * 6


@pytest.mark.parametrize(
    ("program", "model"),
    [
        (generate, OLD),
        (blocking, NEW),
        (generate, "gemini-2.0-flash"),
        (blocking, "gemini-flash-latest"),
    ],
)
def test_whole_reply_comes_with_its_usage(sim: Sim, program: Any, model: str) -> None:
    sim.agent("a", reply="hello there")
    answer = sim.run(program, "how are you", model, system_instruction="Be brief.").output
    assert answer.text == "hello there"
    assert answer.candidates[0].finish_reason == "STOP"
    assert answer.model_version == model
    usage = answer.usage_metadata
    assert (usage.prompt_token_count, usage.candidates_token_count) == (6, 3)
    assert usage.total_token_count == 9 + (usage.thoughts_token_count or 0)
    assert (usage.thoughts_token_count is not None) == (model != "gemini-2.0-flash")


@pytest.mark.parametrize(("program", "model"), [(stream, OLD), (blocking_stream, NEW)])
def test_stream_says_the_same_as_a_whole_reply(sim: Sim, program: Any, model: str) -> None:
    sim.agent("a", reply=TEXT)
    chunks = sim.run(program, "hi", model).output
    assert len(chunks) > 3
    assert "".join(chunk.text or "" for chunk in chunks) == TEXT
    reasons = [chunk.candidates[0].finish_reason for chunk in chunks]
    assert reasons == [None] * (len(chunks) - 1) + ["STOP"]
    assert len({chunk.response_id for chunk in chunks}) == 1
    counts = [chunk.usage_metadata.candidates_token_count or 0 for chunk in chunks]
    assert counts == sorted(counts)
    assert counts[-1] == -(-len(TEXT) // 4)


def test_stream_takes_the_time_of_its_tokens(sim: Sim) -> None:
    sim.provider("gemini", latency={"ttft_s": 1.0, "itl_s": 0.1})
    sim.agent("a", reply=TEXT)

    async def times() -> list[float]:
        clock = asyncio.get_running_loop().time
        async with client() as gemini:
            chunks = await gemini.models.generate_content_stream(
                model="gemini-2.0-flash", contents="hi"
            )
            return [clock() async for _ in chunks]

    found = sim.run(times).output
    tokens = -(-len(TEXT) // 4)
    assert found[0] == 1.0
    assert found == sorted(found)
    assert found[-1] == pytest.approx(1.0 + 0.1 * (tokens - 1), abs=0.2)


def test_reply_that_is_too_long_is_cut(sim: Sim) -> None:
    sim.agent("a", reply=TEXT)
    answer = sim.run(generate, "hi", "gemini-2.0-flash", max_output_tokens=5).output
    assert answer.text == TEXT[:20]
    assert answer.candidates[0].finish_reason == "MAX_TOKENS"


def test_stop_sequence_ends_a_reply(sim: Sim) -> None:
    sim.agent("a", reply="one two three")
    answer = sim.run(generate, "hi", stop_sequences=["two"]).output
    assert (answer.text, answer.candidates[0].finish_reason) == ("one ", "STOP")


def test_several_candidates_may_differ(sim: Sim) -> None:
    sim.agent("a", reply=Reply("red", alternatives=("green",)))
    answer = sim.run(generate, "hi", candidate_count=2).output
    assert [one.content.parts[0].text for one in answer.candidates] == ["red", "green"]
    chunks = sim.run(stream, "hi", candidate_count=2).output
    assert [one.index for one in chunks[-1].candidates] == [0, 1]


@pytest.mark.parametrize("program", [generate, stream])
def test_refusal_without_a_word_is_a_blocked_prompt(sim: Sim, program: Any) -> None:
    sim.agent("a", reply=Reply("", refused=True))
    answer = sim.run(program).output
    first = answer[0] if isinstance(answer, list) else answer
    assert first.prompt_feedback.block_reason == "PROHIBITED_CONTENT"
    assert not first.candidates
    assert first.usage_metadata.candidates_token_count is None


def test_refusal_in_words_is_a_reply_that_safety_ends(sim: Sim) -> None:
    sim.agent("a", reply=Reply("I will", refused=True))
    candidate = sim.run(generate).output.candidates[0]
    assert candidate.finish_reason == "SAFETY"
    assert [one.blocked for one in candidate.safety_ratings] == [None, None, None, True]


def test_stream_without_events_is_a_json_array(sim: Sim) -> None:
    sim.agent("a", reply=TEXT)

    async def raw() -> list[Any]:
        url = f"https://generativelanguage.googleapis.com/v1/models/{OLD}:streamGenerateContent"
        async with httpx2.AsyncClient() as plain:
            body = {"contents": {"parts": {"text": "hi"}}}
            answer = await plain.post(url, json=body, params={"key": "k"})
        assert answer.headers["content-type"] == "application/json; charset=UTF-8"
        found: list[Any] = json.loads(answer.text)
        return found

    bodies = sim.run(raw).output
    said = [body["candidates"][0]["content"]["parts"][0]["text"] for body in bodies]
    assert "".join(said) == TEXT

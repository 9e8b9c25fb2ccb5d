"""Log probabilities, several choices, predicted outputs, tiers and dated names."""

# ruff: noqa: ANN401 - SDK objects are anything
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import openai
import pytest

from harness import Reply, ServerTool
from harness.sim import Sim

LATENCY = {"ttft_s": 1.0, "itl_s": 0.1}
TEXT = "one two three four"


def chatting(model: str = "gpt-4o", **more: Any) -> Callable[[], Any]:
    async def program() -> object:
        client, said = openai.AsyncOpenAI(api_key="k"), [{"role": "user", "content": "hi"}]
        answer: Any = await client.chat.completions.create(model=model, messages=said, **more)  # type: ignore[arg-type]
        return [chunk async for chunk in answer] if more.get("stream") else answer

    return program


def asking(model: str = "gpt-4o", **more: Any) -> Callable[[], Any]:
    async def program() -> object:
        client = openai.AsyncOpenAI(api_key="k")
        answer: Any = await client.responses.create(model=model, input="hi", **more)
        return [event async for event in answer] if more.get("stream") else answer

    return program


# -- log probabilities ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("top", [0, 1, 3, 20])
def test_chat_tells_the_probability_of_every_token(sim: Sim, top: int) -> None:
    sim.agent("a", reply=TEXT)
    (choice,) = sim.run(chatting(logprobs=True, top_logprobs=top)).output.choices
    told = choice.logprobs.content
    assert "".join(one.token for one in told) == TEXT
    for one in told:
        assert -1 < one.logprob <= 0
        assert bytes(one.bytes).decode() == one.token
        assert len(one.top_logprobs) == top
        assert len({other.token for other in one.top_logprobs}) == top
        assert sum(math.exp(other.logprob) for other in one.top_logprobs) < 1.001
        assert not top or one.top_logprobs[0].token == one.token


def test_stream_of_a_chat_tells_them_piece_by_piece(sim: Sim) -> None:
    sim.agent("a", reply=TEXT)
    chunks = sim.run(chatting(logprobs=True, stream=True)).output
    told = [choice.logprobs for chunk in chunks for choice in chunk.choices if choice.logprobs]
    assert "".join(one.token for piece in told for one in piece.content) == TEXT


def test_response_tells_them_if_they_are_included(sim: Sim) -> None:
    sim.agent("a", reply=TEXT)
    include: Any = ["message.output_text.logprobs"]
    response = sim.run(asking(include=include, top_logprobs=2)).output
    told = response.output[0].content[0].logprobs
    assert "".join(one.token for one in told) == TEXT
    assert {len(one.top_logprobs) for one in told} == {2}
    assert sim.run(asking()).output.output[0].content[0].logprobs == []
    events = sim.run(asking(include=include, stream=True)).output
    deltas = [event for event in events if event.type == "response.output_text.delta"]
    assert [event.logprobs[0].token for event in deltas] == [event.delta for event in deltas]


def test_reasoning_models_have_none(sim: Sim) -> None:
    sim.agent("a", model="*", reply=TEXT, allow_unused=True)
    with pytest.raises(openai.BadRequestError, match="'logprobs' is not supported"):
        sim.run(chatting("o4-mini", logprobs=True))
    with pytest.raises(openai.BadRequestError, match="not supported with reasoning models"):
        sim.run(asking("gpt-5", include=["message.output_text.logprobs"]))


# -- several choices ------------------------------------------------------------------------------------------------


def test_choices_differ_and_are_all_billed_but_made_at_once(sim: Sim) -> None:
    reply = Reply("one", alternatives=("two three four five", "six"))
    sim.agent("a", reply=reply, latency_s=LATENCY)
    run = sim.run(chatting(n=3))
    completion = run.output
    assert [choice.message.content for choice in completion.choices] == [
        "one",
        "two three four five",
        "six",
    ]
    assert completion.usage.completion_tokens == 1 + 5 + 1
    assert run.calls()[0].attempts[0].output_tokens == 7
    assert run.latency_s == pytest.approx(1 + 5 * 0.1)


def test_choices_without_alternatives_say_the_same(sim: Sim) -> None:
    sim.agent("a", reply=Reply("one", alternatives=("two",)))
    chunks = sim.run(chatting(n=3, stream=True)).output
    said = ["", "", ""]
    for chunk in chunks:
        for choice in chunk.choices:
            said[choice.index] += choice.delta.content or ""
    assert said == ["one", "two", "one"]


# -- predicted outputs ----------------------------------------------------------------------------------------------


def test_prediction_saves_time_and_its_wrong_parts_are_billed(sim: Sim) -> None:
    words = [f"word{number} " for number in range(100)]
    text, wrong = "".join(words), "".join([*words[:50], "nonsense " * 20, *words[50:]])
    sim.agent("a", reply=text, latency_s=LATENCY)
    plain = sim.run(chatting())
    predicted, mistaken = (
        sim.run(chatting(prediction={"type": "content", "content": told})) for told in (text, wrong)
    )
    tokens = plain.output.usage.completion_tokens
    details = predicted.output.usage.completion_tokens_details
    assert (details.accepted_prediction_tokens, details.rejected_prediction_tokens) == (tokens, 0)
    assert predicted.output.usage.completion_tokens == tokens
    assert predicted.latency_s == 1.0 < plain.latency_s
    details = mistaken.output.usage.completion_tokens_details
    assert details.rejected_prediction_tokens == 45
    assert mistaken.output.usage.completion_tokens == tokens + 45


# -- tiers, names, searches -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "served"),
    [(None, "default"), ("auto", "default"), ("flex", "flex"), ("fast", "priority")],
)
def test_answer_says_how_it_was_served(sim: Sim, asked: str | None, served: str) -> None:
    sim.agent("a", reply="Hello")
    more = {} if asked is None else {"service_tier": asked}
    assert sim.run(chatting(**more)).output.service_tier == served
    assert sim.run(asking(**more)).output.service_tier == served


@pytest.mark.parametrize(
    ("model", "dated"),
    [
        ("gpt-5.4", "gpt-5.4-2026-03-05"),
        ("gpt-5.1", "gpt-5.1-2025-11-13"),
        ("gpt-5.5-pro", "gpt-5.5-pro-2026-04-23"),
        ("gpt-4-turbo", "gpt-4-turbo-2024-04-09"),
        ("gpt-5.4-2026-03-05", "gpt-5.4-2026-03-05"),
        ("gpt-5.6-sol", "gpt-5.6-sol"),
    ],
)
def test_answer_names_the_snapshot(sim: Sim, model: str, dated: str) -> None:
    sim.agent("a", model="*", reply="Hello")
    assert sim.run(asking(model)).output.model == dated


def test_search_of_a_chat_is_cited(sim: Sim) -> None:
    page = {"title": "Weather", "url": "https://w.example/", "text": "Rain."}
    sim.agent("a", reply=ServerTool("web_search", query="weather", results=[page]))
    message = sim.run(chatting("gpt-4o-search-preview")).output.choices[0].message
    assert [one.url_citation.url for one in message.annotations] == ["https://w.example/"]

"""Reasoning models reason: before they answer, in tokens that are counted, billed and take their time."""

# ruff: noqa: ANN401 - JSON and SDK objects are anything
from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest

from harness.models import Reply, ToolCall
from harness.sim import Sim
from harness.wire.openai.families import default_effort
from harness.wire.openai.model_names import NAMES

LATENCY = {"ttft_s": 1.0, "itl_s": 0.1}


def asking(model: str, **more: object) -> Callable[[], Any]:
    async def program() -> object:
        client = openai.AsyncOpenAI(api_key="k")
        return await client.responses.create(model=model, input="hi", **more)  # type: ignore[call-overload]

    return program


def chatting(model: str, **more: object) -> Callable[[], Any]:
    async def program() -> object:
        said = [{"role": "user", "content": "hi"}]
        client = openai.AsyncOpenAI(api_key="k")
        return await client.chat.completions.create(model=model, messages=said, **more)  # type: ignore[call-overload]

    return program


def test_reasoning_item_comes_first_and_its_tokens_are_billed_and_take_time(sim: Sim) -> None:
    sim.agent("a", reply="Hello there", latency_s=LATENCY)
    run = sim.run(asking("gpt-5"))
    response, (call,) = run.output, run.calls()
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert response.output[0].summary == []
    thought = response.usage.output_tokens_details.reasoning_tokens
    assert thought > 0
    assert thought % 64 == 0
    assert response.usage.output_tokens == thought + 3 == call.attempts[0].output_tokens
    assert run.latency_s == pytest.approx(1 + 0.1 * response.usage.output_tokens)


def test_more_effort_takes_more_tokens(sim: Sim) -> None:
    sim.agent("a", reply="Hello there")
    tokens = [
        sim.run(asking("gpt-5", reasoning={"effort": effort})).output.usage.output_tokens
        for effort in ("minimal", "low", "medium", "high")
    ]
    assert tokens == sorted(set(tokens))
    assert tokens[0] == 3


@pytest.mark.parametrize("model", ["gpt-5.1", "gpt-5.4-mini", "gpt-4o"])
def test_models_that_do_not_reason_unasked_have_no_item(sim: Sim, model: str) -> None:
    sim.agent("a", reply="Hello there")
    response = sim.run(asking(model)).output
    assert [item.type for item in response.output] == ["message"]
    assert response.usage.output_tokens_details.reasoning_tokens == 0


def test_effort_makes_a_model_reason_that_does_not_unasked(sim: Sim) -> None:
    sim.agent("a", reply="Hello there")
    response = sim.run(asking("gpt-5.1", reasoning={"effort": "low"})).output
    assert response.output[0].type == "reasoning"
    assert response.reasoning.effort == "low"


def test_chats_count_reasoning_tokens(sim: Sim) -> None:
    sim.agent("a", reply="Hello there")
    usage = sim.run(chatting("o4-mini")).output.usage
    assert usage.completion_tokens_details.reasoning_tokens == usage.completion_tokens - 3 > 0
    told = chatting("gpt-5", reasoning_effort="minimal")
    assert sim.run(told).output.usage.completion_tokens_details.reasoning_tokens == 0


def test_reasoning_can_use_up_the_limit_before_anything_is_said(sim: Sim) -> None:
    sim.agent("a", reply=Reply("Hello there", thinking_tokens=64))
    response = sim.run(asking("gpt-5", max_output_tokens=64)).output
    assert (response.status, response.output_text) == ("incomplete", "")
    assert [item.type for item in response.output] == ["reasoning"]
    chat = sim.run(chatting("gpt-5", max_completion_tokens=64)).output
    assert (chat.choices[0].finish_reason, chat.choices[0].message.content) == ("length", "")


def test_stated_size_of_a_reply_includes_its_reasoning(sim: Sim) -> None:
    sim.agent("a", reply="Hello there", output_tokens=50)
    usage = sim.run(asking("gpt-5")).output.usage
    assert (usage.output_tokens, usage.output_tokens_details.reasoning_tokens) == (50, 47)


def test_summary_and_encrypted_content_are_there_as_asked(respond: Any, whole: Any) -> None:
    reply = Reply("Hello", thinking_tokens=128)
    plain = whole(respond("hi", model="gpt-5"), reply, output_tokens=130)
    assert plain["output"][0].keys() == {"id", "type", "summary"}
    asked = respond(
        "hi",
        model="gpt-5",
        reasoning={"summary": "auto"},
        include=["reasoning.encrypted_content"],
    )
    item = whole(asked, reply, output_tokens=130)["output"][0]
    assert item["encrypted_content"]
    assert [part["type"] for part in item["summary"]] == ["summary_text"]


@pytest.mark.parametrize("summary", [None, "auto"])
def test_stream_is_silent_or_sums_up_while_the_model_reasons(
    respond: Any, stream: Any, summary: str | None
) -> None:
    prompt = respond("hi", model="gpt-5", reasoning={"summary": summary}, stream=True)
    parts = stream(prompt, Reply("one two three four"), output_tokens=104, name="1").body
    reply = Reply("one two three four", thinking_tokens=100)
    parts = stream(prompt, reply, output_tokens=104, name="2").body
    shares: dict[Any, float] = {}
    for part in parts:
        data = json.loads(part.data.decode().partition("data: ")[2])
        shares.setdefault((data["type"], data.get("output_index")), part.share)
    assert shares["response.output_item.added", 0] == 0
    assert shares["response.output_item.added", 1] > 0.9


def test_comments_before_tool_calls_are_told_from_final_answers(respond: Any, whole: Any) -> None:
    tool = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
    prompt = respond("hi", model="gpt-5.5", tools=[tool])
    before = whole(prompt, Reply("I look.", (ToolCall("f", {}),)))["output"]
    final = whole(prompt, "Done.")["output"]
    assert [item.get("phase") for item in before if item["type"] == "message"] == ["commentary"]
    assert [item.get("phase") for item in final if item["type"] == "message"] == ["final_answer"]
    assert "phase" not in whole(respond("hi", model="gpt-5"), "Done.")["output"][-1]


def test_newer_families_say_how_they_reason_and_cache(respond: Any, whole: Any) -> None:
    body = whole(respond("hi", model="gpt-5.6-sol"), "Done.")
    assert body["reasoning"]["context"] == "all_turns"
    assert body["prompt_cache_retention"] == "24h"
    assert body["prompt_cache_options"] == {"mode": "implicit", "ttl": "30m"}
    older = whole(respond("hi", model="gpt-5"), "Done.")
    assert older["reasoning"] == {"effort": "medium", "summary": None}
    assert older["prompt_cache_retention"] is None


def test_every_line_of_the_sixth_and_fifth_generation_has_a_default() -> None:
    text = ("chat-latest", "search", "image", "audio", "transcribe", "realtime", "live")
    of_texts = [
        n for n in NAMES if n.startswith(("gpt-5", "gpt-6")) and not any(t in n for t in text)
    ]
    assert [name for name in of_texts if default_effort(name) is None] == []

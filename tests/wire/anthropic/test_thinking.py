"""Models think where they are asked to or do by default; thoughts are output, and take their time."""

# ruff: noqa: ANN401 - JSON and SDK objects are anything
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
import pytest

from harness.models import Reply
from harness.sim import Sim

LATENCY = {"ttft_s": 1.0, "itl_s": 0.1}
ADAPTIVE = {"thinking": {"type": "adaptive"}}
BUDGET = {"thinking": {"type": "enabled", "budget_tokens": 1024}}


def asking(model: str, **more: object) -> Callable[[], Any]:
    async def program() -> object:
        said = [{"role": "user", "content": "hi"}]
        asked = {"model": model, "max_tokens": 9000, "messages": said, **more}
        return await anthropic.AsyncAnthropic(api_key="k").messages.create(**asked)  # type: ignore[call-overload]

    return program


@pytest.mark.parametrize(
    ("model", "more", "shown"),
    [
        ("claude-opus-5", {}, False),
        ("claude-opus-5-5", {"thinking": {"type": "adaptive", "display": "summarized"}}, True),
        ("claude-sonnet-4-6", ADAPTIVE, True),
        ("claude-haiku-4-5", BUDGET, True),
        ("claude-opus-4-8", ADAPTIVE, False),
    ],
)
def test_thoughts_come_first_and_are_billed_and_take_time(
    sim: Sim, model: str, more: dict[str, Any], shown: bool
) -> None:
    sim.agent("a", reply="Hello there", latency_s=LATENCY)
    run = sim.run(asking(model, **more))
    message, (call,) = run.output, run.calls()
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert bool(message.content[0].thinking) == shown
    assert message.content[0].signature
    thought = message.usage.output_tokens_details.thinking_tokens
    assert 0 < thought <= 1024
    assert message.usage.output_tokens == thought + 3 == call.attempts[0].output_tokens
    assert run.latency_s == pytest.approx(1 + 0.1 * message.usage.output_tokens)


@pytest.mark.parametrize(
    ("model", "more"),
    [
        ("claude-haiku-4-5", {}),
        ("claude-opus-4-8", {}),
        ("claude-sonnet-5", {}),
        ("claude-opus-5", {"thinking": {"type": "disabled"}}),
        ("claude-opus-5", {"output_config": {"effort": "low"}}),
    ],
)
def test_nothing_is_thought_where_thinking_is_off_or_not_worth_it(
    sim: Sim, model: str, more: dict[str, Any]
) -> None:
    sim.agent("a", reply="Hello there")
    message = sim.run(asking(model, **more)).output
    assert [block.type for block in message.content] == ["text"]
    assert message.usage.output_tokens == 3


def test_thoughts_that_a_reply_states_are_thought_wherever_thinking_is_on(sim: Sim) -> None:
    sim.agent("a", reply=Reply("Hello there", thinking_tokens=40))
    message = sim.run(asking("claude-sonnet-5")).output
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert message.usage.output_tokens_details.thinking_tokens == 40


def test_more_effort_takes_more_tokens(sim: Sim) -> None:
    sim.agent("a", reply="Hello there")
    tokens = [
        sim.run(
            asking("claude-opus-5", output_config={"effort": effort})
        ).output.usage.output_tokens
        for effort in ("low", "medium", "high", "xhigh", "max")
    ]
    assert tokens == sorted(set(tokens))


def test_thoughts_can_use_up_the_limit_before_anything_is_said(sim: Sim) -> None:
    sim.agent("a", reply=Reply("Hello there", thinking_tokens=64))
    message = sim.run(asking("claude-opus-5", max_tokens=64)).output
    assert message.stop_reason == "max_tokens"
    assert [block.type for block in message.content] == ["thinking"]


def test_a_stream_is_silent_until_hidden_thoughts_are_over(bench: Any) -> None:
    body = {
        "model": "claude-opus-5",
        "max_tokens": 900,
        "messages": [{"role": "user", "content": "hi"}],
    }
    prompt = bench.ask({**body, "stream": True})
    spoken = bench.spoken(prompt, Reply("one two three four", thinking_tokens=100))
    parts = bench.api.stream(prompt, spoken, bench.moment()).body
    text = next(part for part in parts if b'"type":"text"' in part.data)
    assert parts[1].share == 0
    assert text.share > 0.9


@pytest.mark.parametrize(
    ("model", "effort", "words"),
    [
        ("claude-opus-5", "huge", "output_config.effort: Input should be"),
        ("claude-haiku-4-5", "low", "This model does not support the effort parameter."),
    ],
)
def test_effort_is_refused_where_it_does_not_exist(
    bench: Any, model: str, effort: str, words: str
) -> None:
    body = {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    assert words in bench.error({**body, "output_config": {"effort": effort}})[2]


def test_summary_of_thoughts_takes_the_time_of_all_of_them(bench: Any) -> None:
    said = [{"role": "user", "content": "hi"}]
    thinking = {"type": "adaptive", "display": "summarized"}
    body = {"model": "claude-opus-5", "max_tokens": 900, "messages": said, "thinking": thinking}
    prompt = bench.ask({**body, "stream": True})
    reply = Reply("one two three four", thinking="Let me see. " * 9, thinking_tokens=500)
    parts = bench.api.stream(prompt, bench.spoken(prompt, reply), bench.moment()).body
    shown = [part.share for part in parts if b"thinking_delta" in part.data]
    assert shown[0] < 0.2 < 0.4 < shown[len(shown) // 2] < 0.9 < shown[-1]

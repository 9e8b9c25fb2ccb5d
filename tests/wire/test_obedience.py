"""A reply obeys its request, as one of the real API does; a script that does not is told so, or is a fault on purpose."""

# ruff: noqa: ANN401 - requests are whatever JSON is sent
from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import anthropic
import openai
import pytest

from harness import HarnessError, Reply, ToolCall
from harness.sim import Sim

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
    "required": ["city"],
    "additionalProperties": False,
}
PLAIN = {**SCHEMA, "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
"""Without the bounds that Anthropic's formats may not have."""
NAMES = ("forecast", "book")
QUESTION: list[Any] = [{"role": "user", "content": "the weather in json, please"}]
FORMAT = {"type": "json_schema", "json_schema": {"name": "w", "schema": SCHEMA}}

Ask = Callable[..., Awaitable[Any]]


async def ask_anthropic(**more: Any) -> Any:
    tools = [{"name": name, "input_schema": SCHEMA} for name in NAMES]
    client = anthropic.AsyncAnthropic(api_key="k", max_retries=0)
    more = {"tools": tools, "max_tokens": 500, **more}
    return await client.messages.create(model="claude-sonnet-4-6", messages=QUESTION, **more)


async def ask_chat(**more: Any) -> Any:
    tools = [
        {"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in NAMES
    ]
    client = openai.AsyncOpenAI(api_key="k", max_retries=0)
    more = {"tools": tools, **more}
    return await client.chat.completions.create(model="gpt-4o", messages=QUESTION, **more)


async def ask_responses(**more: Any) -> Any:
    tools = [{"type": "function", "name": name, "parameters": SCHEMA} for name in NAMES]
    client = openai.AsyncOpenAI(api_key="k", max_retries=0)
    more = {"tools": tools, **more}
    return await client.responses.create(model="gpt-4o", input=QUESTION, **more)


def calls_in(answer: Any) -> list[str]:
    """The names of the tools that an answer calls, whichever API gave it."""
    if hasattr(answer, "choices"):
        return [call.function.name for call in answer.choices[0].message.tool_calls or ()]
    items = answer.output if hasattr(answer, "output") else answer.content
    return [item.name for item in items if item.type in ("tool_use", "function_call")]


ANY: list[tuple[Ask, dict[str, Any]]] = [
    (ask_anthropic, {"tool_choice": {"type": "any"}}),
    (ask_chat, {"tool_choice": "required"}),
    (ask_responses, {"tool_choice": "required"}),
]
NONE: list[tuple[Ask, dict[str, Any]]] = [
    (ask_anthropic, {"tool_choice": {"type": "none"}}),
    (ask_chat, {"tool_choice": "none"}),
    (ask_responses, {"tool_choice": "none"}),
]
NAMED: list[tuple[Ask, dict[str, Any]]] = [
    (ask_anthropic, {"tool_choice": {"type": "tool", "name": "book"}}),
    (ask_chat, {"tool_choice": {"type": "function", "function": {"name": "book"}}}),
    (ask_responses, {"tool_choice": {"type": "function", "name": "book"}}),
]
ONE: list[tuple[Ask, dict[str, Any]]] = [
    (ask_anthropic, {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}),
    (ask_chat, {"parallel_tool_calls": False}),
    (ask_responses, {"parallel_tool_calls": False}),
]
FORMATS: list[tuple[Ask, dict[str, Any]]] = [
    (
        ask_anthropic,
        {"tools": [], "output_config": {"format": {"type": "json_schema", "schema": PLAIN}}},
    ),
    (ask_chat, {"tools": openai.omit, "response_format": FORMAT}),
    (
        ask_responses,
        {
            "tools": [],
            "text": {"format": {"type": "json_schema", "name": "w", "schema": SCHEMA}},
        },
    ),
]
AUTO: list[tuple[Ask, dict[str, Any]]] = [(ask_anthropic, {}), (ask_chat, {}), (ask_responses, {})]


@pytest.mark.parametrize(("ask", "more"), ANY)
def test_made_up_reply_calls_a_tool_where_one_must_be_called(ask: Ask, more: Any, sim: Sim) -> None:
    assert calls_in(sim.run(ask, **more).output) == ["forecast"]


@pytest.mark.parametrize(("ask", "more"), NAMED)
def test_made_up_reply_calls_the_tool_that_is_named(ask: Ask, more: Any, sim: Sim) -> None:
    assert calls_in(sim.run(ask, **more).output) == ["book"]


@pytest.mark.parametrize(("ask", "more"), FORMATS)
def test_made_up_reply_keeps_the_schema(ask: Ask, more: Any, sim: Sim) -> None:
    answer = sim.run(ask, **more).output
    text = (
        answer.choices[0].message.content
        if hasattr(answer, "choices")
        else answer.output_text
        if hasattr(answer, "output_text")
        else answer.content[0].text
    )
    assert json.loads(text) == {"city": "text"}


CALL = ToolCall("book", {"city": "Bern"})
WRONG: list[tuple[Any, list[tuple[Ask, dict[str, Any]]], str]] = [
    ("sunny", ANY, "tool_calls: there is none"),
    ("sunny", NAMED, "the tool 'book'"),
    (CALL, NONE, "tool_calls: the request forbids tool calls"),
    (ToolCall("forecast", {"city": "Bern"}), NAMED, "tool_calls[0].tool: 'forecast' is called"),
    ([CALL, CALL], ONE, "tool_calls: there are 2"),
    (ToolCall("forcast", {"city": "Bern"}), AUTO, "'forcast' is not offered; offered: forecast, book; did you mean 'forecast'?"),
    (ToolCall("book", {"city": 3}), AUTO, "tool_calls[0].arguments.city: 3 is not of type 'string'"),
    (ToolCall("book", {}), AUTO, "tool_calls[0].arguments: 'city' is a required property"),
    ([CALL, ToolCall("book", {"city": "Bern", "days": 0})], AUTO, "tool_calls[1].arguments.days: 0 is less than"),
    (ToolCall("book", {"city": {1, 2}}), AUTO, "tool_calls[0].arguments: not JSON"),
    ("sunny", FORMATS, "text: the request requires JSON"),
    ('{"city": "Bern", "sun": 1}', FORMATS, "text: Additional properties are not allowed"),
    ({"days": 2}, FORMATS, "text: 'city' is a required property"),
    (CALL, FORMATS, "tool_calls[0].tool: 'book' is called, but the request offers no tools"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "ask", "more", "problem"),
    [
        pytest.param(reply, ask, more, problem, id=f"{problem[:40]}-{ask.__name__}")
        for reply, requests, problem in WRONG
        for ask, more in requests
    ],
)
def test_scripted_reply_that_breaks_its_request_is_an_error_that_names_the_field(
    reply: Any, ask: Ask, more: Any, problem: str, sim: Sim
) -> None:
    sim.agent("clerk", reply=reply)
    with pytest.raises(HarnessError) as caught:
        sim.run(ask, **more)
    told = str(caught.value)
    assert problem in told
    assert "agent 'clerk'" in told
    assert "as_is=True" in told


@pytest.mark.parametrize(("ask", "more"), AUTO)
def test_reply_that_breaks_its_request_on_purpose_is_sent_and_counted_as_a_fault(
    ask: Ask, more: Any, sim: Sim
) -> None:
    sim.agent("clerk", reply=Reply("", (ToolCall("no_such_tool", {}),), as_is=True))
    run = sim.run(ask, **more)
    assert calls_in(run.output) == ["no_such_tool"]
    assert [attempt.fault for call in run.calls() for attempt in call.attempts] == ["as_is"]


def test_all_replies_of_an_agent_may_break_their_requests(sim: Sim) -> None:
    sim.agent("clerk", reply="sunny", as_is=True)
    run = sim.run(ask_chat, tool_choice="required")
    assert run.output.choices[0].message.content == "sunny"


def test_reply_that_obeys_is_no_fault_even_if_it_need_not(sim: Sim) -> None:
    sim.agent("clerk", reply=CALL, as_is=True)
    assert set(sim.run(ask_chat, tool_choice="required").spans_table.values("fault")) == {""}


def test_a_made_up_agent_uses_each_tool_once_before_the_last_again(sim: Sim) -> None:
    async def turns() -> list[str]:
        client = anthropic.AsyncAnthropic(api_key="k")
        messages = list(QUESTION)
        used: list[str] = []
        for _ in range(3):
            answer = await client.messages.create(
                model="claude-sonnet-4-6",
                max_tokens=500,
                messages=messages,
                tools=[{"name": name, "input_schema": SCHEMA} for name in NAMES],
                tool_choice={"type": "any"},
            )
            (block,) = answer.content
            used.append(block.name)  # type: ignore[union-attr]
            messages += [
                {"role": "assistant", "content": answer.content},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": block.id}]},  # type: ignore[union-attr]
            ]
        return used

    assert sim.run(turns).output == ["forecast", "book", "book"]


@pytest.mark.parametrize(
    ("ask", "tokens"), [(ask_anthropic, 33 + 2), (ask_chat, 7 + 2), (ask_responses, 7 + 2)]
)
def test_tool_call_without_arguments_has_the_tokens_of_its_name_and_its_frame(
    ask: Ask, tokens: int, sim: Sim
) -> None:
    sim.agent("clerk", reply=Reply("", (ToolCall("forecast", {}),), as_is=True))
    assert sim.run(ask).output_tokens == tokens


@pytest.mark.parametrize(
    ("ask", "honest", "lie"),
    [
        (ask_anthropic, "max_tokens", "end_turn"),
        (ask_chat, "length", "stop"),
        (ask_responses, "incomplete", "completed"),
    ],
)
def test_truncated_reply_says_so_unless_it_is_told_to_lie(ask: Ask, honest: str, lie: str) -> None:
    ends = []
    for stop_reason in ("max_tokens", "end_turn"):
        sim = Sim()
        sim.agent("clerk", reply="one two three four")
        sim.fault("truncated", stop_reason=stop_reason)
        answer = sim.run(ask).output
        ends.append(
            answer.choices[0].finish_reason
            if hasattr(answer, "choices")
            else answer.status
            if hasattr(answer, "status")
            else answer.stop_reason
        )
    assert ends == [honest, lie]

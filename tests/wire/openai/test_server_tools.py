"""Tools that OpenAI uses itself: offered, forced, paid for, timed, cited, approved."""

# ruff: noqa: ANN401 - SDK objects are anything
from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import openai
import pytest

from harness import Reply, ServerTool
from harness.errors import StubError
from harness.sim import Sim

LATENCY = {"ttft_s": 1.0, "itl_s": 0.0}
PAGE = {"title": "Weather", "url": "https://w.example/", "text": "Rain until noon."}
SEARCH = ServerTool("web_search", query="weather", results=[PAGE], text="See https://w.example/ .")
BOX = {"type": "mcp", "server_label": "box", "server_url": "https://box.example"}


def asking(tools: list[dict[str, Any]], **more: Any) -> Callable[[], Any]:
    async def program() -> object:
        client = openai.AsyncOpenAI(api_key="k")
        return await client.responses.create(model="gpt-4o", input="hi", tools=tools, **more)  # type: ignore[arg-type]

    return program


def kinds(response: Any) -> list[str]:
    return [item.type for item in response.output]


def test_search_is_an_item_before_the_text_that_cites_it(sim: Sim) -> None:
    sim.agent("a", reply=SEARCH)
    response = sim.run(asking([{"type": "web_search"}])).output
    assert kinds(response) == ["web_search_call", "message"]
    assert response.output[0].action.query == "weather"
    (cited,) = response.output[1].content[0].annotations
    assert (cited.type, cited.url, cited.title) == ("url_citation", PAGE["url"], "Weather")
    assert response.output_text[cited.start_index : cited.end_index] == PAGE["url"]


def test_fee_and_time_of_a_tool_are_those_of_the_attempt(sim: Sim) -> None:
    sim.agent("a", reply=[Reply(SEARCH.text), SEARCH], latency_s=LATENCY)
    program = asking([{"type": "web_search"}])

    async def twice() -> None:
        await program()
        await program()

    run = sim.run(twice)
    plain, searched = (call.attempts[0] for call in run.calls())
    assert [one.end_s - one.start_s for one in (plain, searched)] == [1.0, 2.5]
    assert searched.input_tokens == plain.input_tokens + 4
    written = (searched.output_tokens - plain.output_tokens) * 10e-6 + 4 * 2.5e-6
    assert searched.cost_usd - plain.cost_usd == pytest.approx(0.01 + written)


def test_newer_models_count_the_uses(sim: Sim) -> None:
    sim.agent("a", reply=SEARCH)
    assert sim.run(asking([{"type": "web_search"}])).output.tool_usage is None

    async def program() -> object:
        client = openai.AsyncOpenAI(api_key="k")
        tools: Any = [{"type": "web_search"}]
        return await client.responses.create(model="gpt-5", input="hi", tools=tools)

    response = sim.run(program).output
    assert kinds(response) == ["reasoning", "web_search_call", "message"]
    assert response.tool_usage.web_search.num_requests == 1


@pytest.mark.parametrize("choice", [{"type": "file_search"}, "required"])
def test_forced_tool_is_used_whatever_the_reply_says(sim: Sim, choice: Any) -> None:
    sim.agent("a", reply="Hello")
    tool = {"type": "file_search", "vector_store_ids": ["vs_1"]}
    response = sim.run(asking([tool], tool_choice=choice)).output
    assert kinds(response) == ["file_search_call", "message"]


def test_offered_tool_is_not_used_unless_the_reply_says_so(sim: Sim) -> None:
    sim.agent("a")
    assert kinds(sim.run(asking([{"type": "web_search"}])).output) == ["message"]


def test_tool_that_is_not_offered_cannot_be_used(sim: Sim) -> None:
    sim.agent("a", reply=SEARCH)
    with pytest.raises(StubError, match="'web_search' is used, but the request does not offer it"):
        sim.run(asking([{"type": "file_search", "vector_store_ids": ["vs_1"]}]))


def test_results_are_there_as_asked(sim: Sim) -> None:
    sim.agent("a", reply=ServerTool("code_interpreter", code="print(1)", results="1\n"))
    tool = {"type": "code_interpreter", "container": {"type": "auto"}}
    plain = sim.run(asking([tool])).output.output[0]
    assert (plain.code, plain.outputs) == ("print(1)", None)
    asked = sim.run(asking([tool], include=["code_interpreter_call.outputs"])).output.output[0]
    assert [one.logs for one in asked.outputs] == ["1\n"]


def test_tool_takes_its_time_within_a_stream(sim: Sim) -> None:
    reply = ServerTool("web_search", query="q", latency_s=5.0, text="one two three four")
    sim.agent("a", reply=reply, latency_s={"ttft_s": 1.0, "itl_s": 0.1})

    async def program() -> dict[str, float]:
        client, loop = openai.AsyncOpenAI(api_key="k"), asyncio.get_running_loop()
        came: dict[str, float] = {}
        tools: Any = [{"type": "web_search"}]
        async for event in await client.responses.create(
            model="gpt-4o", input="hi", tools=tools, stream=True
        ):
            came.setdefault(event.type, loop.time())
        return came

    run = sim.run(program)
    came = run.output
    searching, completed = (
        came[f"response.web_search_call.{phase}"] for phase in ("searching", "completed")
    )
    assert completed - searching > 4.0
    assert came["response.output_text.delta"] >= completed
    assert run.latency_s == pytest.approx(1 + 5 + 0.1 * run.calls()[0].attempts[0].output_tokens)


def test_call_of_an_mcp_server_waits_for_its_approval(sim: Sim) -> None:
    sim.agent("a", reply=ServerTool("mcp", name="ask", arguments={"q": 1}, results="yes"))

    async def program() -> tuple[Any, ...]:
        client = openai.AsyncOpenAI(api_key="k")
        tools: Any = [BOX]
        first = await client.responses.create(model="gpt-4o", input="hi", tools=tools)
        answers = []
        for approve in (True, False):
            said: Any = [
                {
                    "type": "mcp_approval_response",
                    "approve": approve,
                    "approval_request_id": first.output[-1].id,
                }
            ]
            answers.append(
                await client.responses.create(
                    model="gpt-4o", input=said, tools=tools, previous_response_id=first.id
                )
            )
        return first, *answers

    first, approved, denied = sim.run(program).output
    assert kinds(first) == ["mcp_list_tools", "mcp_approval_request"]
    assert kinds(approved) == ["mcp_call", "message"]
    assert approved.output[0].approval_request_id == first.output[-1].id
    assert (approved.output[0].output, approved.output_text) == ("yes", "yes")
    assert kinds(denied) == ["message"]


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        ("never", False),
        ("always", True),
        ({"always": {"tool_names": ["ask"]}}, True),
        ({"always": {"tool_names": ["other"]}}, False),
        ({"never": {"tool_names": ["ask"]}}, False),
    ],
)
def test_rule_of_approval_names_the_tools(sim: Sim, rule: Any, asks: bool) -> None:
    sim.agent("a", reply=ServerTool("mcp", name="ask", results="yes"))
    response = sim.run(asking([{**BOX, "require_approval": rule}])).output
    assert ("mcp_approval_request" in kinds(response)) == asks


def test_uses_come_back_in_the_next_request(sim: Sim) -> None:
    sim.agent("a", reply=SEARCH)

    async def program() -> object:
        client = openai.AsyncOpenAI(api_key="k")
        tools: Any = [{"type": "web_search"}]
        first = await client.responses.create(model="gpt-5", input="hi", tools=tools)
        said: Any = [
            {"role": "user", "content": "hi"},
            *first.output,
            {"role": "user", "content": "on"},
        ]
        return await client.responses.create(model="gpt-5", input=said, tools=tools)

    assert kinds(sim.run(program).output) == ["reasoning", "web_search_call", "message"]

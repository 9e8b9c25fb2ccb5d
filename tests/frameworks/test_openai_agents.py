"""The OpenAI Agents SDK: handoffs, a function tool, an agent as a tool, and a stream."""

from __future__ import annotations

import time  # noqa: TID251 - tools of the user's sleep
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from harness.models import ToolCall
from harness.sim import ProgramRun, Sim

pytest.importorskip("agents", reason="needs openai-agents")

import openai
from agents import Agent, MaxTurnsExceeded, Runner, function_tool

RunAlike = Callable[..., ProgramRun]


class Refund(BaseModel):
    """What is paid back."""

    order: str
    francs: float


@function_tool
def find_order(order: str) -> str:
    """Look an order up."""
    return f"{order} is a lamp for 40 francs, and it never arrived."


lawyer = Agent(name="Lawyer", instructions="You know the law.", model="gpt-5")
refunds = Agent(
    name="Refunds",
    instructions="You handle refunds.",
    model="gpt-4o-mini",
    tools=[
        find_order,
        lawyer.as_tool(tool_name="ask_the_lawyer", tool_description="Ask about the law."),
    ],
    output_type=Refund,
)
sales = Agent(name="Sales", instructions="You sell lamps.", model="gpt-4o-mini")
triage = Agent(
    name="Triage",
    instructions="You send customers to whoever can help.",
    model="gpt-4o",
    handoffs=[refunds, sales],
)


async def serve(complaint: str) -> tuple[str, Any]:
    """Who answers a customer in the end, and what."""
    result = await Runner.run(triage, complaint)
    return result.last_agent.name, result.final_output


async def serve_aloud(wish: str) -> tuple[list[str], str]:
    """Who speaks, and what they say as they say it."""
    result = Runner.run_streamed(triage, wish)
    speakers, said = [], ""
    async for event in result.stream_events():
        if event.type == "agent_updated_stream_event":
            speakers.append(event.new_agent.name)
        elif event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            said += event.data.delta
    assert said == result.final_output
    return speakers, said


LAW = "What never arrives is paid back within two weeks."
ASKED = [
    ToolCall("find_order", {"order": "A-17"}),
    ToolCall("ask_the_lawyer", {"input": "What if a lamp never arrives?"}),
]


@pytest.fixture
def office(sim: Sim) -> None:
    sim.agent("triage", system="You send*", reply=ToolCall("transfer_to_refunds", {}))
    sim.agent("refunds", system="You handle*", reply=[ASKED, {"order": "A-17", "francs": 40.0}])
    sim.agent("lawyer", system="You know the law.", reply=LAW)


@pytest.mark.usefixtures("office")
def test_a_customer_is_handed_over_to_an_agent_with_tools(run_alike: RunAlike) -> None:
    run = run_alike(serve, "Where is my lamp, A-17?")

    assert run.output == ("Refunds", Refund(order="A-17", francs=40.0))
    assert [call.agent for call in run.all_calls] == ["triage", "refunds", "lawyer", "refunds"]
    results = run.calls("refunds")[1].messages[-1].tool_results
    assert [result.text for result in results] == [
        "A-17 is a lamp for 40 francs, and it never arrived.",
        LAW,
    ]
    run.assert_called_with_output_of("lawyer", "refunds")
    run.assert_called_with_output_of("refunds", "lawyer")
    assert run.latency_s > 0
    assert run.unsimulated == {}


def test_a_handed_over_agent_streams_what_it_says(sim: Sim) -> None:
    offer = "The tall lamp by the window, for 40 francs."
    sim.agent("triage", system="You send*", reply=ToolCall("transfer_to_sales", {}))
    sim.agent("sales", system="You sell*", reply=offer)

    run = sim.run(serve_aloud, "A lamp, please.")

    assert run.output == (["Triage", "Sales"], offer)
    assert run.unsimulated == {}


def test_run_sync_brings_its_own_loop(sim: Sim) -> None:
    sim.agent("sales", system="You sell*", reply="A lamp is 40 francs.")

    run = sim.run(lambda: Runner.run_sync(sales, "A lamp, please.").final_output)

    assert run.output == "A lamp is 40 francs."


@pytest.mark.usefixtures("office")
def test_the_sdk_underneath_waits_as_long_as_a_rate_limit_tells_it(sim: Sim) -> None:
    sim.provider("openai", latency=2)
    sim.fault("status", status=429, agent="lawyer", attempt=1, retry_after_s=7)

    run = sim.run(serve, "Where is my lamp, A-17?")

    assert (run.rate_limited, run.retries) == (1, 1)
    assert run.latency_s == pytest.approx(2 + 2 + (7 + 2) + 2, abs=0.1)


@pytest.mark.usefixtures("office")
def test_an_overloaded_agent_behind_a_tool_is_told_to_the_model_and_ends_nothing(sim: Sim) -> None:
    sim.fault("overloaded", agent="lawyer")

    run = sim.run(serve, "Where is my lamp, A-17?")

    assert len(run.calls("lawyer")[0].attempts) == 3
    assert run.output == ("Refunds", Refund(order="A-17", francs=40.0))
    told = run.calls("refunds")[1].messages[-1].tool_results[1].text
    assert told.startswith("An error occurred while running the tool.")


def test_an_overloaded_first_agent_ends_the_run_with_the_error_of_the_sdk(sim: Sim) -> None:
    sim.agent("triage", system="You send*")
    sim.fault("overloaded", agent="triage")

    with pytest.raises(openai.InternalServerError):
        sim.run(serve, "Where is my lamp, A-17?")

    assert sim.last_run is not None
    assert sim.last_run.attempts == 3


def test_an_agent_that_never_comes_to_an_end_is_stopped_after_ten_turns(sim: Sim) -> None:
    sim.agent("triage", system="You send*", reply=ToolCall("transfer_to_refunds", {}))
    sim.agent("refunds", system="You handle*", reply=ToolCall("find_order", {"order": "A-17"}))

    with pytest.raises(MaxTurnsExceeded):
        sim.run(serve, "Where is my lamp, A-17?")

    assert sim.last_run is not None
    assert [call.agent for call in sim.last_run.all_calls] == ["triage", *["refunds"] * 9]


@pytest.mark.usefixtures("office")
def test_its_traces_are_switched_off(sim: Sim, caplog: pytest.LogCaptureFixture) -> None:
    run = sim.run(serve, "Where is my lamp, A-17?")

    assert run.unsimulated == {}
    assert [record for record in caplog.records if record.name == "openai.agents"] == []


@function_tool
def measure(place: str) -> str:
    """Measure a tide, which takes three seconds."""
    time.sleep(3)
    return f"{place}: sixteen metres"


@function_tool
def compute(place: str) -> str:
    """Compute a tide, which takes five seconds."""
    time.sleep(5)
    return f"{place}: fifteen metres"


hydrologist = Agent(
    name="Hydrologist",
    instructions="You know the tides.",
    model="gpt-4o-mini",
    tools=[measure, compute],
)


async def ask_hydrologist() -> Any:  # noqa: ANN401 - the SDK's
    return (await Runner.run(hydrologist, "How high are the tides?")).final_output


def ask_hydrologist_and_wait() -> Any:  # noqa: ANN401 - the SDK's
    return Runner.run_sync(hydrologist, "How high are the tides?").final_output


@pytest.mark.parametrize("program", [ask_hydrologist, ask_hydrologist_and_wait])
def test_tools_that_sleep_run_side_by_side_in_threads(
    sim: Sim, run_twice: RunAlike, program: Callable[[], Any]
) -> None:
    both = [ToolCall("measure", {"place": "Fundy"}), ToolCall("compute", {"place": "Fundy"})]
    sim.agent("hydrologist", reply=[both, "Fifteen or sixteen metres."], latency_s=2)

    run = run_twice(program)

    assert run.output == "Fifteen or sixteen metres."
    assert run.latency_s == 2 + 5 + 2
    results = run.calls("hydrologist")[1].messages[-1].tool_results
    assert [result.text for result in results] == ["Fundy: sixteen metres", "Fundy: fifteen metres"]
    assert run.unsimulated == {}

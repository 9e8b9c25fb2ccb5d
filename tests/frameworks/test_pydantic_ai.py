"""Agents of Pydantic AI: delegation by a tool, structured output, and a stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from pydantic import BaseModel

from harness.models import ToolCall
from harness.sim import ProgramRun, Sim

pytest.importorskip("pydantic_ai", reason="needs pydantic-ai")

from pydantic_ai import Agent, ModelHTTPError, RunContext, UnexpectedModelBehavior

RunAlike = Callable[..., ProgramRun]


class Itinerary(BaseModel):
    """What a guide hands over."""

    city: str
    days: int


@dataclass
class Budget:
    """What the tools may spend."""

    francs: int


guide = Agent(
    "anthropic:claude-sonnet-4-6",
    defer_model_check=True,
    deps_type=Budget,
    output_type=Itinerary,
    system_prompt="You are a guide. Ask the clerk for prices.",
)
clerk = Agent(
    "openai-chat:gpt-4o-mini",
    defer_model_check=True,
    system_prompt="You are a clerk who knows prices.",
)
poet = Agent("openai-responses:gpt-5", defer_model_check=True, instructions="You are a poet.")


@guide.tool
async def ask_the_clerk(context: RunContext[Budget], question: str) -> str:
    """Ask somebody who knows prices."""
    result = await clerk.run(
        f"{question} We have {context.deps.francs} francs.", usage=context.usage
    )
    return str(result.output)


@guide.tool_plain
def weather_in(city: str) -> str:
    """Say what the weather is like."""
    return f"The fog over {city} lifts at noon."


async def plan_a_trip(wish: str) -> tuple[Itinerary, str]:
    """A guide who asks a clerk, then a poem about the trip, streamed."""
    trip = await guide.run(wish, deps=Budget(francs=300))
    async with poet.run_stream(f"{trip.output.days} days in {trip.output.city}") as stream:
        verses = [verse async for verse in stream.stream_text(delta=True, debounce_by=None)]
    assert len(verses) > 1
    return trip.output, "".join(verses)


PRICE = "Three nights near the old tower cost 290 francs."
POEM = "Three days of fog, three days of bells, and then the train."
ASKED = [
    ToolCall("ask_the_clerk", {"question": "What do three nights in Bern cost?"}),
    ToolCall("weather_in", {"city": "Bern"}),
]
TRIP = ToolCall("final_result", {"city": "Bern", "days": 3})


@pytest.fixture
def office(sim: Sim) -> None:
    """The guide asks for both tools, and then for the one by which Pydantic AI takes a structured answer.

    Pydantic AI puts words of its own before the system prompts of agents on Anthropic, from 2.68 on.
    """
    sim.agent("guide", system="*You are a guide*", reply=[ASKED, TRIP], allow_unused=True)
    sim.agent("clerk", system="*knows prices*", reply=PRICE)
    sim.agent("poet", system="*You are a poet.*", reply=POEM, allow_unused=True)


@pytest.mark.usefixtures("office")
def test_a_guide_delegates_to_a_clerk_and_a_poet_streams(run_alike: RunAlike) -> None:
    run = run_alike(plan_a_trip, "Somewhere old.")

    assert run.output == (Itinerary(city="Bern", days=3), POEM)
    assert [call.agent for call in run.all_calls] == ["guide", "clerk", "guide", "poet"]
    assert run.calls("clerk")[0].prompt == "What do three nights in Bern cost? We have 300 francs."
    results = run.calls("guide")[1].messages[-1].tool_results
    assert [result.text for result in results] == [PRICE, "The fog over Bern lifts at noon."]
    run.assert_called_with_output_of("clerk", "guide")
    run.assert_called_with_output_of("guide", "clerk")
    assert run.latency_s > 0
    assert run.unsimulated == {}


@pytest.mark.usefixtures("office")
def test_a_delegate_waits_as_long_as_a_rate_limit_tells_it(sim: Sim) -> None:
    sim.provider("anthropic", latency=2)
    sim.provider("openai", latency=2)
    sim.fault("status", status=429, agent="clerk", attempt=1, retry_after_s=7)

    run = sim.run(plan_a_trip, "Somewhere old.")

    assert (run.rate_limited, run.retries) == (1, 1)
    assert run.latency_s == pytest.approx(2 + (7 + 2) + 2 + 2, abs=0.1)


@pytest.mark.usefixtures("office")
def test_an_overloaded_delegate_ends_the_run_of_the_agent_that_asked_it(sim: Sim) -> None:
    sim.fault("overloaded", agent="clerk")

    with pytest.raises(ModelHTTPError) as raised:
        sim.run(plan_a_trip, "Somewhere old.")

    assert (raised.value.status_code, raised.value.model_name) == (503, "gpt-4o-mini")
    assert sim.last_run is not None
    assert len(sim.last_run.calls("clerk")[0].attempts) == 3


async def plan_only(wish: str) -> Itinerary:
    """The guide alone."""
    trip: Itinerary = (await guide.run(wish, deps=Budget(francs=300))).output
    return trip


def test_an_answer_that_breaks_its_schema_is_asked_for_once_more(sim: Sim) -> None:
    wrong = ToolCall("final_result", {"city": "Bern", "days": "a few"})
    sim.agent("guide", system="*You are a guide*", reply=[[wrong], [TRIP]], as_is=True)

    run = sim.run(plan_only, "Somewhere old.")

    assert run.output == Itinerary(city="Bern", days=3)
    (complaint,) = run.calls("guide")[1].messages[-1].tool_results
    assert "Input should be a valid integer" in complaint.text


def test_an_answer_that_breaks_its_schema_twice_ends_the_run(sim: Sim) -> None:
    wrong = ToolCall("final_result", {"city": "Bern", "days": "a few"})
    sim.agent("guide", system="*You are a guide*", reply=wrong, as_is=True)

    with pytest.raises(UnexpectedModelBehavior, match="Exceeded maximum"):
        sim.run(plan_only, "Somewhere old.")

    assert sim.last_run is not None
    assert sim.last_run.calls("guide") == 2


def test_run_sync_brings_its_own_loop(sim: Sim) -> None:
    sim.agent("guide", system="*You are a guide*", reply=TRIP)

    def program() -> Itinerary:
        trip: Itinerary = guide.run_sync("Somewhere old.", deps=Budget(francs=300)).output
        return trip

    assert sim.run(program).output == Itinerary(city="Bern", days=3)

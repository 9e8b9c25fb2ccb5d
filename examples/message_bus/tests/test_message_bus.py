"""Who hears what on the bus, and what becomes of the orchestrator when an agent's task dies, hangs or never agrees."""

from __future__ import annotations

import asyncio

import pytest
from message_bus import MAX_ROUNDS, Bus, agent, describe
from openai import AsyncOpenAI

from harness.errors import Deadlock
from harness.sim import Sim

NOTES = "Weighs ninety grams, folds into a pocket, survives a storm of force eight."
DRAFT = "The umbrella that shrugs at force eight and still fits your pocket."
BETTER = "Ninety grams of umbrella: it shrugs at force eight and still fits your pocket."
OBJECTION = "Mention that it is light as a letter."


@pytest.fixture
def team(sim: Sim) -> None:
    """A researcher, a writer who writes twice, and a critic who wants one change."""
    sim.agent("researcher", system="*market researcher*", reply=NOTES)
    sim.agent("writer", system="*copywriter*", reply=[DRAFT, BETTER])
    sim.agent("critic", system="*critic*", reply=[OBJECTION, "APPROVED"])


@pytest.mark.usefixtures("team")
def test_the_writer_hears_the_researcher_and_the_critic_and_the_critic_hears_the_writer(
    sim: Sim,
) -> None:
    run = sim.run(describe, "umbrella")

    assert run.output == BETTER
    assert [call.agent for call in run.calls()] == [
        "researcher",
        "writer",
        "critic",
        "writer",
        "critic",
    ]
    run.assert_called_with_output_of("writer", "researcher")
    run.assert_called_with_output_of("writer", "critic")
    run.assert_called_with_output_of("critic", "writer")


@pytest.mark.usefixtures("team")
@pytest.mark.sim(seed=100, runs=5)
def test_a_description_takes_less_than_half_a_minute_and_a_tenth_of_a_cent(sim: Sim) -> None:
    run = sim.run(describe, "umbrella")

    run.assert_latency_below(30)
    run.assert_cost_below(0.001)


def test_a_critic_who_never_agrees_costs_three_rounds_and_no_more(sim: Sim) -> None:
    sim.agent("researcher", system="*market researcher*", reply=NOTES)
    sim.agent("writer", system="*copywriter*", reply=DRAFT)
    sim.agent("critic", system="*critic*", reply=OBJECTION)

    run = sim.run(describe, "umbrella")

    run.assert_called("critic", times=MAX_ROUNDS)
    run.assert_called("writer", times=MAX_ROUNDS + 1)


def test_an_agent_that_dies_leaves_the_orchestrator_waiting_for_ever(sim: Sim) -> None:
    """A weakness, written down: a task ends with its error, nobody looks at it, and its orders are never answered."""
    sim.agent("researcher", system="*market researcher*", reply=NOTES)
    sim.agent("writer", system="*copywriter*")
    sim.fault("status", status=400, agent="writer")

    with pytest.raises(Deadlock) as stuck:
        sim.run(describe, "umbrella")

    assert "waits for an item from Queue `self._inboxes['orchestrator']`" in str(stuck.value)
    assert "writer (agent) has failed with BadRequestError" in str(stuck.value)


def test_with_a_timeout_the_orchestrator_gives_up_on_an_agent_that_has_died(sim: Sim) -> None:
    sim.agent("researcher", system="*market researcher*", reply=NOTES)
    sim.agent("writer", system="*copywriter*")
    sim.fault("status", status=400, agent="writer")

    with pytest.raises(TimeoutError):
        sim.run(describe, "umbrella", timeout_s=45)

    assert sim.last_run.latency_s == pytest.approx(45, abs=5)


@pytest.mark.usefixtures("team")
def test_a_rate_limit_of_three_a_minute_is_waited_out(sim: Sim) -> None:
    sim.provider("openai", requests_per_min=3)

    run = sim.run(describe, "umbrella", timeout_s=90)

    assert run.output == BETTER
    assert run.rate_limited > 0
    assert run.latency_s > 20


async def test_two_writers_at_one_bus_share_the_orders(sim: Sim) -> None:
    bus = Bus()
    client = AsyncOpenAI()

    async def writer(name: str) -> None:
        with sim.agent_scope(name):
            await agent("writer", bus, client)

    pens = [asyncio.create_task(writer(name)) for name in ("ada", "bob")]
    replies = [await bus.request("writer", f"order {number}") for number in (1, 2, 3)]

    for pen in pens:
        pen.cancel()
    assert replies == ["ada has done its part", "bob has done its part", "ada has done its part"]

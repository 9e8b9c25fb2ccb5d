"""Programs on Anthropic's own SDK: a team that streams its report, and a tool runner."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from harness.models import Request
from harness.sim import ProgramRun, Sim

anthropic = pytest.importorskip("anthropic", reason="needs the Anthropic SDK")

RunAlike = Callable[..., ProgramRun]

MODEL = "claude-sonnet-4-6"
PLAN = "1. What does wind power cost?\n2. Where does the wind blow?"
FINDINGS = {
    "What does wind power cost?": "A turbine at sea pays for itself within nine years.",
    "Where does the wind blow?": "The steadiest wind blows over the northern shelf.",
}
REPORT = "Build on the northern shelf, and expect nine years of patience."


async def report_on(topic: str) -> str:
    """Plan, ask two at once, and stream the report."""
    async with anthropic.AsyncAnthropic() as client:

        async def ask(system: str, prompt: str) -> str:
            message = await client.messages.create(
                model=MODEL,
                max_tokens=500,
                system=system,
                messages=[{"role": "user", "content": prompt}],
            )
            return str(message.content[0].text)

        plan = await ask("You plan research.", topic)
        questions = [line.partition(". ")[2] for line in plan.splitlines()]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(ask("You answer questions.", it)) for it in questions]
        async with client.messages.stream(
            model=MODEL,
            max_tokens=500,
            system="You write reports.",
            messages=[{"role": "user", "content": "\n".join(task.result() for task in tasks)}],
        ) as stream:
            return "".join([text async for text in stream.text_stream])


@pytest.fixture
def team(sim: Sim) -> None:
    sim.agent("planner", system="You plan research.", reply=PLAN)
    sim.agent("worker", system="You answer*", reply=lambda call: FINDINGS[call.prompt])
    sim.agent("writer", system="You write*", reply=REPORT)


@pytest.mark.usefixtures("team")
def test_a_team_plans_works_side_by_side_and_streams_its_report(run_alike: RunAlike) -> None:
    run = run_alike(report_on, "wind power")

    assert run.output == REPORT
    assert [call.agent for call in run.all_calls] == ["planner", "worker", "worker", "writer"]
    run.assert_parallel("worker")
    run.assert_called_with_output_of("worker", "planner")
    run.assert_called_with_output_of("writer", "worker")
    run.assert_no_lost_results()
    assert run.latency_s > 0
    assert run.unsimulated == {}


@pytest.mark.usefixtures("team")
def test_the_sdk_waits_as_long_as_a_rate_limit_tells_it(sim: Sim) -> None:
    sim.provider("anthropic", latency=2)
    sim.fault("status", status=429, agent="planner", attempt=1, retry_after_s=7)

    run = sim.run(report_on, "wind power")

    assert run.output == REPORT
    assert (run.rate_limited, run.retries) == (1, 1)
    assert run.latency_s == pytest.approx(7 + 2 + 2 + 2, abs=0.1)


@pytest.mark.usefixtures("team")
def test_the_sdk_gives_up_on_an_overloaded_writer_at_the_third_attempt(sim: Sim) -> None:
    sim.fault("overloaded", agent="writer")

    with pytest.raises(anthropic.OverloadedError):
        sim.run(report_on, "wind power")

    assert sim.last_run is not None
    assert len(sim.last_run.calls("writer")[0].attempts) == 3


async def price_of(ware: str) -> str:
    """The price of a ware.

    Args:
        ware: What it is called.
    """
    await asyncio.sleep(3)
    return f"A {ware} costs 40 francs and 50 centimes."


async def shop_for(wish: str) -> str:
    """A buyer looks prices up, and a critic judges what it found."""
    client = anthropic.AsyncAnthropic()
    runner = client.beta.messages.tool_runner(
        model=MODEL,
        max_tokens=500,
        system="You buy things.",
        tools=[anthropic.beta_async_tool(price_of)],
        messages=[{"role": "user", "content": wish}],
    )
    found = (await runner.until_done()).content[0].text
    judged = await client.messages.create(
        model=MODEL,
        max_tokens=500,
        system="You judge offers.",
        messages=[{"role": "user", "content": found}],
    )
    return str(judged.content[0].text)


def test_a_tool_runner_uses_its_tool_and_hands_on_what_it_found(sim: Sim) -> None:
    def offer(request: Request) -> str:
        return f"My offer: {request.tool_results[0].text}"

    wish = ("price_of", {"ware": "lamp"})
    sim.provider("anthropic", latency=1)
    sim.agent("buyer", tools=["price_of"], tool_calls=[wish], reply=offer)
    sim.agent("critic", system="You judge*", reply=lambda call: f"Too dear. {call.prompt}")

    run = sim.run(shop_for, "A lamp, please.")

    assert run.output == "Too dear. My offer: A lamp costs 40 francs and 50 centimes."
    assert [call.agent for call in run.all_calls] == ["buyer", "buyer", "critic"]
    run.assert_called_with_output_of("critic", "buyer")
    assert run.latency_s == 1 + 3 + 1 + 1
    assert run.unsimulated == {}

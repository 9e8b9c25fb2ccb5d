"""What the research assistant does when all is well, when a provider is not, and when a planner chats."""

from __future__ import annotations

import asyncio

import pytest
from anthropic import OverloadedError
from research_assistant import TIMEOUT_S, research

from harness.sim import Sim

PLAN = "1. What does solar power cost?\n2. How is it stored?\n3. Who opposes it?"
FINDINGS = {
    "What does solar power cost?": "A panel costs a tenth of what it cost in 2010.",
    "How is it stored?": "Lithium batteries cover four hours of an evening.",
    "Who opposes it?": "Neighbours of large parks object to glare.",
}
REPORT = "Solar power is cheap by day, and batteries carry it into the evening."


@pytest.fixture
def team(sim: Sim) -> None:
    """The planner, the workers and the synthesizer, each known by its system prompt."""
    sim.agent("planner", system="*research planner*", reply=PLAN)
    sim.agent("worker", system="*research worker*", reply=lambda call: FINDINGS[call.prompt])
    sim.agent("synthesizer", system="*synthesizer*", reply=REPORT)


@pytest.mark.usefixtures("team")
def test_the_plan_reaches_the_workers_and_their_findings_reach_the_report(sim: Sim) -> None:
    run = sim.run(research, "solar power")

    assert run.output == REPORT
    run.assert_called("worker", times=3)
    run.assert_parallel("worker")
    run.assert_called_with_output_of("worker", "planner")
    run.assert_called_with_output_of("synthesizer", "worker")
    run.assert_no_lost_results()


@pytest.mark.usefixtures("team")
@pytest.mark.sim(runs=8)
def test_a_report_takes_less_than_half_a_minute_and_a_cent_whatever_the_seed(sim: Sim) -> None:
    run = sim.run(research, "solar power")

    run.assert_latency_below(30)
    run.assert_cost_below(0.01)


@pytest.mark.usefixtures("team")
def test_the_time_is_that_of_the_slowest_worker_and_not_the_sum_of_all(sim: Sim) -> None:
    sim.provider("anthropic", latency=2)
    sim.fault("latency", agent="worker", call=2, factor=5)

    run = sim.run(research, "solar power")

    assert run.latency_s == pytest.approx(2 + 10 + 2, abs=0.1)


@pytest.mark.usefixtures("team")
def test_a_worker_that_is_always_overloaded_leaves_its_question_open(sim: Sim) -> None:
    sim.fault("overloaded", agent="worker", call=2)

    run = sim.run(research, "solar power")

    assert run.output == REPORT
    assert "Finding: (left open: OverloadedError)" in run.calls("synthesizer")[0].prompt
    assert run.retries == 2


def test_an_overloaded_planner_is_fatal_and_costs_nothing(sim: Sim) -> None:
    sim.agent("planner", system="*research planner*")
    sim.fault("overloaded", agent="planner")

    with pytest.raises(OverloadedError):
        sim.run(research, "solar power")

    assert sim.last_run.agents == ["planner"]
    assert sim.last_run.cost_usd == 0


@pytest.mark.usefixtures("team")
def test_one_hanging_worker_holds_the_whole_report_back_for_three_timeouts(sim: Sim) -> None:
    sim.fault("hang", agent="worker", call=1)

    run = sim.run(research, "solar power")

    assert "(left open: APITimeoutError)" in run.calls("synthesizer")[0].prompt
    assert (
        run.latency_s > 3 * TIMEOUT_S
    )  # nobody asked for this: the timeout is one of an attempt, not of a question


def test_a_planner_that_answers_in_prose_yields_a_report_out_of_thin_air(sim: Sim) -> None:
    """A weakness, written down: no question is found, nobody works, and the synthesizer is asked all the same."""
    sim.agent(
        "planner", system="*research planner*", reply="Sure! I would look at cost, then at storage."
    )
    sim.agent("worker", system="*research worker*", allow_unused=True)
    sim.agent("synthesizer", system="*synthesizer*", reply=REPORT)

    run = sim.run(research, "solar power")

    run.assert_called("worker", times=0)
    assert run.output == REPORT
    with pytest.raises(AssertionError, match="agent 'synthesizer' read no text of 'planner'"):
        run.assert_called_with_output_of("synthesizer", "planner")


@pytest.mark.usefixtures("team")
async def test_two_topics_at_once_take_no_longer_than_one(sim: Sim) -> None:
    sim.provider("anthropic", latency=2)

    await asyncio.gather(research("solar power"), research("solar power in winter"))

    run = sim.so_far()
    run.assert_called("worker", times=6)
    run.assert_latency_below(6.5)

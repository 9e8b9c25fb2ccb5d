"""What an orchestrator that calls its agents one after the other costs in time, and what breaks when it fails."""

from __future__ import annotations

from datetime import datetime

import anthropic
import pytest
from research_team import Agent, Orchestrator, Subtask, main

from harness.sim import Sim

PLAN = "researcher: market size\nresearcher: competitors\nanalyst: risks"


WORKERS = {
    "ada": ("It is large.", 3.0),
    "bob": ("There are four.", 5.0),
    "cleo": ("Few.", 11.0),
}


def describe(sim: Sim, plan: str = PLAN, workers: tuple[str, ...] = tuple(WORKERS)) -> None:
    """A planner of one second, workers of three, five and eleven, a synthesis of two."""
    sim.agent("planner", system="Decompose*", reply=plan, latency_s=1.0)
    for name in workers:
        reply, latency_s = WORKERS[name]
        sim.agent(name, system=f"*{name.title()}*", reply=reply, latency_s=latency_s)
    if workers:
        sim.agent(
            "synthesizer",
            system="Synthesize*",
            reply=lambda call: call.prompt,
            latency_s=2.0,
            allow_unused=True,
        )


def test_results_of_all_agents_reach_the_answer(sim: Sim) -> None:
    describe(sim)

    run = sim.run(main, "Should we sell umbrellas?")

    assert run.output == "It is large.\n\nThere are four.\n\nFew."
    run.assert_no_lost_results(branches_on=["planner"])


def test_work_goes_to_the_agent_of_the_role_that_has_done_least(sim: Sim) -> None:
    describe(sim, "\n".join(f"researcher: topic {number}" for number in range(4)), ("ada", "bob"))

    run = sim.run(main, "Should we sell umbrellas?")

    assert [call.agent for call in run.calls()][1:-1] == ["ada", "bob", "ada", "bob"]


def test_times_of_subtasks_are_those_of_the_virtual_clock(
    sim: Sim, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(sim)

    def program() -> list[tuple[float, str]]:
        started = datetime.now()
        orchestrator = Orchestrator()
        for name, role in (("Ada", "researcher"), ("Bob", "researcher"), ("Cleo", "analyst")):
            orchestrator.register_agent(Agent(name, role))
        subtasks: list[Subtask] = orchestrator.decompose_task("Should we sell umbrellas?")
        orchestrator.assign_work(subtasks)
        orchestrator.synthesize_results([str(subtask.result) for subtask in subtasks])
        return [
            ((subtask.finished_at - started).total_seconds(), subtask.role)
            for subtask in subtasks
            if subtask.finished_at
        ]

    run = sim.run(program)

    assert run.output == [(4.0, "researcher"), (9.0, "researcher"), (20.0, "analyst")]
    assert capsys.readouterr().out.splitlines() == [
        "[00:00:01] Ada starts: market size",
        "[00:00:04] Bob starts: competitors",
        "[00:00:09] Cleo starts: risks",
    ]


def test_agents_wait_for_one_another(sim: Sim) -> None:
    """A weakness: `assign_work` calls a blocking `work` in a loop, so latency is the sum and not the maximum."""
    describe(sim)

    run = sim.run(main, "Should we sell umbrellas?")

    assert run.latency_s == 1.0 + (3.0 + 5.0 + 11.0) + 2.0


def test_one_agent_that_fails_throws_away_all_that_was_done_before(sim: Sim) -> None:
    """A weakness: nothing is kept of a task that fails at its last part."""
    describe(sim)
    sim.fault("status", status=400, agent="cleo")

    with pytest.raises(anthropic.BadRequestError):
        sim.run(main, "Should we sell umbrellas?")

    assert sim.last_run.calls("ada")[0].reply.text == "It is large."
    sim.last_run.assert_called("synthesizer", times=0)


def test_a_planner_that_is_down_stops_everybody(sim: Sim) -> None:
    """A weakness: the orchestrator is the single point of failure."""
    describe(sim, workers=())
    sim.fault("status", status=500, agent="planner")

    with pytest.raises(anthropic.InternalServerError):
        sim.run(main, "Should we sell umbrellas?")

    assert sim.last_run.agents == ["planner"]


def test_a_role_that_the_planner_made_up_ends_the_task(sim: Sim) -> None:
    """A weakness: what the model writes is used as a key without a check."""
    describe(sim, "researcher: market size\nlawyer: permits", ("ada",))

    with pytest.raises(KeyError, match="lawyer"):
        sim.run(main, "Should we sell umbrellas?")

"""Specialists work side by side in threads: what that costs in time, and what one of them can do to the others."""

from __future__ import annotations

import anthropic
import pytest
from orchestrator import orchestrate

from harness.sim import Sim

NAMES = ("flights", "hotels", "weather")
PLAN = {"subtasks": [{"specialist": name, "task": f"Look into {name}."} for name in NAMES]}


def describe(sim: Sim, **latency_s: float) -> None:
    """A planner that takes a second, three specialists, a synthesizer that takes two seconds."""
    sim.agent("planner", system="*orchestrator*", reply=PLAN, latency_s=1.0)
    for name in NAMES:
        sim.agent(
            name, system=f"*for {name}*", reply=f"{name} found", latency_s=latency_s.get(name, 3.0)
        )
    sim.agent("synthesizer", system="*synthesizer*", reply=lambda call: call.prompt, latency_s=2.0)


def test_a_task_takes_as_long_as_its_slowest_specialist(sim: Sim) -> None:
    describe(sim, flights=2.0, hotels=7.5, weather=0.5)

    run = sim.run(orchestrate, "Plan a trip to Lisbon.")

    assert run.latency_s == 1.0 + 7.5 + 2.0
    assert [call.start_s for name in NAMES for call in run.calls(name)] == [1.0, 1.0, 1.0]
    assert run.output == "\n\n".join(f"## {name}\n{name} found" for name in NAMES)


def test_a_specialist_that_is_tried_again_holds_up_the_answer_alone(sim: Sim) -> None:
    describe(sim)
    sim.fault("overloaded", agent="hotels", attempt=1)

    run = sim.run(orchestrate, "Plan a trip to Lisbon.")

    assert [len(call.attempts) for name in NAMES for call in run.calls(name)] == [1, 2, 1]
    assert run.calls("synthesizer")[0].start_s == run.calls("hotels")[0].end_s > 4.0


@pytest.mark.sim(runs=5)
def test_a_rate_limit_is_waited_for_in_every_thread(sim: Sim) -> None:
    describe(sim)
    sim.provider("anthropic", requests_per_min=60)

    assert sim.run(orchestrate, "Plan a trip to Lisbon.").latency_s < 30


def test_a_specialist_that_fails_throws_the_others_work_away(sim: Sim) -> None:
    """A weakness, written down: `pool.map` raises the first error, when all have been waited and paid for."""
    describe(sim, weather=9.0)
    sim.fault("status", status=400, agent="flights")

    with pytest.raises(anthropic.BadRequestError):
        sim.run(orchestrate, "Plan a trip to Lisbon.")

    assert sim.last_run.latency_s == 1.0 + 9.0
    sim.last_run.assert_called("weather", times=1)

"""The recorded run, replayed: same answers, same latencies, no key; and what it would have done on a bad day."""

from pathlib import Path

import pytest
from recorded_desk import answer

from harness import Simulation
from harness.sim import Sim

QUESTION = "My lamp came broken."


@pytest.mark.sim(cassette="cassettes/broken_lamp.yaml")
@pytest.mark.latency_budget(below_s=6)
def test_the_desk_answers_as_recorded(sim: Sim) -> None:
    run = sim.run(answer, QUESTION)
    assert run.output.startswith("We are sorry that the lamp came broken.")
    assert [call.agent for call in run.calls()] == ["triage", "refunds", "shipping", "editor"]
    assert 3 < run.latency_s < 6


@pytest.mark.sim(cassette="cassettes/broken_lamp.yaml")
def test_a_slow_shipping_desk_delays_the_answer_and_nothing_else(sim: Sim) -> None:
    usual = sim.run(answer, QUESTION)
    sim.fault("latency", agent="shipping", factor=10)
    slow = sim.run(answer, QUESTION)
    assert slow.output == usual.output
    assert slow.latency_s > usual.latency_s + 5


@pytest.mark.sim(cassette="cassettes/broken_lamp.yaml")
def test_an_overloaded_provider_is_tried_again(sim: Sim) -> None:
    sim.fault("overloaded", agent="refunds", attempt=1)
    run = sim.run(answer, QUESTION)
    assert run.calls("refunds") == 1
    assert run.retries == 1


def test_the_recording_is_a_team_of_a_scenario() -> None:
    file = Path(__file__).parents[1] / "scenario.yaml"
    usual = Simulation(file).run_many(runs=1).metrics
    assert 3 < usual["latency_s_mean"] < 6
    slow = Simulation(file, overrides=["latency_factors.editor=4"]).run_many(runs=1).metrics
    assert slow["latency_s_mean"] > usual["latency_s_mean"] + 3

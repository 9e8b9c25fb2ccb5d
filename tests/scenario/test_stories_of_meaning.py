"""Published failure stories of meaning: each scenario shows the failure, and its pair what cures it."""

from __future__ import annotations

from pathlib import Path

from harness.run import Simulation

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def metrics(name: str) -> dict[str, float]:
    return Simulation(SCENARIOS / f"{name}.yaml").run_many(runs=2).metrics


def test_hallucination_is_repeated_by_three_agents_until_somebody_checks_it() -> None:
    spread, checked = metrics("hallucination_spreads"), metrics("hallucination_checked")
    assert spread["success_rate"] == checked["success_rate"] == 1.0
    assert spread["contaminated_rate"] > 0.1
    assert checked["contaminated_rate"] < 0.25 * spread["contaminated_rate"]


def test_way_of_the_hallucination_is_told_in_hops() -> None:
    result = Simulation(SCENARIOS / "hallucination_spreads.yaml").run(1)
    ways = {
        detail
        for name, agent, detail in result.events.rows("name", "agent", "detail")
        if name == "false_claim" and agent == "researcher"
    }
    way = '"way": ["researcher", "analyst", "writer", "editor"], "hops": 3, "in_output": true'
    assert ways
    assert all(way in detail for detail in ways)


def test_critic_and_writer_go_on_until_somebody_ends_it() -> None:
    for_ever, ended = metrics("critics_for_ever"), metrics("critics_with_an_end")
    assert for_ever["calls_mean"] > 15
    assert for_ever["success_rate"] < 0.5
    assert ended["calls_mean"] < 5
    assert ended["success_rate"] == 1.0


def test_agent_asks_a_failing_tool_again_until_it_is_reminded() -> None:
    looping, reminded = metrics("react_loop"), metrics("react_loop_reminded")
    assert looping["success_rate"] < 1.0 == reminded["success_rate"]
    assert reminded["calls_mean"] < looping["calls_mean"]

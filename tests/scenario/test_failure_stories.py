"""Failures that were published, as scenarios: each shows the failure, and with one change its cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.metrics import Metrics
from harness.run import Simulation

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def metrics(name: str, *changes: str, runs: int | None = None) -> Metrics:
    outcome = Simulation(SCENARIOS / f"{name}.yaml", overrides=changes).run_many(runs=runs)
    assert all(budget.passed for budget in outcome.budgets), outcome.budgets
    return outcome.metrics


def cure_in(name: str) -> str:
    """The change that a file names."""
    text = (SCENARIOS / f"{name}.yaml").read_text(encoding="utf-8")
    return text.partition("`--set ")[2].partition("`")[0].strip("'")


def test_payment_whose_reply_was_lost_is_made_twice_in_each_run_and_with_a_key_in_none() -> None:
    failure = metrics("refund_twice")
    assert (failure["effects_mean"], failure["repeated_effects"]) == (2.0, 209)
    cured = metrics("refund_twice", cure_in("refund_twice"))
    assert (cured["effects_mean"], cured["repeated_effects"]) == (1.0, 0)


@pytest.mark.parametrize(
    ("name", "most"),
    [("crashed_agent", 0.5), ("siblings_thrown_away", 0.85), ("lockstep_retries", 0.5)],
)
def test_tasks_fail_and_with_the_cure_none_does(name: str, most: float) -> None:
    assert metrics(name, runs=2)["success_rate"] <= most
    assert metrics(name, cure_in(name), runs=2)["success_rate"] == 1.0


def test_finished_siblings_are_thrown_away_and_paid_for() -> None:
    cure = cure_in("siblings_thrown_away")
    assert (
        metrics("siblings_thrown_away", runs=2)["wasted_usd"]
        > 1.5 * (metrics("siblings_thrown_away", cure, runs=2)["wasted_usd"])
    )


def test_prompt_cache_that_expires_costs_more_than_twice_as_much() -> None:
    cured = metrics("prompt_cache_expires", cure_in("prompt_cache_expires"), runs=1)
    assert metrics("prompt_cache_expires", runs=1)["cost_usd_mean"] > 2.5 * cured["cost_usd_mean"]


def test_agent_that_loops_on_an_unexpected_result_is_stopped_by_its_cap() -> None:
    failure = metrics("react_loop", runs=2)
    assert failure["success_rate"] < 0.7
    assert failure["calls_mean"] > 3

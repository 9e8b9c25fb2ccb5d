"""Failures that were told in public, as scenarios: each shows the failure, and then the policy that cures it."""

from __future__ import annotations

from tests.patterns.simulated import metrics_of, rows, simulated


def test_cap_that_counts_what_is_spent_is_exceeded_by_twenty_children_and_a_reserved_one_is_not() -> (
    None
):
    def most_usd(name: str) -> float:
        spent: dict[int, float] = {}
        attempts = rows(simulated(name), "attempt", "task", "agent", "cost_usd")
        for task, agent, cost_usd in attempts:
            if agent == "child":
                spent[task] = spent.get(task, 0.0) + cost_usd
        assert len(spent) == 20
        return max(spent.values())

    assert most_usd("spending_cap") > 0.38
    assert most_usd("spending_cap_reserved") <= 0.30
    assert metrics_of(simulated("spending_cap_reserved"))["success_rate"] == 1.0


def test_agents_that_retry_in_lockstep_fail_and_a_bucket_with_jitter_lets_all_through() -> None:
    failing, cured = simulated("lockstep"), simulated("lockstep_bucket")
    assert metrics_of(failing)["success_rate"] == 0.0
    refused = [at_s for at_s, error in rows(failing, "attempt", "end_s", "error") if error]
    assert len(set(refused)) < len(refused) / 8  # they come together
    assert metrics_of(cured)["success_rate"] == 1.0
    assert metrics_of(cured)["rate_limited"] == 0


def test_failure_of_a_worker_is_missing_from_the_synthesis_until_somebody_looks_for_it() -> None:
    failing, cured = metrics_of(simulated("silent_gap")), metrics_of(simulated("silent_gap_filled"))
    assert failing["success_rate"] == cured["success_rate"] == 1.0
    assert failing["quality_mean"] < 0.9
    assert cured["quality_mean"] == 1.0


def test_critics_that_revise_for_ever_are_ended_by_a_budget_and_a_person() -> None:
    failing, cured = metrics_of(simulated("critics")), metrics_of(simulated("critics_budget"))
    assert (failing["success_rate"], failing["attempts_mean"]) == (
        0.0,
        21,
    )  # until it is noticed that the messages repeat
    assert (cured["success_rate"], cured["attempts_mean"]) == (1.0, 7)
    assert cured["escalations"] == 5
    assert cured["cost_usd_mean"] < failing["cost_usd_mean"] / 2

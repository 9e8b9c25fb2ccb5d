"""`pass_k`: the probability that k independent runs of a task all succeed."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path
from unittest.mock import Mock

import pytest

from harness.gate import gate, limits_of
from harness.gate.comparison import compared
from harness.gate.samples import Sample, Samples
from harness.metrics.reliability import pass_k, pass_k_by_run, pass_k_of, successes_of
from harness.run import Results, Simulation
from harness.run.record import record
from harness.store import Store, aggregates

FAILED = [[3, 5], [3], [3, 7, 8], [], [5], [3], [8], []]
TASKS = [10] * len(FAILED)


def by_hand(tasks: int, failed: list[list[int]], k: int) -> float:
    """Of all choices of k runs the share in which a task always succeeds, mean over the tasks."""
    chosen = list(combinations(failed, k))
    shares = [
        sum(all(task not in it for it in some) for some in chosen) / len(chosen)
        for task in range(1, tasks + 1)
    ]
    return sum(shares) / tasks


@pytest.mark.parametrize("k", [1, 2, 4, 8])
def test_estimator_is_the_share_of_all_choices_of_k_runs(k: int) -> None:
    found = pass_k(successes_of(10, FAILED), len(FAILED), k)
    assert found == pytest.approx(by_hand(10, FAILED, k))


def test_one_run_and_runs_with_other_tasks_measure_nothing() -> None:
    assert math.isnan(pass_k_of([10], [[3]]))
    assert math.isnan(pass_k_of([10, 9], [[], []]))
    assert math.isnan(pass_k_of([0, 0], [[], []]))
    assert pass_k_of([10, 10], [[3], []]) == pytest.approx(0.9)
    assert pass_k_by_run([10, 10], [[3], []]) == []


def test_contributions_of_runs_have_the_metric_as_their_mean() -> None:
    found = pass_k_by_run(TASKS, FAILED)
    assert len(found) == len(FAILED)
    assert sum(found) / len(found) == pytest.approx(pass_k_of(TASKS, FAILED))
    assert pass_k_of(TASKS, FAILED) == pytest.approx(by_hand(10, FAILED, 4))


@pytest.mark.parametrize("failed", [FAILED, [[3], [3, 4], [3], [3, 5]], [[], [], []]])
def test_contribution_of_a_run_is_what_leaving_it_out_changes(failed: list[list[int]]) -> None:
    runs, k = len(failed), min(4, len(failed) - 1)
    whole = pass_k(successes_of(10, failed), runs, k)
    without = [failed[:run] + failed[run + 1 :] for run in range(runs)]
    assert pass_k_by_run([10] * runs, failed) == [
        runs * whole - (runs - 1) * pass_k(successes_of(10, others), runs - 1, k)
        for others in without
    ]


def test_contributions_of_ten_thousand_runs_are_counted_and_not_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = Mock(wraps=math.comb)
    monkeypatch.setattr("harness.metrics.reliability.math.comb", asked)
    failed = [[run % 7] if run % 3 == 0 else [] for run in range(10_000)]
    assert len(pass_k_by_run([10] * 10_000, failed)) == 10_000
    assert asked.call_count < 1_000


UNSURE = {
    "scenario": "unsure",
    "runs": 6,
    "workload": {"tasks": 20, "warmup_tasks": 2, "arrivals": {"every_s": 10}},
    "models": {"fast": {"provider": "here", "name": "m", "latency": {"ttft_s": 0.5, "itl_s": 0.01}, "prices": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 5}}},
    "providers": {"here": {}},
    "agents": {"ant": {"model": "fast", "output_tokens": 50}},
    "pattern": {"single": {"agent": "ant"}},
    "faults": [{"status": {"agent": "ant", "status": 400, "probability": 0.2}}],
    "budgets": {"pass_k": {"at_least": 0.9}},
}  # fmt: skip


def test_metric_stands_beside_the_success_rate_of_several_runs(tmp_path: Path) -> None:
    simulation = Simulation.from_spec(UNSURE)
    results = Results(simulation.scenario)
    made = [simulation.run(seed) for seed in range(1, 7)]
    for result in made:
        results.add(result)
    outcome = results.outcome()
    failed = [it.tally.failed for it in made]
    assert all(task > 2 for one in failed for task in one)
    assert outcome.metrics["pass_k"] == pytest.approx(pass_k_of([18] * 6, failed))
    assert outcome.metrics["pass_k"] < outcome.metrics["success_rate"]
    (budget,) = outcome.budgets
    assert (budget.metric, budget.value, budget.passed) == (
        "pass_k",
        outcome.metrics["pass_k"],
        False,
    )
    store = Store(tmp_path / "runs.duckdb")
    run_ids = store.write([record(simulation.scenario, it) for it in made])
    assert aggregates.totals(store, run_ids)["pass_k"] == pytest.approx(outcome.metrics["pass_k"])
    assert "pass_k" not in aggregates.totals(store, run_ids[:1])


def test_metric_is_absent_of_one_run() -> None:
    simulation = Simulation.from_spec({**UNSURE, "runs": 1})
    results = Results(simulation.scenario)
    results.add(simulation.run(1))
    outcome = results.outcome()
    assert "pass_k" not in outcome.metrics
    assert outcome.metrics["success_rate"] < 1
    assert [it.passed for it in outcome.budgets] == [False]


def side(failed: list[list[int]]) -> Samples:
    return Samples(
        scenario="x",
        scenario_hash="abc",
        harness_version="1",
        runs=tuple(
            Sample(
                seed=seed, metrics={"success_rate": 1 - len(it) / 50}, tasks=50, failed=tuple(it)
            )
            for seed, it in enumerate(failed)
        ),
    )


def test_gate_compares_reliability_of_tasks() -> None:
    """As many tasks fail; before always the same two, after always others: tasks became less reliable."""
    same = side([[1, 2]] * 16)
    scattered = side([[2 * n + 1, 2 * n + 2] for n in range(16)])
    found = compared(same, scattered, "pass_k")
    assert found.base == pytest.approx(48 / 50)
    assert found.candidate == pytest.approx((18 + 32 * 0.75) / 50)
    result = gate(same, scattered, limits_of(options=["pass_k=5pt"]))
    by_metric = {it.limit.metric: it.status for it in result.metrics}
    assert by_metric["pass_k"] == "regressed"
    assert by_metric["success_rate"] != "regressed"
    few = compared(same.only([0, 1]), scattered.only([0, 1]), "pass_k")
    assert (few.base, few.candidate) == (None, None)

"""Where the numbers of a side come from: runs, records, a store; and that the gate is right about a real scenario."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import HarnessError, StoreError
from harness.gate import (
    GateResult,
    Samples,
    SimulatedSide,
    gate,
    limits_of,
    read_baseline,
    recorded,
    save_baseline,
    stored,
)
from harness.gate.samples import workload_hash
from harness.metrics import summarise
from harness.run import RunResult, simulate
from harness.run.record import record
from harness.scenario import LoadedScenario, load_scenario
from harness.store import Store

HOUSE = Path(__file__).parents[2]
REVIEW = HOUSE / "scenarios" / "code_review.yaml"
FEW = "workload.tasks=20"

RETRIED = "faults=[{overloaded: {agent: tests, probability: 0.4}}]"
FAILING = "faults=[{overloaded: {probability: 0.6}}]"


def load(*overrides: str) -> LoadedScenario:
    return load_scenario(REVIEW, overrides=[FEW, *overrides])


def against_main(*overrides: str) -> GateResult:
    candidate = SimulatedSide(load(*overrides))
    return gate(
        SimulatedSide(load()), candidate, limits_of(load().spec.gate), budgets=candidate.budgets
    )


def statuses(result: GateResult) -> dict[str, str]:
    return {it.limit.metric: it.status for it in result.metrics}


def test_side_holds_the_metrics_of_each_run_and_where_they_come_from() -> None:
    scenario = load(FAILING)
    side = SimulatedSide(scenario, label="now")
    samples = side([3, 5])
    result = simulate(scenario, 5)
    metrics, _ = summarise([result.tally])
    assert samples.seeds == (3, 5)
    assert samples.runs[1].metrics == metrics
    assert (samples.scenario, samples.scenario_hash) == ("code-review", scenario.digest)
    assert (samples.engine, samples.label) == ("simulated", "now")
    assert samples.prices_as_of == "2026-11-01"
    for one in samples.runs:
        assert one.tasks == 20
        assert one.metrics["success_rate"] == pytest.approx(1 - len(one.failed) / 20)
    assert any(one.failed for one in samples.runs)


def test_processes_change_no_number() -> None:
    assert SimulatedSide(load(), jobs=2)(range(1, 5)) == SimulatedSide(load())(range(1, 5))


def test_every_run_is_told_of_and_counts_for_the_budgets() -> None:
    told: list[RunResult] = []
    side = SimulatedSide(load(), on_run=told.append)
    side([1, 2])
    side([3])
    assert [it.seed for it in told] == [1, 2, 3]
    assert [it.metric for it in side.budgets()] == [
        "latency_s_p95",
        "cost_usd_mean",
        "success_rate",
    ]
    assert side.results.outcome().runs == 3


def test_warm_up_is_in_no_number() -> None:
    (one,) = SimulatedSide(load("workload.warmup_tasks=8", FAILING))([1]).runs
    assert one.tasks == 12
    assert min(one.failed, default=99) > 8


def test_records_and_store_give_the_same_values_as_the_runs(tmp_path: Path) -> None:
    scenario = load(FAILING)
    runs = SimulatedSide(scenario)([1, 2, 3])
    records = [record(scenario, simulate(scenario, seed)) for seed in (1, 2, 3)]
    store = Store(tmp_path / "runs.duckdb")
    run_ids = store.write(records)
    assert recorded(records).runs == runs.runs
    again = stored(store, run_ids, label="yesterday")
    assert again.runs == runs.runs
    assert (again.scenario_hash, again.label) == (scenario.digest, "yesterday")
    assert gate(runs, again, limits_of()).verdict == "pass"


def test_run_that_was_stored_twice_counts_once(tmp_path: Path) -> None:
    scenario = load()
    store = Store(tmp_path / "runs.duckdb")
    one = record(scenario, simulate(scenario, 1))
    assert stored(store, [*store.write([one]), *store.write([one])]).seeds == (1,)


def test_side_without_runs_or_of_two_versions_is_told(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs.duckdb")
    run_ids = store.write([record(it, simulate(it, 1)) for it in (load(), load(RETRIED))])
    with pytest.raises(HarnessError, match="main holds runs of several scenarios or versions"):
        stored(store, run_ids, label="main")
    with pytest.raises(HarnessError, match="this side holds no runs"):
        stored(store, [])
    with pytest.raises(HarnessError, match="this side holds no runs"):
        recorded([])
    with pytest.raises(StoreError, match="there is no run 99"):
        stored(store, [99])


def test_workload_is_what_comes_and_when_and_not_what_works_on_it(tmp_path: Path) -> None:
    same = ("models.fast.latency.factor=2", "workload.kinds=[{input_tokens: 9}]", "runs=3")
    other = ("workload.tasks=21", "workload.arrivals={every_s: 5}", "workload.warmup_tasks=1", "horizon_s=5")  # fmt: skip
    for change in same:
        assert workload_hash(load(change)) == workload_hash(load())
    for change in other:
        assert workload_hash(load(change)) != workload_hash(load())
    trace = HOUSE / "scenarios" / "azure_code_trace.yaml"
    elsewhere = tmp_path / "scenarios"
    elsewhere.mkdir()
    for file in (trace, *(trace.parent / "data").iterdir()):
        copy = elsewhere / file.relative_to(trace.parent)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(file.read_bytes())
    assert workload_hash(load_scenario(elsewhere / trace.name)) == workload_hash(
        load_scenario(trace)
    )


@pytest.mark.parametrize(
    "change",
    [
        "description=Another text",
        "agents.another={model: fast, output_tokens: 10}",
        "gate={latency_s_p95: {percent: 3}}",
    ],
)
def test_change_that_changes_nothing_is_identical_in_every_metric(change: str) -> None:
    result = against_main(change)
    assert set(statuses(result).values()) == {"identical"}
    assert {it.change.method for it in result.explored} == {"identical"}
    assert (result.exit_code, len(result.candidate.runs)) == (0, 8)


def test_slower_model_fails_with_the_share_by_which_it_is_slower() -> None:
    result = against_main("models.fast.latency.factor=1.3")
    assert statuses(result)["latency_s_p95"] == statuses(result)["latency_s_mean"] == "regressed"
    change = result.metrics[0].comparison.change
    assert change is not None
    assert change.low < 0.3 < change.high + 0.01
    assert result.exit_code == 1


def test_dearer_model_fails_by_an_exact_change_and_in_nothing_else() -> None:
    result = against_main("models.fast.prices={input_usd_per_mtok: 1.02, output_usd_per_mtok: 5.1}")
    assert statuses(result) == {
        "latency_s_mean": "identical", "latency_s_p95": "identical", "cost_usd_mean": "regressed",
        "success_rate": "identical",
    }  # fmt: skip
    assert result.metrics[2].comparison.change is not None
    assert result.metrics[2].comparison.change.method == "exact"
    assert result.metrics[2].comparison.change.value == pytest.approx(0.02)


def test_agent_that_answers_half_of_the_time_fails_in_success() -> None:
    result = against_main(
        "pattern.orchestrator_worker.on_failure=fail",
        "policies.default={timeout_s: 60}",
        "faults=[{overloaded: {agent: tests, probability: 0.5}}]",
    )
    assert statuses(result)["success_rate"] == "regressed"


def test_saved_baseline_gives_the_verdict_of_runs_made_now(tmp_path: Path) -> None:
    file = tmp_path / "review.json"
    limits = limits_of()
    save_baseline(file, SimulatedSide(load())(range(1, 9)), metrics=[it.metric for it in limits])
    slower = SimulatedSide(load("models.fast.latency.factor=1.3"))
    from_file = gate(read_baseline(file), slower, limits)
    now = against_main("models.fast.latency.factor=1.3")
    assert from_file.metrics == now.metrics
    assert gate(read_baseline(file), SimulatedSide(load()), limits).verdict == "pass"


def test_baseline_of_another_scenario_or_workload_is_not_comparable(tmp_path: Path) -> None:
    file = tmp_path / "review.json"
    save_baseline(file, SimulatedSide(load())([1, 2]), metrics=["latency_s_p95"])
    for change, why in (
        ("scenario=other", "other scenario"),
        ("workload.tasks=21", "other workload"),
    ):
        result = gate(read_baseline(file), SimulatedSide(load(change)), limits_of())
        assert why in result.metrics[0].reason
        assert result.exit_code == 3


def test_side_that_repeats_a_seed_is_an_error() -> None:
    samples: Samples = SimulatedSide(load())([1])
    with pytest.raises(HarnessError, match="a seed occurs twice"):
        samples.joined(samples)


def test_scipy_is_loaded_with_the_first_interval_and_not_before() -> None:
    program = (
        "import sys, harness.gate, harness.gate.output; "
        "assert not {'scipy', 'duckdb', 'numpy'} & set(sys.modules), 'loaded early'"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=HOUSE)


def test_runs_in_real_time_are_all_kept_whatever_their_seed(tmp_path: Path) -> None:
    scenario, store = load(), Store(tmp_path / "runs.duckdb")
    run_ids = store.write([record(scenario, simulate(scenario, 1)) for _ in range(3)])
    assert len(stored(store, run_ids).runs) == 1
    assert len(stored(store, run_ids, engine="wall clock").runs) == 3


def test_engine_is_that_of_the_stored_runs_and_live_runs_stay_apart(tmp_path: Path) -> None:
    scenario, store = load(), Store(tmp_path / "runs.duckdb")
    one = record(scenario, simulate(scenario, 1))
    live, replayed = replace(one, engine="live", seed=2), replace(one, engine="replayed", seed=3)
    run_ids = store.write([one, live, replayed])
    assert [stored(store, [run_id]).engine for run_id in run_ids] == [
        "simulated",
        "live",
        "replayed",
    ]
    assert stored(store, [run_ids[0], run_ids[2]]).engine == "replayed"
    assert recorded([one, replayed]).engine == "replayed"
    with pytest.raises(HarnessError, match="holds simulated and live runs"):
        stored(store, run_ids[:2])
    result = gate(stored(store, run_ids[:1]), stored(store, run_ids[1:2]), limits_of())
    assert {it.status for it in result.metrics} == {"not comparable"}
    assert "other engine: simulated against live" in result.metrics[0].reason
    again = stored(store, store.write([replace(one, engine="replayed")]))
    noted = gate(stored(store, run_ids[:1]), again, limits_of())
    assert any("The replies of one side are recorded" in note for note in noted.notes)
    assert noted.metrics[0].status != "not comparable"

"""The numbers that SQL gives are those that the metrics give, run by run and together."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.metrics import METRICS
from harness.run import Outcome, Results, simulate_many
from harness.run.record import record
from harness.scenario import load_scenario
from harness.store import Store, aggregates

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))


def stored(file: Path, store: Store, runs: int) -> tuple[Outcome, list[int]]:
    scenario = load_scenario(file)
    results = Results(scenario)
    records = []
    for result in simulate_many(scenario, scenario.spec.seeds(runs=runs, first=None)):
        results.add(result)
        records.append(record(scenario, result))
    return results.outcome(), store.write(records)


@pytest.mark.parametrize(
    "file", [it for it in SCENARIOS if "azure" not in it.name], ids=lambda it: it.stem
)
def test_totals_and_agents_are_those_of_the_metrics(file: Path, store: Store) -> None:
    outcome, run_ids = stored(file, store, 3)
    assert aggregates.totals(store, run_ids) == pytest.approx(outcome.metrics, rel=1e-9)
    found = aggregates.agents(store, run_ids)
    assert sorted(row["agent"] for row in found) == sorted(outcome.agents)
    for row in found:
        mine = outcome.agents[row["agent"]]
        if not row["calls"]:
            assert mine["calls_mean"] == 0
            continue
        assert {name: row[name] for name in mine} == pytest.approx(mine, rel=1e-9)


def test_customers_are_those_of_the_metrics(store: Store) -> None:
    file = next(it for it in SCENARIOS if it.stem == "router")
    outcome, run_ids = stored(file, store, 3)
    found = aggregates.customers(store, run_ids)
    assert list(found) == ["acme"]
    assert found["acme"] == pytest.approx(outcome.customers["acme"], rel=1e-9)
    assert aggregates.customers(store, [stored(SCENARIOS[0], store, 1)[1][0]]) == {}


def test_totals_of_one_run_are_its_own_metrics(store: Store) -> None:
    outcome, run_ids = stored(SCENARIOS[-1], store, 1)
    assert aggregates.totals(store, run_ids) == pytest.approx(outcome.metrics, rel=1e-9)
    assert set(outcome.metrics) <= set(METRICS)


def test_runs_that_are_not_there_are_named(store: Store) -> None:
    stored(SCENARIOS[-1], store, 1)
    with pytest.raises(StoreError, match="there is no run 2 "):
        aggregates.totals(store, [1, 2])

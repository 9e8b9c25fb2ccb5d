"""Metrics of policies: counted from events, and the same in a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.metrics import summarise
from harness.run import Simulation
from harness.run.record import record
from harness.store import Store, aggregates
from tests.resilience.team import spec

NAMES = ("escalations", "hedges", "cache_hits", "budget_refusals", "breaker_open_s")

CASES: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
    "hedges": ({"hedge": {"after_s": 0.5}}, {"hedges": 6}),
    "cache, never hit": ({"cache": {}}, {"cache_hits": 0}),
    "budget": ({"budget": {"calls": 4, "per": "run"}}, {"budget_refusals": 4}),
    "escalations, and a circuit that stays open": (
        {"circuit_breaker": {"failures": 3, "open_s": 1000}, "escalate": {}},
        {"escalations": 6, "breaker_open_s": 2380.0},
    ),
    "circuit that is tried": (
        {"circuit_breaker": {"failures": 1, "open_s": 15}},
        {"breaker_open_s": 69.8},
    ),
    "nothing": ({}, {}),
}


@pytest.mark.parametrize("name", CASES)
def test_metrics_of_policies_are_counted_and_the_same_in_a_store(name: str, tmp_path: Path) -> None:
    """Eight tasks, one every ten seconds, of which the first two are warm-up."""
    policies, expected = CASES[name]
    faults: list[dict[str, Any]] = [{"overloaded": {}}] if "circuit_breaker" in policies else []
    tasks = {"tasks": 8, "warmup_tasks": 2, "arrivals": {"every_s": 10}}
    simulation = Simulation.from_spec(spec(policies, tasks=tasks, faults=faults))
    result = simulation.run(1)
    whole, _ = summarise([result.tally])
    found = {name: value for name, value in whole.items() if name in NAMES}
    assert found == pytest.approx(expected)
    store = Store(tmp_path / "runs.duckdb")
    kept = aggregates.totals(store, store.write([record(simulation.scenario, result)]))
    assert {name: kept[name] for name in NAMES if name in kept} == pytest.approx(found)

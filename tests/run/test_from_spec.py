"""A scenario is a file or a mapping, and what travels home of its runs is what somebody wants of them."""

from __future__ import annotations

import operator
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import ScenarioError, Simulation, Store
from harness.metrics import RunTally
from harness.run import RunResult, processes
from harness.run.one import replay_command
from harness.spans import as_json_lines
from harness.store.queries import runs

HOUSE = Path(__file__).parents[2]
FILES = ["scenarios/queue.yaml", "scenarios/tool_agent.yaml", "scenarios/azure_code_trace.yaml"]


def spec_of(file: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((HOUSE / file).read_text(encoding="utf-8"))
    return read


def small() -> dict[str, Any]:
    return {
        "scenario": "small",
        "runs": 4,
        "workload": {"tasks": 500, "arrivals": {"every_s": 5}},
        "providers": {"p": {}},
        "models": {"m": {"provider": "p", "name": "claude-haiku-4-5"}},
        "agents": {"writer": {"model": "m"}},
        "pattern": {"single": {"agent": "writer"}},
    }


@pytest.mark.parametrize("file", FILES)
def test_a_mapping_means_what_the_file_means(file: str) -> None:
    shorter = ["workload.tasks=5", "workload.warmup_tasks=0"]
    path = HOUSE / file
    of_file = Simulation(path, overrides=shorter).run(2)
    of_spec = Simulation.from_spec(spec_of(file), folder=path.parent, overrides=shorter).run(2)
    assert as_json_lines(of_spec.spans) == as_json_lines(of_file.spans)


def test_a_mapping_is_copied() -> None:
    spec = small()
    simulation = Simulation.from_spec(spec)
    spec["workload"]["tasks"] = 1
    assert simulation.scenario.spec.workload.tasks == 500


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("agents.writer.model", "n", "agents.writer.model"),
        ("workload.tasks", 0, "workload.tasks"),
        ("workload.tasks", 1.5, "workload.tasks"),
        ("horizon_s", float("nan"), "horizon_s"),
        ("horizon_s", 1e300, "horizon_s"),
        ("description", b"bytes", "description"),
        ("agents.writer.stub", Path("x.yaml"), "agents.writer.stub"),
        ("faults", [{"hangs": {}}], "faults[0]"),
        ("providers", {1: {}}, "providers"),
        ("no_such", 1, "unknown key 'no_such'"),
    ],
)
def test_what_is_wrong_is_named_by_its_place_in_the_mapping(
    path: str, value: object, says: str
) -> None:
    spec = small()
    *around, last = path.split(".")
    part = spec
    for step in around:
        part = part[step]
    part[last] = value
    with pytest.raises(ScenarioError) as caught:
        Simulation.from_spec(spec)
    assert str(caught.value).startswith(f"<spec>: {says}")


def test_a_mean_of_an_agent_that_is_too_large_is_told_once_where_it_stands() -> None:
    spec = small()
    spec["agents"]["writer"]["output_tokens"] = {"lognormal": {"median": 10**15, "sigma": 5}}
    with pytest.raises(ScenarioError) as caught:
        Simulation.from_spec(spec)
    assert str(caught.value) == (
        "<spec>: agents.writer.output_tokens: the mean of this distribution is above 1e+15"
    )


def test_a_mapping_that_holds_itself_is_refused() -> None:
    spec = small()
    spec["agents"]["writer"]["system"] = spec
    with pytest.raises(ScenarioError, match="nested"):
        Simulation.from_spec(spec)


def test_the_way_to_repeat_a_run_of_a_mapping_is_python() -> None:
    assert "from_spec(...).run(3)" in replay_command(Simulation.from_spec(small()).scenario, 3)


def test_only_the_tallies_of_runs_travel_home_from_other_processes() -> None:
    simulation = Simulation.from_spec(small())
    here = simulation.run_many(reduce=operator.attrgetter("tally"))
    with processes(2) as executor:
        tallies = simulation.run_many(
            executor=executor, jobs=2, reduce=operator.attrgetter("tally")
        )
        outcome = simulation.run_many(executor=executor, jobs=2)
    assert tallies == here
    assert all(isinstance(tally, RunTally) for tally in tallies)
    assert outcome == simulation.run_many()


def test_what_travels_is_small() -> None:
    simulation = Simulation.from_spec(small())
    result = simulation.run()
    assert len(pickle.dumps(simulation.scenario)) < 5_000
    assert len(pickle.dumps(result.without_spans())) < len(pickle.dumps(result)) / 5
    assert result.without_spans().tally == result.tally


def seed_of(result: RunResult) -> int:
    return result.seed


def test_runs_are_stored_as_they_come(tmp_path: Path) -> None:
    simulation = Simulation.from_spec(small(), overrides=["workload.tasks=5"])
    file = tmp_path / "runs.duckdb"
    outcome = simulation.run_many(store=file)
    with ThreadPoolExecutor(1) as executor:
        seeds = simulation.run_many(2, store=Store(file), executor=executor, reduce=seed_of)
    assert outcome == simulation.run_many()
    assert seeds == [1, 2]
    assert sorted(row["seed"] for row in runs(Store(file))) == [1, 1, 2, 2, 3, 4]

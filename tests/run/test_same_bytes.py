"""One seed, one execution: the same bytes of spans and events wherever and however often a run is made."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.run import RunResult, Simulation, processes, simulate_many
from harness.spans import as_json_lines

HOUSE = Path(__file__).parents[2]
SCENARIOS = sorted((HOUSE / "scenarios").glob("*.yaml"))
BUSY = HOUSE / "scenarios" / "code_review.yaml"

PROGRAM = """
import sys
from harness.run import Simulation
from harness.spans import as_json_lines
for file in sys.argv[2:]:
    result = Simulation(file).run(int(sys.argv[1]))
    sys.stdout.write(as_json_lines(result.spans) + as_json_lines(result.events))
"""


def written(result: RunResult) -> str:
    return as_json_lines(result.spans) + as_json_lines(result.events)


def written_by(python: str, files: list[Path], *, seed: int, hash_seed: str) -> str:
    """What another process writes of one run of each file."""
    done = subprocess.run(
        [python, "-c", PROGRAM, str(seed), *map(str, files)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(HOUSE)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_run_is_the_same_when_it_is_made_again(file: Path) -> None:
    simulation = Simulation(file)
    first = written(simulation.run(5))
    assert first == written(simulation.run(5))
    assert first == written(Simulation(file).run(5))  # read anew
    assert len(first) > 1000


@pytest.mark.parametrize(
    "file",
    [file for file in SCENARIOS if file.stem != "azure_code_trace"],
    ids=lambda file: file.stem,
)
def test_another_seed_is_another_run(file: Path) -> None:
    simulation = Simulation(file)
    assert len({written(simulation.run(seed)) for seed in range(1, 5)}) == 4


def test_run_is_the_same_after_other_runs() -> None:
    """Nothing of a run is left behind in the process: no counter, no cache, no set."""
    simulation = Simulation(BUSY)
    first = written(simulation.run(1))
    for seed in (2, 3):
        simulation.run(seed)
    Simulation(SCENARIOS[-1]).run(1)
    assert written(simulation.run(1)) == first


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_run_is_the_same_in_a_process_that_hashes_otherwise(hash_seed: str) -> None:
    here = "".join(written(Simulation(file).run(3)) for file in SCENARIOS)
    assert written_by(sys.executable, SCENARIOS, seed=3, hash_seed=hash_seed) == here


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_runs_are_the_same_in_any_number_of_processes_and_in_the_order_of_seeds(jobs: int) -> None:
    simulation = Simulation(BUSY)
    seeds = range(1, 12)
    alone = [written(simulation.run(seed)) for seed in seeds]
    with processes(jobs) as executor:
        results = list(simulate_many(simulation.scenario, seeds, executor=executor, jobs=jobs))
    assert [result.seed for result in results] == list(seeds)
    assert [written(result) for result in results] == alone
    assert [result.tally for result in results] == [simulation.run(seed).tally for seed in seeds]


def test_runs_are_the_same_in_a_thread() -> None:
    simulation = Simulation(BUSY)
    with ThreadPoolExecutor(1) as executor:
        results = list(simulate_many(simulation.scenario, range(1, 4), executor=executor))
    assert [written(result) for result in results] == [
        written(simulation.run(seed)) for seed in range(1, 4)
    ]


def test_numbers_of_many_runs_are_the_same_however_they_were_made() -> None:
    simulation = Simulation(BUSY)
    here = simulation.run_many(5)
    with processes(2) as executor:
        there = simulation.run_many(5, executor=executor, jobs=2)
    assert there == here


OTHER_PYTHONS = [path for path in os.environ.get("HARNESS_OTHER_PYTHONS", "").split(":") if path]


@pytest.mark.skipif(not OTHER_PYTHONS, reason="HARNESS_OTHER_PYTHONS names no other Python")
@pytest.mark.parametrize("python", OTHER_PYTHONS)
def test_run_is_the_same_on_another_python(python: str) -> None:
    """The variable holds paths of interpreters with the dependencies of harness, separated by colons."""
    here = "".join(written(Simulation(file).run(3)) for file in SCENARIOS)
    assert written_by(python, SCENARIOS, seed=3, hash_seed="1") == here

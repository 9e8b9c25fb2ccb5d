"""Numbers of runs, seeds and jobs from Python are checked where they come in."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import HarnessError, Simulation

SCENARIO = Path(__file__).parents[2] / "scenarios" / "code_review_single.yaml"


@pytest.mark.parametrize("runs", [0, -1, True, 1.5, "2", [1]])
def test_a_number_of_runs_that_is_none_is_refused(runs: int) -> None:
    with pytest.raises(HarnessError, match="runs: a whole number from 1"):
        Simulation(SCENARIO).run_many(runs)


@pytest.mark.parametrize("jobs", [0, -1, None, "2"])
def test_a_number_of_jobs_that_is_none_is_refused(jobs: int) -> None:
    with pytest.raises(HarnessError, match="jobs: a whole number from 1"):
        Simulation(SCENARIO).run_many(1, jobs=jobs)


@pytest.mark.parametrize("seed", [-1, 1.0, "a", True, 10**16])
def test_a_seed_that_is_none_is_refused(seed: int) -> None:
    simulation = Simulation(SCENARIO)
    with pytest.raises(HarnessError, match="the seed"):
        simulation.run(seed)
    with pytest.raises(HarnessError, match="the seed"):
        simulation.run_many(1, seed=seed)

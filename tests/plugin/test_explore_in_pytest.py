"""`sim.explore` in a test: the budget and the token of the command line, the marker, and the folder of cases."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

Project = Callable[..., pytest.RunResult]

TEST = """
import threading

def lost_update():
    lock, counter = threading.Lock(), [0]

    def work():
        with lock:
            read = counter[0]
        with lock:
            counter[0] = read + 1

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter == [2], "an update was lost"

def test_it(sim):
    found = sim.explore(lost_update)
    print("RUNS", found.runs, found.coverage.cut_at)
    found.assert_none()
"""


def test_a_finding_fails_the_test_and_its_token_replays_it(
    project: Project, tmp_path: Path
) -> None:
    cases = tmp_path / "cases"
    result = project(TEST, "-s", "--sim-explore-budget", "30", "--sim-explore-cases", str(cases))
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "an update was lost" in text
    assert len(list(cases.glob("*.yaml"))) == 1
    token = re.search(r"x1\.[\w-]+", text)
    assert token is not None
    again = project(TEST, "-s", "--sim-replay", token[0])
    again.assert_outcomes(failed=1)
    assert "RUNS 3 a replay" in again.stdout.str()


def test_the_budget_of_the_command_line_comes_before_that_of_the_marker(project: Project) -> None:
    harmless = """
@pytest.mark.sim_explore(runs=4)
def test_it(sim):
    found = sim.explore(trip, faults=[])
    print("RUNS", found.runs)
"""
    assert "RUNS 4" in project(harmless, "-s").stdout.str()
    assert "RUNS 3" in project(harmless, "-s", "--sim-explore-budget", "3").stdout.str()


@pytest.mark.parametrize("wrong", ["many", "0", "5m"])
def test_a_wrong_budget_is_told(project: Project, wrong: str) -> None:
    result = project(TEST, "--sim-explore-budget", wrong)
    assert "--sim-explore-budget: a number of runs" in result.stdout.str() + result.stderr.str()

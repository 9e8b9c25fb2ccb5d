"""How far the runs of a test may go: in the ini file, on the marker, and in the call."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Project = Callable[..., pytest.RunResult]

SHOW = """
def test_it(sim):
    sim.run(ask("a trip"))
    print("\\nbounds", sim.horizon_s, sim.calls_per_task)
"""


@pytest.mark.parametrize(
    ("marker", "options", "bounds"),
    [
        ("", [], "604800.0 10000"),
        ("horizon_s=60, calls_per_task=3", [], "60.0 3"),
        ("", ["-o", "sim_horizon_s=90", "-o", "sim_calls_per_task=7"], "90.0 7"),
        ("calls_per_task=3", ["-o", "sim_calls_per_task=7"], "604800.0 3"),
    ],
)
def test_marker_is_stronger_than_the_ini_file(
    project: Project, marker: str, options: list[str], bounds: str
) -> None:
    result = project(f"@pytest.mark.sim({marker}){SHOW}", "-s", *options)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"bounds {bounds}"])


def test_run_that_passes_its_bound_fails_the_test(project: Project) -> None:
    test = """
@pytest.mark.sim(calls_per_task=3)
async def test_it(sim):
    while True:
        await ask("a trip")
"""
    result = project(test)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*calls_per_task exceeded: more than 3", "*repeated 3 times*"])


def test_wrong_number_in_the_ini_file_is_told(project: Project) -> None:
    result = project(SHOW, "-o", "sim_calls_per_task=many")
    result.stdout.fnmatch_lines(["*sim_calls_per_task: a number is wanted, not 'many'*"])

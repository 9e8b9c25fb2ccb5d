"""The markers `latency_budget` and `cost_budget`: every run of a test keeps them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Project = Callable[..., pytest.RunResult]


def trip(*markers: str, latency_s: object = 2.0, tokens: int = 100) -> str:
    marks = "\n".join(f"@pytest.mark.{marker}" for marker in markers)
    return f"""
{marks}
def test_trip(sim):
    sim.agent("planner", latency_s={latency_s}, output_tokens={tokens})
    sim.run(ask("a trip"))
"""


def test_run_within_its_budgets_passes(project: Project) -> None:
    tests = trip("latency_budget(below_s=2.1)", "cost_budget(below_usd=0.05)")
    project(tests).assert_outcomes(passed=1)


def test_run_that_takes_too_long_fails_with_what_happened(project: Project) -> None:
    result = project(trip("latency_budget(below_s=2)"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "the run took 2 s, which is not below 2 s",
            "The last calls:",
            "*call 1 of planner*",
            "To replay: pytest test_it.py::test_trip --sim-seed 1",
            "E*AssertionError: the run took 2 s, which is not below 2 s",
        ]
    )
    assert result.stdout.str().count("call 1 of planner") == 1


def test_run_that_costs_too_much_fails(project: Project) -> None:
    result = project(trip("cost_budget(below_usd=0.001)"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*AssertionError: the run cost $*, which is not below $0.00100"])


def test_async_test_keeps_its_budget_too(project: Project) -> None:
    tests = """
@pytest.mark.latency_budget(below_s=1)
async def test_it(sim):
    sim.agent("planner", latency_s=2.0)
    await ask("a trip")
"""
    project(tests).assert_outcomes(failed=1)


def test_every_seed_and_every_run_must_keep_it(project: Project) -> None:
    seeds = trip("latency_budget(below_s=3)", "sim(runs=4)", latency_s="float(sim.seed)")
    project(seeds).assert_outcomes(passed=2, failed=2)
    second = trip("latency_budget(below_s=3)") + "    sim.run(asyncio.sleep(5))\n"
    project(second).assert_outcomes(failed=1)


def test_nearest_budget_decides(project: Project) -> None:
    head = "pytestmark = pytest.mark.latency_budget(1)\n\ndef test_plain():\n    pass\n"
    project(head + trip("latency_budget(3)")).assert_outcomes(passed=2)
    project(head + trip()).assert_outcomes(passed=1, failed=1)


def test_failure_of_the_test_itself_comes_first(project: Project) -> None:
    result = project(trip("latency_budget(below_s=1)") + "    assert 'this' == 'that'\n")
    result.stdout.fnmatch_lines(["*assert 'this' == 'that'*"])
    result.stdout.no_fnmatch_line("*the run took*")


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("latency_budget", "the marker `latency_budget` takes below_s=, not {}"),
        ("latency_budget()", "the marker `latency_budget` takes below_s=, not {}"),
        ("latency_budget(below_usd=1)", "takes below_s=, not {'below_usd': 1}"),
        ("latency_budget(1, 2)", "takes below_s=, not (1, 2)"),
        ("cost_budget(below_s=1)", "takes below_usd=, not {'below_s': 1}"),
        ("cost_budget(below_usd='1')", "below_usd is a number above 0, not '1'"),
        ("cost_budget(below_usd=0)", "below_usd is a number above 0, not 0"),
        ("cost_budget(below_usd=float('nan'))", "below_usd is a number above 0, not nan"),
        ("latency_budget(below_s=True)", "below_s is a number above 0, not True"),
    ],
)
def test_wrong_marker_is_an_error_that_names_the_test(
    project: Project, marker: str, words: str
) -> None:
    result = project(trip(marker))
    result.assert_outcomes(errors=1)
    output = result.stdout.str()
    assert words in output
    assert "test_it.py::test_trip: " in output


@pytest.mark.parametrize("marker", ["latency_budget(3)", "cost_budget(3)"])
def test_budget_of_a_test_without_sim_is_an_error(project: Project, marker: str) -> None:
    result = project(f"@pytest.mark.{marker}\ndef test_it():\n    pass\n")
    result.assert_outcomes(errors=1)
    name = marker.partition("(")[0]
    assert f"the marker `{name}` is for tests that use `sim`" in result.stdout.str()

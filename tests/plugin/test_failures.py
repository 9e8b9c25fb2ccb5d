"""What is said of a simulated test that fails: enough to see why, and a line that repeats it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

import pytest

Project = Callable[..., pytest.RunResult]


def section_of(result: pytest.RunResult) -> list[str]:
    """What the simulation says at the beginning of the report of the one failure."""
    start = next(n for n, line in enumerate(result.outlines) if re.match("_+ .+ _+$", line))
    rest = result.outlines[start + 1 :]
    return rest[: rest.index("")]


def test_report_has_the_replay_the_last_calls_and_what_each_task_did(project: Project) -> None:
    tests = """
async def wait_for_news():
    await asyncio.Event().wait()

async def test_it(sim):
    sim.agent("planner", system="*planner*", reply="a plan", latency_s=1.0)
    sim.agent("guide", system="*guide*", latency_s=2.0)
    sim.fault("overloaded", agent="guide", call=2)
    listener = asyncio.create_task(wait_for_news(), name="listener")
    await trip()
"""
    result = project(tests)
    result.assert_outcomes(failed=1)
    lines = section_of(result)
    assert (
        lines[0]
        == "OverloadedError: call 2 of guide: overloaded_error (529) [injected fault: overloaded]"
    )
    assert lines[1] == "Other tasks when it failed:"
    told = "\n".join(lines[2:-7])
    assert "listener" in told
    assert "an Event that was never set" in told
    assert "    at test_it.py:" in told
    assert lines[-6] == "The last calls:"
    assert lines[-7] == "The end waited for: planner (1 s) -> guide (50 ms)."
    assert lines[-5:] == [
        "  0.000 -> 1.000  call 1 of planner: 'a trip' -> 'a plan'",
        "  1.000 -> 1.050  call 1 of guide: 'a of a plan' -> no reply yet, 50 ms after it was sent, when the run failed",
        "  1.000 -> 1.050  call 2 of guide: 'b of a plan' -> overloaded_error (529) [injected fault: overloaded]",
        "Seed 1, virtual time 1.050000 s.",
        "To replay: pytest test_it.py::test_it --sim-seed 1",
    ]


FLAKY = """
import random

@pytest.mark.parametrize("limit", [0.7])
@pytest.mark.parametrize("name", ["a b", "c"])
class TestIt:
    @pytest.mark.sim(runs=4)
    async def test_luck(self, sim, limit, name):
        answer = await ask("a trip", system=name)
        luck = random.random()
        assert luck >= limit, f"luck was {luck} after {asyncio.get_running_loop().time()}"
"""


def test_printed_line_repeats_the_very_failure(project: Project, pytester: pytest.Pytester) -> None:
    result = project(FLAKY)
    commands = [line for line in result.outlines if line.startswith("To replay: ")]
    messages = [line for line in result.outlines if line.startswith("E       AssertionError")]
    assert 1 < len(commands) < 8
    for command, message in [(commands[0], messages[0]), (commands[-1], messages[-1])]:
        program, *words = shlex.split(command.removeprefix("To replay: "))
        assert program == "pytest"
        again = pytester.runpytest_inprocess(*words)
        again.assert_outcomes(failed=1)
        assert message in again.outlines
        assert command in again.outlines


def test_failed_assertion_of_a_run_repeats_itself_too(project: Project) -> None:
    tests = """
def test_it(sim):
    sim.run(trip).assert_called("planner", 7)
"""
    project(tests).stdout.fnmatch_lines(
        [
            "agent 'planner' made 1 call, not 7",
            "*call 1 of planner*",
            "To replay: pytest test_it.py::test_it --sim-seed 1",
            "E*AssertionError: agent 'planner' made 1 call, not 7",
        ]
    )


def test_only_the_last_calls_of_a_long_run_are_shown(project: Project) -> None:
    tests = """
async def test_it(sim):
    for n in range(12):
        await ask(f"{n}")
    assert False
"""
    lines = section_of(project(tests))
    start = lines.index("The last calls:")
    assert lines[start + 1] == "  ... 4 lines before"
    assert len([line for line in lines[start:] if " s -> " not in line and " -> " in line]) == 8


def test_failure_before_any_run_says_so(project: Project) -> None:
    result = project("def test_it(sim):\n    assert False")
    assert section_of(result) == [
        "AssertionError: assert False",
        "No run has ended.",
        "To replay: pytest test_it.py::test_it --sim-seed 1",
    ]


def test_failure_of_another_test_has_no_such_section(project: Project) -> None:
    result = project("def test_it():\n    assert False")
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*- simulation -*")
    result.stdout.no_fnmatch_line("*To replay*")


def test_test_that_ran_nothing_fails(project: Project) -> None:
    result = project("def test_it(sim):\n    sim.agent('planner')")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "nothing was run, so nothing was tested",
            "*How to fix: call `sim.run(...)`, or make the test async",
        ]
    )


@pytest.mark.parametrize("form", ["sync", "async"])
def test_what_was_never_needed_fails_the_test_and_names_the_switch(
    project: Project, form: str
) -> None:
    head, call = {
        "sync": ("def", "sim.run(ask('a trip'))"),
        "async": ("async def", "await ask('a trip')"),
    }[form]
    tests = f"""
{head} test_it(sim):
    sim.allow_unmatched = True
    sim.agent("critic", system="*critic*")
    sim.fault("overloaded", agent="critic")
    {call}

{head} test_allowed(sim):
    sim.allow_unmatched = True
    sim.agent("critic", system="*critic*", allow_unused=True)
    sim.fault("overloaded", agent="critic", allow_unmet=True)
    {call}
"""
    result = project(tests)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "agent 'critic' was never called (the calls were of: unmatched:claude-sonnet-5)",
            "*fault 1 (overloaded) never met an attempt",
            "*`allow_unused=True` of the agent or process, `allow_unmet=True` of the fault.",
        ]
    )


def test_failure_of_the_test_is_not_hidden_by_what_was_not_needed(project: Project) -> None:
    tests = """
def test_it(sim):
    sim.allow_unmatched = True
    sim.agent("critic", system="*critic*")
    sim.run(ask("a trip"))
    assert "this" == "that"
"""
    result = project(tests)
    result.stdout.fnmatch_lines(["*assert 'this' == 'that'*"])
    result.stdout.no_fnmatch_line("*never called*")


def test_host_that_nobody_simulates_is_named(project: Project) -> None:
    tests = """
async def test_it(sim):
    await ask("a trip", base_url="https://proxy.example.com")
"""
    result = project(tests)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*harness simulates no host proxy.example.com:443*"])


def test_deadlock_of_a_test_is_told_by_task(project: Project) -> None:
    tests = """
async def test_it(sim):
    await ask("a trip")
    await asyncio.Queue().get()
"""
    result = project(tests)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["Deadlock at *: nothing can ever run again", "*an item from a Queue*"]
    )

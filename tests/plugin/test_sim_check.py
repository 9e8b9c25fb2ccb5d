"""`pytest --sim-check`: simulated tests here and in fresh processes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Project = Callable[..., pytest.RunResult]

TESTS = """
import anthropic, os, pathlib

SEEN = []

async def library():
    anthropic.seen_by_test = getattr(anthropic, "seen_by_test", 0) + 1
    await ask(f"n {anthropic.seen_by_test}")

async def file():
    path = pathlib.Path("count.txt")
    count = len(path.read_text()) if path.exists() else 0
    path.write_text("x" * (count + 1))
    await ask(f"n {count}")

@pytest.mark.sim(runs=2)
def test_good(sim):
    sim.run(trip)

async def test_process_id(sim):
    await ask(f"I am {os.getpid()}")

def test_library(sim):
    sim.run(library)

def test_file(sim):
    sim.run(file)

def test_plain():
    pass
"""


def test_differences_are_told_with_their_causes(project: Project) -> None:
    result = project(TESTS, "--sim-check", "-p", "no:asyncio", "-p", "no:anyio")
    result.assert_outcomes(passed=5, deselected=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*test_process_id: one seed gives different runs: fresh processes with one hash seed differ",
            "*Probable cause: a process id or an address*",
            "*First difference: prompt of call 1*",
            "*test_library: one seed gives different runs: the second run in a process differs from the first",
            "*Probable cause: state outside of the program's own modules*",
            "*test_file: *",
            "*Probable cause: a file: the program writes count.txt*",
            "2 of 5 simulated tests give one execution",
        ]
    )


def test_it_compares_processes_by_itself(project: Project) -> None:
    result = project(TESTS, "--sim-check", "-n", "2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*leave out -n*"])

"""The fixture `sim`: in tests of every kind, beside other plugins, and what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Project = Callable[..., pytest.RunResult]
HOUSE = Path(__file__).parents[2]

SYNC = """
def test_sync(sim):
    sim.agent("planner", reply="a plan", latency_s=600.0)
    run = sim.run(ask("a trip"))
    assert run.output == "a plan"
    assert run.latency_s == 600.0
"""
ASYNC = """
async def test_async(sim):
    sim.agent("planner", reply="a plan", latency_s=600.0)
    assert await ask("a trip") == "a plan"
    assert asyncio.get_running_loop().time() == 600.0
    assert sim.so_far().calls() == 1
"""


def test_sync_and_async_tests(project: Project) -> None:
    project(SYNC + ASYNC, "-p", "no:asyncio", "-p", "no:anyio").assert_outcomes(passed=2)


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_beside_pytest_asyncio(project: Project, mode: str) -> None:
    theirs = """
@pytest.mark.asyncio
async def test_theirs():
    await asyncio.sleep(0.001)
    assert asyncio.get_running_loop().time() > 1

@pytest.fixture
def number():
    return 42

@pytest.mark.asyncio
async def test_marked(sim, number):
    assert await ask("a trip")
    assert (number, 0 < asyncio.get_running_loop().time() < 30) == (42, True)

class TestMarked:
    pytestmark = pytest.mark.asyncio

    async def test_in_class(self, sim):
        assert await ask("a trip")
"""
    result = project(SYNC + ASYNC + theirs, f"--asyncio-mode={mode}")
    result.assert_outcomes(passed=5)


def test_beside_anyio(project: Project) -> None:
    theirs = """
@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_theirs():
    await asyncio.sleep(0.001)
    assert asyncio.get_running_loop().time() > 1

@pytest.mark.anyio
async def test_marked(sim):
    sim.agent("planner", latency_s=600.0)
    assert await ask("a trip")
    assert asyncio.get_running_loop().time() == 600.0
"""
    project(SYNC + ASYNC + theirs, "-p", "no:asyncio").assert_outcomes(passed=4)


def test_in_classes_and_with_parameters_and_other_fixtures(project: Project) -> None:
    tests = """
class Base:
    async def test_inherited(self, sim):
        assert await ask("a trip")

class TestOne(Base):
    @pytest.fixture
    def city(self, sim, tmp_path):
        sim.agent("planner", reply=lambda call: f"{call.prompt} in {tmp_path.name[:4]}")
        return "Ulm"

    async def test_async(self, city, sim):
        assert await ask(city) == "Ulm in test"

    def test_sync(self, sim, city):
        assert sim.run(ask, city).output == "Ulm in test"

    @pytest.mark.parametrize("text", ["one", "two"])
    @pytest.mark.parametrize("number", [1, 2])
    async def test_parameters(self, sim, text, number):
        sim.agent("planner", reply=lambda call: call.prompt * number)
        assert await ask(text) == text * number

    @staticmethod
    async def test_static(sim):
        assert await ask("a trip")

    class TestInner:
        async def test_inner(self, sim):
            assert await ask("a trip")
"""
    project(tests).assert_outcomes(passed=9)


def test_runs_of_one_test_share_their_surroundings_and_tests_share_nothing(
    project: Project,
) -> None:
    tests = """
def test_two_runs(sim):
    sim.agent("planner", reply=["a plan"])
    assert [sim.run(ask, "a trip").output for _ in range(2)] == ["a plan", "a plan"]
    assert len(sim.runs) == 2

def test_two_simulations(sim):
    from harness.sim import Sim
    other = Sim(2)
    other.agent("other", reply="another plan")
    sim.agent("planner", reply="a plan")
    assert (sim.run(ask, "a trip").output, other.run(ask, "a trip").output) == ("a plan", "another plan")

def test_no_agents_are_left(sim):
    assert sim.run(ask, "a trip").output == "claude-sonnet-5 has done its part"
"""
    project(tests).assert_outcomes(passed=3)


def test_run_inside_an_async_test_is_refused_clearly(project: Project) -> None:
    tests = """
async def test_nested(sim):
    await ask("a trip")
    sim.run(ask, "a trip")
"""
    result = project(tests)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "a run inside a run is not simulated, so it is refused inside a run",
            "*How to fix: let the program call its parts itself; one run simulates all of them",
        ]
    )
    result.stdout.no_fnmatch_line("*never awaited*")


def test_skips_and_expected_failures_are_what_they_were(project: Project) -> None:
    tests = """
async def test_skipped(sim):
    pytest.skip("not today")

@pytest.mark.xfail(raises=ZeroDivisionError, strict=True)
async def test_fails(sim):
    1 / 0

@pytest.mark.skip
def test_not_begun(sim):
    pass
"""
    project(tests).assert_outcomes(skipped=2, xfailed=1)


def test_program_of_a_test_finds_the_keys_of_its_sdks_and_the_next_test_does_not(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    tests = """
import os

def test_with(sim):
    client = __import__("anthropic").AsyncAnthropic()  # made before the run
    assert os.environ["ANTHROPIC_API_KEY"]
    sim.run(ask("a trip"))

def test_without():
    assert "ANTHROPIC_API_KEY" not in os.environ
"""
    project(tests).assert_outcomes(passed=2)


def test_without_the_plugin_there_is_no_fixture_and_nothing_else_changes(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile("def test_with(sim): pass\ndef test_without(): pass")
    result = pytester.runpytest_subprocess("-p", "no:harness")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*fixture 'sim' not found"])


# -- start-up ---------------------------------------------------------------------------------------------------------

START = """
import sys, time, pytest, _pytest.fixtures
before = set(sys.modules)
began = time.process_time()
import harness.pytest_plugin
print(time.process_time() - began)
print(*sorted(set(sys.modules) - before))
"""
HEAVY = {
    "simpy", "pydantic", "duckdb", "numpy", "h11", "anthropic", "openai", "yaml", "httpx", "aiohttp", "rich", "click",
}  # fmt: skip


def test_plugin_costs_nothing_at_start_up() -> None:
    found = []
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", START],
            env={**os.environ, "PYTHONPATH": str(HOUSE)},
            capture_output=True,
            text=True,
            check=True,
        )
        took, modules = done.stdout.splitlines()
        assert not HEAVY & {name.partition(".")[0] for name in modules.split()}
        found.append(float(took))
    assert min(found) < 0.030  # of CPU; a heavy module takes more than that alone


def test_fixture_of_ones_own_that_is_called_so_is_left_alone(project: Project) -> None:
    tests = """
@pytest.fixture
def sim():
    return 42

def test_right(sim):
    assert sim == 42

def test_wrong(sim):
    assert sim == 43
"""
    result = project(tests)
    result.assert_outcomes(passed=1, failed=1)
    assert "INTERNALERROR" not in result.stdout.str()

"""An async test is run in the simulation wherever `sim` is among its fixtures, beside any plugin for async tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Project = Callable[..., pytest.RunResult]

BESIDE = {
    "asyncio auto": ("--asyncio-mode=auto",),
    "asyncio strict": ("--asyncio-mode=strict",),
    "anyio": ("-p", "no:asyncio"),
    "anyio auto": ("-p", "no:asyncio", "--anyio-mode=auto"),
    "both": ("--asyncio-mode=auto", "--anyio-mode=auto"),
    "neither": ("-p", "no:asyncio", "-p", "no:anyio"),
}
"""What may be installed, and what it is told."""

IS_VIRTUAL = """
async def is_virtual():
    assert asyncio.get_running_loop().time() < 30.0
    await asyncio.sleep(500.0)
    assert await ask("a trip")
    return True
"""

WAYS = """
@pytest.fixture
def team(sim):
    sim.agent("planner", reply="a plan")
    return sim

async def test_through_a_fixture(team):
    assert await is_virtual()

@pytest.fixture
def office(team):
    return "office"

async def test_through_two_fixtures(office):
    assert await is_virtual()

@pytest.mark.usefixtures("sim")
async def test_usefixtures():
    assert await is_virtual()

@pytest.mark.usefixtures("team")
@pytest.mark.parametrize("number", [1, 2])
async def test_usefixtures_of_another(number):
    assert number and await is_virtual()

@pytest.fixture
def late(request):
    return request.getfixturevalue("sim")

async def test_asked_for_late(late):
    assert await is_virtual()

@pytest.mark.sim(runs=2)
async def test_of_two_seeds(team):
    assert await is_virtual()

class TestMethods:
    pytestmark = pytest.mark.usefixtures("sim")

    async def test_method(self):
        assert await is_virtual()

    @staticmethod
    async def test_static():
        assert await is_virtual()

    @classmethod
    async def test_class(cls):
        assert await is_virtual()

class TestAutouse:
    @pytest.fixture(autouse=True)
    def everywhere(self, sim):
        self.sim = sim

    async def test_autouse(self):
        assert await is_virtual()
        assert self.sim.so_far().calls() == 1
"""


@pytest.mark.parametrize("beside", BESIDE)
def test_every_way_to_get_the_fixture(project: Project, beside: str) -> None:
    project(IS_VIRTUAL + WAYS, *BESIDE[beside]).assert_outcomes(passed=12)


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("mark", ["asyncio", "asyncio(loop_scope='session')", "anyio"])
def test_marked_tests(project: Project, beside: str, mark: str) -> None:
    tests = f"""
pytestmark = pytest.mark.{mark}

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.fixture
def team(sim):
    sim.agent("planner", reply="a plan")

async def test_marked(team):
    assert await is_virtual()

async def test_in_its_signature(sim):
    assert await is_virtual()
"""
    project(
        IS_VIRTUAL + tests, *BESIDE[beside], "-W", "ignore::pytest.PytestUnknownMarkWarning"
    ).assert_outcomes(passed=2)


def test_failure_of_an_indirect_test_is_its_own_and_is_told_with_its_run(project: Project) -> None:
    tests = """
@pytest.fixture(autouse=True)
def team(sim):
    sim.agent("planner", reply="a plan")

async def test_wrong():
    assert await ask("a trip") == "another plan"
"""
    result = project(tests, "--asyncio-mode=auto")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*AssertionError: assert 'a plan' == 'another plan'*", "*To replay: pytest*"]
    )


def test_what_was_not_needed_is_told_of_indirect_tests_too(project: Project) -> None:
    tests = """
@pytest.fixture(autouse=True)
def team(sim):
    sim.allow_unmatched = True
    sim.agent("nobody", system="*nobody*")

async def test_unneeded():
    await ask("a trip")
"""
    result = project(tests, "--asyncio-mode=auto")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*agent 'nobody' was never called*"])


@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_async_fixtures_of_pytest_asyncio_stay_beside_it(project: Project, mode: str) -> None:
    tests = """
import pytest_asyncio
ended = []

@pytest_asyncio.fixture
async def number():
    await asyncio.sleep(0.001)
    yield asyncio.get_running_loop().time()
    await asyncio.sleep(0.001)
    ended.append("number")

@pytest_asyncio.fixture
async def seed(sim):
    await asyncio.sleep(0.001)
    return sim.seed

async def test_beside(sim, number):
    assert number > 1
    assert await is_virtual()

async def test_below(seed):
    assert seed == 1 and ended == ["number"]
    assert await is_virtual()
"""
    project(IS_VIRTUAL + tests, f"--asyncio-mode={mode}").assert_outcomes(passed=2)


def test_async_fixtures_of_anyio_stay_beside_it(project: Project) -> None:
    tests = """
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.fixture
async def number():
    await asyncio.sleep(0.001)
    yield asyncio.get_running_loop().time()

async def test_beside(sim, number):
    assert number > 1
    assert await is_virtual()
"""
    project(IS_VIRTUAL + tests, "-p", "no:asyncio").assert_outcomes(passed=1)


def test_of_anyio_on_another_library_than_asyncio_is_skipped(project: Project) -> None:
    tests = """
@pytest.fixture(params=["asyncio", ("asyncio", {"debug": False}), ("trio", {})])
def anyio_backend(request):
    return request.param

@pytest.mark.anyio
async def test_marked(sim):
    assert await is_virtual()
"""
    result = project(IS_VIRTUAL + tests, "-p", "no:asyncio", "-rs")
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*a simulation runs on asyncio, not on trio"])


@pytest.mark.parametrize("beside", BESIDE)
def test_each_example_of_hypothesis_is_a_run(project: Project, beside: str) -> None:
    tests = """
from hypothesis import HealthCheck, Phase, given, settings, strategies

few = settings(max_examples=2, deadline=None, database=None, phases=[Phase.generate],
               suppress_health_check=list(HealthCheck))

@pytest.mark.anyio
@few
@given(number=strategies.integers(0, 9))
async def test_async(sim, number):
    assert await is_virtual()
    assert len(sim.runs) < 2

@few
@given(number=strategies.integers(0, 9))
def test_sync(sim, number):
    assert sim.run(is_virtual).output

@few
@given(number=strategies.integers(0, 9))
@pytest.mark.usefixtures("sim")
async def test_wrong(number):
    assert not await is_virtual()
"""
    backend = '\n@pytest.fixture\ndef anyio_backend():\n    return "asyncio"\n'
    options = (*BESIDE[beside], "-W", "ignore::pytest.PytestUnknownMarkWarning")
    project(IS_VIRTUAL + backend + tests, *options).assert_outcomes(passed=2, failed=1)


def test_async_test_cases_of_unittest(project: Project) -> None:
    tests = """
import unittest

@pytest.mark.usefixtures("sim")
class TestCase(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.at = asyncio.get_running_loop().time()

    async def test_right(self):
        assert self.at < 100.0 and await is_virtual()

    async def test_wrong(self):
        assert not await is_virtual()
"""
    project(IS_VIRTUAL + tests, "--asyncio-mode=auto").assert_outcomes(passed=1, failed=1)


def test_fixture_that_overrides_sim_and_asks_for_it(project: Project) -> None:
    tests = """
@pytest.fixture
def sim(sim):
    sim.agent("planner", reply="a plan")
    return [sim]

@pytest.mark.sim(runs=2)
async def test_async(sim):
    assert await ask("a trip") == "a plan"
"""
    project(tests, "--asyncio-mode=auto").assert_outcomes(passed=2)


def test_seeds_that_pytest_could_not_know_of_are_refused(project: Project) -> None:
    tests = """
@pytest.fixture
def late(request):
    return request.getfixturevalue("sim")

@pytest.mark.sim(runs=2)
async def test_late(late):
    assert await is_virtual()
"""
    result = project(IS_VIRTUAL + tests)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*2 seeds are requested, but the test gets `sim` by getfixturevalue*"]
    )


def test_fixture_of_ones_own_that_is_called_so_is_not_multiplied(project: Project) -> None:
    tests = """
@pytest.fixture
def sim():
    return 42

@pytest.mark.asyncio
async def test_right(sim):
    assert sim == 42

@pytest.mark.parametrize("sim", [1, 2])
def test_parameter(sim):
    assert sim
"""
    project(tests, "--sim-runs=3").assert_outcomes(passed=3)

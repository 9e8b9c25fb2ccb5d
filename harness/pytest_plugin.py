"""The pytest plugin: the fixture `sim`, the marker `sim`, and what is said of a simulated test that fails.

Nothing heavy is imported before a test asks for the fixture.
"""

from __future__ import annotations

import functools
import inspect
import shlex
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.sim import Sim

_FIXTURE = "sim"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options, and where a project states them for good."""
    group = parser.getgroup("sim", "simulation of multi-agent programs")
    group.addoption(
        "--sim-seed", type=int, metavar="SEED", help="first seed of every simulated test"
    )
    group.addoption(
        "--sim-runs", type=int, metavar="N", help="how many seeds every simulated test is run with"
    )
    group.addoption(
        "--sim-store", metavar="FILE", help="write every simulated run to this DuckDB file"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers",
        "sim(seed=1, runs=1, scenario=None): the first seed of a simulated test, how many seeds it is run with, "
        "and a scenario file that says who is there",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a simulated test once for each seed."""
    if _FIXTURE not in metafunc.fixturenames:
        return
    seeds = _seeds(metafunc.config, metafunc.definition)
    if len(seeds) > 1:
        metafunc.parametrize(_FIXTURE, seeds, indirect=True, ids=[f"seed={seed}" for seed in seeds])


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> None:
    """Put a plain function in the place of an async test with `sim`, before another plugin takes it for its own."""
    if inspect.iscoroutinefunction(obj) and _FIXTURE in inspect.signature(obj).parameters:
        setattr(collector.obj, name, _in_virtual_time(obj))  # type: ignore[attr-defined]  # of modules and classes


def _in_virtual_time(test: Callable[..., Any]) -> Callable[..., None]:
    @functools.wraps(test)
    def run_test(*args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the test's own
        sim: Sim = inspect.signature(test).bind(*args, **kwargs).arguments[_FIXTURE]
        sim.run(test(*args, **kwargs))

    return run_test


@pytest.fixture
def sim(request: pytest.FixtureRequest) -> Iterator[Sim]:
    """Simulated surroundings for a program: agents, providers, faults, and virtual time to run it in."""
    from harness.run.environment import provided_environment
    from harness.sim import Sim

    seed = getattr(request, "param", _seeds(request.config, request.node)[0])
    simulation = Sim(seed, command=_command(request.node, seed))
    scenario = _marked(request.node).get("scenario")
    if scenario is not None:
        simulation.use_scenario(request.node.path.parent / scenario)
    with provided_environment():
        yield simulation
    store = request.config.getoption("--sim-store")
    if store is not None:
        from harness.sim.keeping import keep

        keep(simulation, store, request.node.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """After a test that passed, see that all it said of its surroundings was needed."""
    result = yield
    simulation: Sim | None = pyfuncitem.funcargs.get(_FIXTURE)  # type: ignore[assignment]  # whatever is called so
    if simulation is not None:
        simulation.check()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failure what happened last, and how to run it again."""
    report = yield
    simulation: Sim | None = getattr(item, "funcargs", {}).get(_FIXTURE)
    if simulation is not None and report.when == "call" and report.failed:
        report.sections.append(("simulation", simulation.tell_failure()))
    return report


def _marked(node: pytest.Item) -> dict[str, Any]:
    """What the markers of a test say, the nearest first."""
    said: dict[str, Any] = {}
    for marker in node.iter_markers(_FIXTURE):
        if marker.args or not set(marker.kwargs) <= {"seed", "runs", "scenario"}:
            raise pytest.UsageError(
                f"{node.nodeid}: the marker `sim` takes seed=, runs= and scenario=, not {marker.args or marker.kwargs}"
            )
        said = {**marker.kwargs, **said}
    return said


def _seeds(config: pytest.Config, node: Any) -> range:  # noqa: ANN401 - an item, or the definition of one
    said = _marked(node)
    first = config.getoption("--sim-seed")
    runs = config.getoption("--sim-runs")
    if first is None:
        first = said.get("seed", 1)
    elif runs is None:
        runs = 1  # one seed that is asked for by number is run alone
    if runs is None:
        runs = said.get("runs", 1)
    if runs < 1 or first < 0:
        raise pytest.UsageError(f"{node.nodeid}: seeds start at 0, and there is at least one run")
    return range(first, first + runs)


def _command(node: pytest.Item, seed: int) -> str:
    plain = (
        node.nodeid.replace(f"[seed={seed}]", "")
        .replace(f"[seed={seed}-", "[")
        .replace(f"-seed={seed}]", "]")
    )
    return f"pytest {shlex.quote(plain)} --sim-seed {seed}"

"""The pytest plugin: the fixture `sim`, its markers, the gate, and what is said of a simulated test that fails.

Nothing heavy is imported before a test asks for the fixture.
"""

from __future__ import annotations

import functools
import inspect
import os
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from harness.environment import PROVIDED, provided_environment

if TYPE_CHECKING:
    from harness.gate.in_pytest import SessionGate
    from harness.sim import Sim

_FIXTURE = "sim"

_OF_MARKER = frozenset({"seed", "runs", "scenario", "allow_unmatched"})
"""What the marker `sim` takes."""

_ALLOW_UNMATCHED = "sim_allow_unmatched"
"""The ini option."""

_GATE_MARKER = "sim_gate"

_BUDGETS = {"latency_budget": "below_s", "cost_budget": "below_usd"}
"""Markers of what every run of a test must keep, and what each takes."""

_GATE: pytest.StashKey[SessionGate] = pytest.StashKey()

TIMELINE_BEGINS = "What happened:"
"""How an assertion of a run begins to tell what happened."""

_REFUSED_HOST = "sim_refused_host"
"""The property of a report that names a host; properties reach the main process of pytest-xdist."""

_ADVICE_OF_ASYNCIO = "ignore:The test .* is marked with '@pytest.mark.asyncio':pytest.PytestWarning"
"""It is async to its author, and needs no mark, but may stand in a file that has one for all its tests."""


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
    group.addoption(
        "--sim-gate",
        metavar="DIR",
        help="compare tests that are marked sim_gate with their baselines in this folder",
    )
    group.addoption(
        "--sim-gate-update",
        action="store_true",
        help="write the baselines instead",
    )
    group.addoption(
        "--sim-gate-reason",
        metavar="TEXT",
        default="",
        help="why baselines change that are there already",
    )
    group.addoption(
        "--sim-gate-strict",
        action="store_true",
        help="fail if a test has no baseline",
    )
    parser.addini(
        "sim_keys",
        "provide made-up API keys from the beginning, for clients that are made when modules are imported",
        type="bool",
        default=False,
    )
    parser.addini(
        _ALLOW_UNMATCHED,
        "let made-up agents answer calls that match none of the agents that a test describes",
        type="bool",
        default=False,
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, and make the gate ready if it is asked for."""
    config.addinivalue_line(
        "markers",
        "sim(seed=1, runs=1, scenario=None, allow_unmatched=False): the first seed of a simulated test, how many seeds "
        "it is run with, a scenario file that says who is there, and whether calls may match none of its agents",
    )
    config.addinivalue_line(
        "markers",
        'sim_gate(latency_s_mean="10%", ...): --sim-gate compares this test with its baseline; the limits are over the '
        "defaults",
    )
    config.addinivalue_line(
        "markers",
        "latency_budget(below_s): every run of this test takes less virtual time than this",
    )
    config.addinivalue_line("markers", "cost_budget(below_usd): every run of this test costs less")
    if config.getoption("--sim-gate") is not None:
        from harness.gate.in_pytest import session_gate

        config.stash[_GATE] = session_gate(config)
    elif config.getoption("--sim-gate-update"):
        raise pytest.UsageError("--sim-gate-update needs --sim-gate DIR, the folder to write to")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Provide keys before anything of the project is imported, if it wants that."""
    if early_config.getini("sim_keys"):
        os.environ.update(PROVIDED)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a simulated test once for each seed."""
    if _FIXTURE not in metafunc.fixturenames:
        _check_marks_of_other(metafunc.definition)
        return
    _check_marks(metafunc.definition)
    seeds = _seeds(metafunc.config, metafunc.definition)
    if len(seeds) > 1:
        metafunc.parametrize(_FIXTURE, seeds, indirect=True, ids=[f"seed={seed}" for seed in seeds])


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> None:
    """Put a plain function in the place of an async test with `sim`, before another plugin takes it for its own."""
    static = isinstance(obj, staticmethod)
    test: Any = obj.__func__ if isinstance(obj, staticmethod) else obj
    if inspect.iscoroutinefunction(test) and _FIXTURE in inspect.signature(test).parameters:
        plain: Any = _in_virtual_time(test)
        setattr(collector.obj, name, staticmethod(plain) if static else plain)  # type: ignore[attr-defined]  # of modules and classes


def _in_virtual_time(test: Callable[..., Any]) -> Callable[..., None]:
    @functools.wraps(test)
    def run_test(*args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the test's own
        sim: Sim = inspect.signature(test).bind(*args, **kwargs).arguments[_FIXTURE]
        sim.run(test(*args, **kwargs))

    pytest.mark.filterwarnings(_ADVICE_OF_ASYNCIO)(run_test)
    return run_test


@pytest.fixture
def sim(request: pytest.FixtureRequest) -> Iterator[Sim]:
    """Simulated surroundings for a program: agents, providers, faults, and virtual time to run it in."""
    from harness.sim import Sim

    seed = getattr(request, "param", _seeds(request.config, request.node)[0])
    said = _marked(request.node)
    allow_unmatched = said.get("allow_unmatched", request.config.getini(_ALLOW_UNMATCHED))
    simulation = Sim(
        seed, command=_command(request.node, seed), allow_unmatched=bool(allow_unmatched)
    )
    scenario = said.get("scenario")
    if scenario is not None:
        simulation.use_scenario(request.node.path.parent / scenario)
    with provided_environment():
        yield simulation
    store = request.config.getoption("--sim-store")
    if store is not None:
        from harness.sim.keeping import keep

        keep(simulation, store, request.node.nodeid, request.node.path.parent)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """After a test that passed, see that all it said of its surroundings was needed."""
    result = yield
    simulation = _simulation_of(pyfuncitem)
    if simulation is not None:
        simulation.check()
        _check_budgets(pyfuncitem, simulation)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failure what happened last, and how to run it again."""
    report = yield
    simulation = _simulation_of(item)
    if simulation is not None and report.when == "call":
        if report.failed:
            told = TIMELINE_BEGINS in str(report.longrepr)  # an assertion of ours has shown it
            text = simulation.tell_failure(with_timeline=not told)
            report.sections.append(("simulation", text))
        hosts = {host for run in simulation.runs for host in run.unsimulated}
        report.user_properties += [(_REFUSED_HOST, host) for host in sorted(hosts)]
    gate = item.config.stash.get(_GATE, None)
    if gate is not None and _FIXTURE in getattr(item, "fixturenames", ()):
        _hand_over(gate, item, report, simulation)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which hosts were refused, also where the program took it without a word."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    refused = Counter(
        value
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == _REFUSED_HOST
    )
    if refused:
        terminalreporter.section("simulation")
        for host, tests in sorted(refused.items()):
            terminalreporter.line(
                f"{host}: refused in {tests} {'test' if tests == 1 else 'tests'}, because nobody simulates it"
            )


def _simulation_of(item: pytest.Item) -> Sim | None:
    """The simulation of a test; a project may have a fixture of its own that is called so."""
    fixture = getattr(item, "funcargs", {}).get(_FIXTURE)
    house = sys.modules.get("harness.sim")  # not imported for those who never ask for it
    return fixture if house is not None and isinstance(fixture, house.Sim) else None


def _marked(node: pytest.Item) -> dict[str, Any]:
    """What the markers of a test say, the nearest first."""
    said: dict[str, Any] = {}
    for marker in node.iter_markers(_FIXTURE):
        if marker.args or not set(marker.kwargs) <= _OF_MARKER:
            raise pytest.UsageError(
                f"{node.nodeid}: the marker `sim` takes seed=, runs=, scenario= and allow_unmatched=, "
                f"not {marker.args or marker.kwargs}"
            )
        said = {**marker.kwargs, **said}
    return said


def _check_marks(node: pytest.Item) -> None:
    """Complain about markers that are written wrongly, before anything runs."""
    for marker in _BUDGETS:
        _budget(node, marker)
    gate = node.config.stash.get(_GATE, None)
    if gate is not None:
        gate.limits_of(node)


def _check_marks_of_other(node: pytest.Item) -> None:
    """Complain about a test that is marked itself and cannot keep it; a marked module may hold tests of all kinds."""
    for marker in node.own_markers:
        if marker.name in (_GATE_MARKER, *_BUDGETS):
            raise pytest.UsageError(
                f"{node.nodeid}: the marker `{marker.name}` is for tests that use `{_FIXTURE}`"
            )


def _budget(node: pytest.Item, name: str) -> float | None:
    marker = node.get_closest_marker(name)
    if marker is None:
        return None
    word = _BUDGETS[name]
    values = [*marker.args, *marker.kwargs.values()]
    if len(values) != 1 or not set(marker.kwargs) <= {word}:
        raise pytest.UsageError(
            f"{node.nodeid}: the marker `{name}` takes {word}=, not {marker.args or marker.kwargs}"
        )
    limit = values[0]
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not limit > 0:
        raise pytest.UsageError(f"{node.nodeid}: {word} is a number above 0, not {limit!r}")
    return limit


def _check_budgets(item: pytest.Item, simulation: Sim) -> None:
    __tracebackhide__ = True
    latency_s, cost_usd = (_budget(item, name) for name in _BUDGETS)
    for run in simulation.runs:
        if latency_s is not None:
            run.assert_latency_below(latency_s)
        if cost_usd is not None:
            run.assert_cost_below(cost_usd)


def _hand_over(
    gate: SessionGate, item: pytest.Item, report: pytest.TestReport, simulation: Sim | None
) -> None:
    """Let a report carry the numbers of its test to the gate."""
    seeds = _seeds(item.config, item)
    seed = item.callspec.params.get(_FIXTURE, seeds[0]) if hasattr(item, "callspec") else seeds[0]
    runs = [] if simulation is None else [run.spans_table for run in simulation.runs]
    gate.add_numbers(report, item, _plain_name(item, seed), seed, seeds=len(seeds), runs=runs)


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
    if not (isinstance(runs, int) and isinstance(first, int) and runs >= 1 and first >= 0):
        raise pytest.UsageError(
            f"{node.nodeid}: seeds are whole numbers from 0, and there is at least one run"
        )
    return range(first, first + runs)


def _plain_name(node: pytest.Item, seed: int) -> str:
    """The name of a test without its seed."""
    return (
        node.nodeid.replace(f"[seed={seed}]", "")
        .replace(f"[seed={seed}-", "[")
        .replace(f"-seed={seed}]", "]")
        .replace(f"-seed={seed}-", "-")
    )


def _command(node: pytest.Item, seed: int) -> str:
    return f"pytest {shlex.quote(_plain_name(node, seed))} --sim-seed {seed}"

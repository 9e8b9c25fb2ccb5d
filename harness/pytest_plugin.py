"""The pytest plugin: the fixture `sim`, its markers, the gate, and what is said of a simulated test that fails.

Nothing heavy is imported before a test asks for the fixture.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, ExitStack
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from harness.environment import help_for_missing_key, provided, provided_environment
from harness.errors import HarnessError
from harness.private_names import PYTEST, check_private_names

if TYPE_CHECKING:
    from harness.gate.in_pytest import SessionGate
    from harness.sim import Sim
    from harness.virtual.outside import ClosedNetwork

_FIXTURE = "sim"

_OF_MARKER = frozenset(
    {"seed", "runs", "scenario", "horizon_s", "calls_per_task", "order", "allow_unmatched", "keep_texts"}
)  # fmt: skip
"""What the marker `sim` takes."""

_ALLOW_UNMATCHED = "sim_allow_unmatched"
"""The ini option."""

_GATE_MARKER = "sim_gate"

_BUDGETS = {"latency_budget": "below_s", "cost_budget": "below_usd"}
"""Markers of what every run of a test must keep, and what each takes."""

_GATE: pytest.StashKey[SessionGate] = pytest.StashKey()

_SIMULATION: pytest.StashKey[Sim] = pytest.StashKey()
"""The simulation of a test, from the set-up of its fixture to the report of its teardown."""

_NETWORK: pytest.StashKey[ClosedNetwork] = pytest.StashKey()
"""What it refused outside of runs."""
_TEST_MODULES: pytest.StashKey[frozenset[str]] = pytest.StashKey()

_REFUSED_HOST = "sim_refused_host"
"""The property of a report that names a host; properties reach the main process of pytest-xdist."""

_REFUSED_OUTSIDE = "sim_refused_outside"
"""Likewise, of what was refused because no run was active."""

_WHY_REFUSED = {_REFUSED_HOST: "nobody simulates it", _REFUSED_OUTSIDE: "no run was active"}

_RUN_IT = (
    "call the program in a run: `sim.run(main, ...)`, or in the body of an async test; a fixture is no part of either. "
    "If a fixture needs a server of its own, such as a database: `sim_allow_hosts = host:port` in the pytest section of "
    "the configuration."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options and the settings."""
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
    texts = "write prompts and replies to that file too, without secrets"
    group.addoption("--sim-keep-texts", action="store_true", help=texts)
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
    group.addoption(
        "--sim-check",
        action="store_true",
        help="run every simulated test five times, in this process and in fresh ones, and compare",
    )
    group.addoption("--sim-digests", metavar="FILE", help=argparse.SUPPRESS)
    _add_settings(parser)


def _add_settings(parser: pytest.Parser) -> None:
    """What a project states for good, in its configuration."""
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
    parser.addini(
        "sim_allow_hosts",
        "what a test with `sim` may connect to outside of runs, each as host or host:port",
        type="args",
        default=[],
    )
    parser.addini("sim_horizon_s", "virtual time that no simulated run may pass [s]; a week")
    parser.addini("sim_calls_per_task", "how many calls a simulated run may make; 10000")
    parser.addini(
        "sim_patch_early",
        "let modules that are imported find virtual clocks and entropy, for functions that they keep out of reach",
        type="bool",
        default=False,
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, and make the gate ready if it is asked for."""
    try:
        check_private_names(PYTEST)
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from None
    config.addinivalue_line(
        "markers",
        "sim(seed=1, runs=1, scenario=None, horizon_s=604800, calls_per_task=10000, order=None, allow_unmatched=False, "
        "keep_texts=False): first seed of a simulated test, number of seeds, a scenario file that says who is there, the bounds of a run, which "
        "thread goes next (arrival or random), may calls match none of its agents, does --sim-store get prompts and replies",
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
    if config.getoption("--sim-keep-texts") and config.getoption("--sim-store") is None:
        raise pytest.UsageError("--sim-keep-texts needs --sim-store FILE, where they are written")
    digests_to = config.getoption("--sim-digests")
    if config.getoption("--sim-check") or digests_to is not None:
        if config.getoption("numprocesses", None):
            raise pytest.UsageError("--sim-check compares processes by itself; leave out -n")
        from harness.sim.check_in_pytest import Check

        check = Check(config, _SIMULATION, _is_simulated, digests_to)
        config.pluginmanager.register(check, "sim-check")
    if config.getoption("--sim-gate") is not None:
        from harness.gate.in_pytest import session_gate

        config.stash[_GATE] = session_gate(config)
    elif config.getoption("--sim-gate-update"):
        raise pytest.UsageError("--sim-gate-update needs --sim-gate DIR, the folder to write to")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Provide keys, and put stand-ins, before anything of the project is imported, if it wants that."""
    if early_config.getini("sim_keys"):
        os.environ.update(provided())
    if early_config.getini("sim_patch_early"):
        from harness.virtual.early import imports_find_stand_ins

        patch = ExitStack()
        patch.enter_context(imports_find_stand_ins())
        early_config.add_cleanup(patch.close)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Say what helps where a client that is made at import finds no key."""
    report = yield
    if report.failed and not collector.config.getini("sim_keys"):
        report.sections += help_for_missing_key(report.longreprtext)
    return report


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a simulated test once for each seed."""
    if not _is_simulated(metafunc.definition):
        _check_marks_of_other(metafunc.definition)
        return
    _check_marks(metafunc.definition)
    seeds = _seeds(metafunc.config, metafunc.definition)
    if len(seeds) > 1:
        metafunc.parametrize(_FIXTURE, seeds, indirect=True, ids=[f"seed={seed}" for seed in seeds])


@pytest.fixture
def sim(request: pytest.FixtureRequest) -> Iterator[Sim]:
    """Simulated surroundings for a program: agents, providers, faults, and virtual time to run it in."""
    from harness.sim import Sim
    from harness.sim.undo import state_taken_back

    seed = getattr(request, "param", None)
    if seed is None:
        seed = _only_seed(request)
    said = _marked(request.node)
    allow_unmatched = said.get("allow_unmatched", request.config.getini(_ALLOW_UNMATCHED))
    simulation = Sim(
        seed,
        command=_command(request.node, seed),
        module=request.module.__name__,
        allow_unmatched=bool(allow_unmatched),
        keep_texts=bool(said.get("keep_texts", request.config.getoption("--sim-keep-texts"))),
        **_bounds(request),
    )
    scenario = said.get("scenario")
    if scenario is not None:
        simulation.use_scenario(request.node.path.parent / scenario)
    with (
        provided_environment(),
        _closed_network(request.config) as network,
        state_taken_back(_test_modules(request.session)),
    ):
        request.node.stash[_SIMULATION] = simulation
        request.node.stash[_NETWORK] = network
        yield simulation
    store = request.config.getoption("--sim-store")
    if store is not None:
        from harness.sim.persist import keep

        keep(simulation, store, request.node.nodeid, request.node.path.parent)


def _bounds(request: pytest.FixtureRequest) -> dict[str, Any]:
    """How far the runs of a test may go, where the marker or the project says so."""
    said = _marked(request.node)
    bounds: dict[str, Any] = {"order": said["order"]} if "order" in said else {}
    for name, number in (("horizon_s", float), ("calls_per_task", int)):
        stated = request.config.getini(f"sim_{name}")
        if name in said:
            bounds[name] = said[name]
        elif stated:
            try:
                bounds[name] = number(stated)
            except ValueError:
                raise pytest.UsageError(f"sim_{name}: a number is wanted, not {stated!r}") from None
    return bounds


@pytest.hookimpl(wrapper=True, trylast=True)  # next to the test: the others see it as it is written
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Run an async test in the simulation; after a test that passed, see that all it said was needed."""
    __tracebackhide__ = True
    simulation = item.stash.get(_SIMULATION, None)
    if simulation is None:
        yield
        return
    from harness.sim.async_tests import run_in

    with run_in(simulation, item):
        yield
    refused = item.stash[_NETWORK].refused
    if refused and not simulation.runs:
        raise refused[0]  # the program took it without a word
    simulation.check()
    _check_budgets(item, simulation)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Begin the report of a failure with what the simulation says of it."""
    report = yield
    simulation = item.stash.get(_SIMULATION, None)
    if simulation is not None and report.when == "call":
        if report.failed and call.excinfo is not None:
            from harness.sim.short_report import shorten

            error = call.excinfo.value
            whole = item.config.getoption("fulltrace")
            shorten(report, error, simulation.tell_failure(error), whole=whole)
        hosts = {host for run in simulation.runs for host in run.unsimulated}
        report.user_properties += [(_REFUSED_HOST, host) for host in sorted(hosts)]
    gate = item.config.stash.get(_GATE, None)
    if gate is not None and _is_simulated(item):
        _hand_over(gate, item, report, simulation)
    if simulation is not None and report.when == "teardown":
        places = {error.what for error in item.stash[_NETWORK].refused}
        report.user_properties += [(_REFUSED_OUTSIDE, place) for place in sorted(places)]
        del item.stash[_SIMULATION], item.stash[_NETWORK]
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_logreport() -> Generator[None]:
    """Let plugins send their reports somewhere, which they do before the teardown of a test."""
    outside = sys.modules.get(
        "harness.virtual.outside"
    )  # not imported for those who never ask for it
    if outside is None:
        yield
        return
    with outside.opened_for_reporters():
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which hosts were refused, also where the program took it without a word; and of failures what nobody else says."""
    _tell_failures_without_tracebacks(terminalreporter)
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    refused = Counter(
        tuple(entry)
        for report in reports
        for entry in getattr(report, "user_properties", None) or ()
        if isinstance(entry, tuple | list)
        and len(entry) == 2
        and entry[0] in (_REFUSED_HOST, _REFUSED_OUTSIDE)
    )
    if refused:
        terminalreporter.section("simulation")
        for (kind, what), tests in sorted(refused.items()):
            terminalreporter.line(
                f"{what}: refused in {tests} {'test' if tests == 1 else 'tests'}, because {_WHY_REFUSED[kind]}"
            )


def _tell_failures_without_tracebacks(terminalreporter: pytest.TerminalReporter) -> None:
    """With --tb=no pytest shows nothing of a failure; what the simulation says is no traceback."""
    failed = terminalreporter.stats.get("failed", [])
    if not failed or terminalreporter.config.getoption("tbstyle") != "no":
        return
    from harness.sim.short_report import told_in

    told = [(report.nodeid, text) for report in failed if (text := told_in(report))]
    if told:
        terminalreporter.section("simulation")
    for name, text in told:
        terminalreporter.write_sep("_", name)
        terminalreporter.write_line(text)


def _closed_network(config: pytest.Config) -> AbstractContextManager[ClosedNetwork]:
    """The network outside of runs, without what the project allows."""
    from harness.virtual.outside import closed_network, place

    try:
        allowed = [place(text) for text in config.getini("sim_allow_hosts")]
    except ValueError as error:
        raise pytest.UsageError(f"sim_allow_hosts: {error}") from None
    return closed_network(allowed, _RUN_IT)


def _is_simulated(node: pytest.Item) -> bool:
    """Whether `sim` is among the fixtures of a test, and is ours: a project may have one of its own that is called so."""
    info = getattr(node, "_fixtureinfo", None)
    definitions = getattr(info, "name2fixturedefs", {}).get(_FIXTURE, ())
    for definition in reversed(
        definitions
    ):  # the nearest first; it may ask for the one that it overrides
        if getattr(definition.func, "__module__", "") == __name__:
            return True
        if _FIXTURE not in definition.argnames:
            return False
    return False


def _test_modules(session: pytest.Session) -> frozenset[str]:
    """Names of the modules of tests, conftests and plugins, whose state is nobody's program."""
    known = session.config.stash.get(_TEST_MODULES, None)
    if known is None:
        modules = [getattr(item, "module", None) for item in session.items]
        modules += session.config.pluginmanager.get_plugins()
        known = frozenset(one.__name__ for one in modules if type(one) is ModuleType)
        session.config.stash[_TEST_MODULES] = known
    return known


def _marked(node: pytest.Item) -> dict[str, Any]:
    """What the markers of a test say, the nearest first."""
    said: dict[str, Any] = {}
    for marker in node.iter_markers(_FIXTURE):
        if marker.args or not set(marker.kwargs) <= _OF_MARKER:
            raise pytest.UsageError(
                f"{node.nodeid}: the marker `sim` takes seed=, runs=, scenario=, horizon_s=, calls_per_task=, order=, "
                f"allow_unmatched= and keep_texts=, not {marker.args or marker.kwargs}"
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
    declared = [
        re.split(r"[(:]", line, maxsplit=1)[0].strip() for line in node.config.getini("markers")
    ]
    for marker in node.own_markers:
        # Declared twice, it is a marker of somebody else too.
        if marker.name in (_GATE_MARKER, *_BUDGETS) and declared.count(marker.name) == 1:
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


def _only_seed(request: pytest.FixtureRequest) -> int:
    """The seed of a test that was not multiplied when it was collected."""
    seeds = _seeds(request.config, request.node)
    if len(seeds) > 1:
        raise pytest.UsageError(
            f"{request.node.nodeid}: {len(seeds)} seeds are wanted, but the test gets `{_FIXTURE}` by "
            f'getfixturevalue, which pytest cannot know beforehand\n  How to fix: @pytest.mark.usefixtures("{_FIXTURE}")'
        )
    return seeds[0]


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

"""The fixture `sim`, and running a test in the simulation."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from harness.environment import provided_environment
from harness.errors import HarnessError
from harness.pytest_plugin.cassettes import note_use
from harness.pytest_plugin.marks import (
    BUDGETS,
    FIXTURE,
    bounds_of,
    budget,
    check_marks,
    check_marks_of_other,
    command_of,
    explore_budget_of,
    is_simulated,
    marked,
    only_seed,
    seeds_of,
)
from harness.pytest_plugin.options import ALLOW_UNMATCHED
from harness.pytest_plugin.stash import NETWORK, SIMULATION

if TYPE_CHECKING:
    from harness.sim import Sim
    from harness.virtual.outside import ClosedNetwork

_TEST_MODULES: pytest.StashKey[frozenset[str]] = pytest.StashKey()

_RUN_IT = (
    "call the program in a run: `sim.run(main, ...)`, or in the body of an async test; a fixture is no part of either. "
    "If a fixture needs a server of its own, such as a database: `sim_allow_hosts = host:port` in the pytest section of "
    "the configuration."
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a simulated test once for each seed."""
    try:
        seeds = _stated_seeds(metafunc)
    except pytest.UsageError as error:
        # pytest shows a usage error with all its own frames while it collects, and this one alone.
        raise pytest.Collector.CollectError(str(error)) from None
    if len(seeds) > 1:
        metafunc.parametrize(FIXTURE, seeds, indirect=True, ids=[f"seed={seed}" for seed in seeds])


def _stated_seeds(metafunc: pytest.Metafunc) -> Sequence[int]:
    """The seeds that a test's markers and the command line state; none of a test that is not simulated."""
    node = metafunc.definition
    if not is_simulated(node):
        check_marks_of_other(node)
        return ()
    check_marks(node)
    return seeds_of(metafunc.config, node)


def _use_files(simulation: Sim, request: pytest.FixtureRequest, said: Mapping[str, Any]) -> None:
    """Use the files that the marker names; what is wrong with them is told without a traceback, which has no line of the user's."""
    folder = request.node.path.parent
    try:
        if said.get("scenario") is not None:
            simulation.use_scenario(folder / said["scenario"])
        if said.get("cassette") is not None:
            mode = request.config.getoption("--sim-cassette-mode")
            simulation.cassette(folder / said["cassette"], mode=mode)
    except HarnessError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.fixture
def sim(request: pytest.FixtureRequest) -> Iterator[Sim]:
    """Simulated surroundings for a program: agents, providers, faults, and virtual time to run it in."""
    from harness.pytest_plugin.project import count_project_as_own
    from harness.sim import Sim
    from harness.sim.undo import state_taken_back

    count_project_as_own(request.config.rootpath)
    seed = getattr(request, "param", None)
    if seed is None:
        seed = only_seed(request)
    said = marked(request.node)
    allow_unmatched = said.get("allow_unmatched", request.config.getini(ALLOW_UNMATCHED))
    simulation = Sim(
        seed,
        command=command_of(request.node, seed),
        module=request.module.__name__,
        allow_unmatched=bool(allow_unmatched),
        keep_texts=bool(said.get("keep_texts", request.config.getoption("--sim-keep-texts"))),
        **bounds_of(request),
    )
    simulation.explore_budget = explore_budget_of(request)
    simulation.explore_replay = request.config.getoption("--sim-replay")
    cases = request.config.getoption("--sim-explore-cases")
    simulation.explore_cases = None if cases is None else Path(cases)
    _use_files(simulation, request, said)
    with (
        provided_environment(),
        _closed_network(request.config) as network,
        state_taken_back(_test_modules(request.session)),
    ):
        request.node.stash[SIMULATION] = simulation
        request.node.stash[NETWORK] = network
        yield simulation
    store = request.config.getoption("--sim-store")
    if store is not None:
        from harness.sim.persist import keep

        keep(simulation, store, request.node.nodeid, request.node.path.parent)


def _closed_network(config: pytest.Config) -> AbstractContextManager[ClosedNetwork]:
    """The network outside of runs, without what the project allows."""
    from harness.virtual.outside import closed_network, place

    try:
        allowed = [place(text) for text in config.getini("sim_allow_hosts")]
    except ValueError as error:
        raise pytest.UsageError(f"sim_allow_hosts: {error}") from None
    return closed_network(allowed, _RUN_IT)


def _test_modules(session: pytest.Session) -> frozenset[str]:
    """Names of the modules of tests, conftests and plugins, whose state belongs to no program."""
    known = session.config.stash.get(_TEST_MODULES, None)
    if known is None:
        modules = [getattr(item, "module", None) for item in session.items]
        modules += session.config.pluginmanager.get_plugins()
        known = frozenset(one.__name__ for one in modules if type(one) is ModuleType)
        session.config.stash[_TEST_MODULES] = known
    return known


@pytest.hookimpl(wrapper=True, trylast=True)  # next to the test: the others see it as it is written
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Run an async test in the simulation; after a test that passed, see that all it said was needed."""
    __tracebackhide__ = True
    simulation = item.stash.get(SIMULATION, None)
    if simulation is None:
        yield
        return
    from harness.sim.async_tests import run_in

    with run_in(simulation, item):
        yield
    refused = item.stash[NETWORK].refused
    if refused and not simulation.runs:
        raise refused[0]  # the program took it without a word
    simulation.check()
    note_use(item, simulation)
    _check_budgets(item, simulation)


def _check_budgets(item: pytest.Item, simulation: Sim) -> None:
    __tracebackhide__ = True
    latency_s, cost_usd = (budget(item, name) for name in BUDGETS)
    for run in simulation.runs:
        if latency_s is not None:
            run.assert_latency_below(latency_s)
        if cost_usd is not None:
            run.assert_cost_below(cost_usd)

"""Reports of simulated tests: failures, numbers for the gate, and hosts that were refused."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from harness.pytest_plugin.marks import FIXTURE, is_simulated, plain_name, seeds_of
from harness.pytest_plugin.stash import GATE, NETWORK, SIMULATION

if TYPE_CHECKING:
    from harness.gate.in_pytest import SessionGate
    from harness.sim import Sim

_REFUSED_HOST = "sim_refused_host"
"""The property of a report that names a host; properties reach the main process of pytest-xdist."""

_REFUSED_OUTSIDE = "sim_refused_outside"
"""Likewise, of what was refused because no run was active."""

_WHY_REFUSED = {_REFUSED_HOST: "nobody simulates it", _REFUSED_OUTSIDE: "no run was active"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Begin the report of a failure with what the simulation says of it."""
    report = yield
    simulation = item.stash.get(SIMULATION, None)
    if simulation is not None and report.when == "call":
        if report.failed and call.excinfo is not None:
            from harness.sim.short_report import shorten

            error = call.excinfo.value
            whole = item.config.getoption("fulltrace")
            shorten(report, error, simulation.tell_failure(error), whole=whole)
        hosts = {host for run in simulation.runs for host in run.unsimulated}
        report.user_properties += [(_REFUSED_HOST, host) for host in sorted(hosts)]
    gate = item.config.stash.get(GATE, None)
    if gate is not None and is_simulated(item):
        hand_over(gate, item, report, simulation)
    if simulation is not None and report.when == "teardown":
        places = {error.what for error in item.stash[NETWORK].refused}
        report.user_properties += [(_REFUSED_OUTSIDE, place) for place in sorted(places)]
        del item.stash[SIMULATION], item.stash[NETWORK]
    return report


def hand_over(
    gate: SessionGate, item: pytest.Item, report: pytest.TestReport, simulation: Sim | None
) -> None:
    """Let a report carry the numbers of its test to the gate."""
    seeds = seeds_of(item.config, item)
    seed = item.callspec.params.get(FIXTURE, seeds[0]) if hasattr(item, "callspec") else seeds[0]
    runs = [] if simulation is None else [run.spans_table for run in simulation.runs]
    gate.add_numbers(report, item, plain_name(item, seed), seed, seeds=len(seeds), runs=runs)


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
    """Say which hosts were refused, also if the program ignored it; and details of failures that are reported nowhere else."""
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

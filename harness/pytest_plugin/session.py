"""The beginning of a session: markers, keys, stand-ins, `--sim-check` and the gate."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import ExitStack
from typing import Any

import pytest

from harness.environment import help_for_missing_key, provided
from harness.errors import HarnessError
from harness.private_names import PYTEST, check_private_names
from harness.pytest_plugin import cassettes
from harness.pytest_plugin.marks import is_simulated
from harness.pytest_plugin.stash import GATE, SIMULATION


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, and make the gate ready if it is asked for."""
    try:
        check_private_names(PYTEST)
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from None
    config.addinivalue_line(
        "markers",
        "sim(seed=1, runs=1, scenario=None, horizon_s=604800, calls_per_task=10000, "
        "repeats_per_task=150, order=None, allow_unmatched=False, keep_texts=False, cassette=None): first seed of a simulated test, number of seeds, a scenario file that says who is there, the bounds of a run, which "
        "thread goes next (arrival or random), may calls match none of its agents, does --sim-store get prompts and replies, a recording that answers",
    )
    config.addinivalue_line(
        "markers",
        "sim_explore(runs=300, wall_s=60): how much sim.explore may spend in this test",
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
    config.pluginmanager.register(cassettes, "harness-cassettes")
    config.addinivalue_line("markers", "cost_budget(below_usd): every run of this test costs less")
    if config.getoption("--sim-keep-texts") and config.getoption("--sim-store") is None:
        raise pytest.UsageError("--sim-keep-texts needs --sim-store FILE, where they are written")
    digests_to = config.getoption("--sim-digests")
    if config.getoption("--sim-check") or digests_to is not None:
        if config.getoption("numprocesses", None):
            raise pytest.UsageError("--sim-check compares processes by itself; leave out -n")
        from harness.sim.check_in_pytest import Check

        check = Check(config, SIMULATION, is_simulated, digests_to)
        config.pluginmanager.register(check, "sim-check")
    if config.getoption("--sim-gate") is not None:
        from harness.gate.in_pytest import session_gate

        config.stash[GATE] = session_gate(config)
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

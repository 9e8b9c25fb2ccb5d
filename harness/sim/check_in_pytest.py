"""`pytest --sim-check`: run each test twice here and three times in fresh processes, and compare."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from harness.errors import HarnessError
from harness.run.digest import Digest, as_json, digest_of, from_json
from harness.run.sameness import Five, judge, told
from harness.run.watched_files import files_written
from harness.sim.program_run import ProgramRun
from harness.sim.sim import Sim

_HASH_SEEDS = ("1", "1", "2")
"""Of the fresh processes."""


class Check:
    """Runs simulated tests again and compares; a plugin of its own.

    Args:
        config: The session's.
        simulation: Where a test keeps its simulation.
        is_simulated: Tells whether a test has one.
        digests_to: Where a fresh process leaves its digests; None in the process that compares.
    """

    def __init__(
        self,
        config: pytest.Config,
        simulation: pytest.StashKey[Sim],
        is_simulated: Callable[[pytest.Item], bool],
        digests_to: str | None,
    ) -> None:
        self._config = config
        self._simulation = simulation
        self._is_simulated = is_simulated
        self._digests_to = digests_to
        self._seen: dict[str, list[list[Digest]]] = {}
        """The runs of each test, once for each time that the test has passed."""
        self._told: list[str] = []
        self._compared = 0
        self._written: set[str] = set()
        self._watch = ExitStack()
        if digests_to is not None:
            self._written = self._watch.enter_context(files_written())

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what is not simulated; this session is for the others."""
        left = [item for item in items if not self._is_simulated(item)]
        if left:
            self._config.hook.pytest_deselected(items=left)
            items[:] = [item for item in items if item not in left]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> Any:  # noqa: ANN401 - a hook's result
        """Run a test that has passed once more."""
        result = yield
        if self._digests_to is None and item.nodeid in self._seen:
            item._initrequest()  # type: ignore[attr-defined]  # noqa: SLF001 - as plugins that rerun tests do
            runtestprotocol(item, log=False, nextitem=nextitem)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:  # noqa: ANN401 - see above
        """Keep what the runs of a test have in common."""
        report = yield
        simulation = item.stash.get(self._simulation, None)
        if call.when == "call" and report.passed and simulation is not None:
            written = tuple(sorted(self._written))
            self._written.clear()
            runs = [replace(_digest(run), written=written) for run in simulation.runs]
            self._seen.setdefault(item.nodeid, []).append(runs)
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Compare with fresh processes, or leave the digests for the process that does."""
        if self._digests_to is not None:
            seen = {test: [as_json(one) for one in times[0]] for test, times in self._seen.items()}
            Path(self._digests_to).write_text(json.dumps(seen), encoding="utf-8")
            return
        if not self._seen:
            return
        fresh = [self._in_fresh_process(hash_seed) for hash_seed in _HASH_SEEDS]
        for test, times in self._seen.items():
            runs = [*times, *(one[test] for one in fresh if test in one)]
            self._told += _differences(test, runs)
            self._compared += 1
        if self._told and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what differs."""
        if self._digests_to is None and self._seen:
            terminalreporter.section("simulation check")
            for text in self._told:
                terminalreporter.line(text)
            same = self._compared - len(self._told)
            terminalreporter.line(f"{same} of {self._compared} simulated tests give one execution")

    def _in_fresh_process(self, hash_seed: str) -> dict[str, list[Digest]]:
        with TemporaryDirectory() as folder:
            digests = Path(folder, "digests.json")
            words = [word for word in self._config.invocation_params.args if word != "--sim-check"]
            place = self._config.invocation_params.dir
            # The command `pytest` does not look for modules in the present folder, and `python -m pytest` does.
            safe = [] if {"", str(place)} & {*sys.path} else ["-P"]
            done = subprocess.run(  # noqa: S603 - ourselves
                [
                    sys.executable,
                    *safe,
                    "-m",
                    "pytest",
                    *words,
                    "--sim-digests",
                    str(digests),
                    "-q",
                ],
                cwd=place,
                env={**os.environ, "PYTHONHASHSEED": hash_seed},
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
            if not digests.exists():
                raise HarnessError(
                    f"a fresh process could not run the tests:\n{done.stdout[-2000:]}"
                )
            seen = json.loads(digests.read_text(encoding="utf-8"))
        return {test: [*map(from_json, times)] for test, times in seen.items()}


def _digest(run: ProgramRun) -> Digest:
    calls = [view._call for view in run.all_calls]  # noqa: SLF001 - of its own package
    return digest_of(run.spans_table, run.events_table, calls, str(run.output or run.error or ""))


def _differences(test: str, times: list[list[Digest]]) -> list[str]:
    """What to say of a test: nothing, or where it first differs."""
    if len(times) != len(Five._fields):
        return [f"{test}: passes here, and not each time that it is run again"]
    if len({len(runs) for runs in times}) > 1:
        return [f"{test}: has another number of runs each time"]
    for runs in zip(*times, strict=True):
        verdict = judge(Five(*runs))
        if verdict is not None:
            return [f"{test}: {told(verdict)}"]
    return []

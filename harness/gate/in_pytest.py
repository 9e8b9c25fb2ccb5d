"""The gate at the end of a pytest session: collect the results of tests, decide, and report.

pytest is not needed by anything else here: only the plugin imports this file.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from harness.errors import HarnessError
from harness.gate.by_test import (
    GatedTest,
    TestOutcome,
    compare_test,
    hand_over,
    options_of,
    take_over,
    update_test,
)
from harness.printable import printable_line
from harness.spans import Table

MARKER: Final = "sim_gate"

_PROPERTY: Final = "sim_gate"
"""The property of a report that holds a test's numbers; properties reach the main process of pytest-xdist."""

_GOOD: Final = ("identical", "within limit", "improved", "written", "unchanged")

_ENDED: Final = (
    pytest.ExitCode.OK,
    pytest.ExitCode.TESTS_FAILED,
    pytest.ExitCode.NO_TESTS_COLLECTED,
)
"""How a session ends that came to its end."""


class SessionGate:
    """The gate of one session; a plugin of pytest in the process that decides.

    Args:
        config: The session's configuration.
    """

    def __init__(self, config: pytest.Config) -> None:
        option = config.getoption
        self._shown: str = option("--sim-gate")
        self._folder: Path = config.invocation_params.dir / self._shown
        self._update: bool = option("--sim-gate-update")
        self._reason: str = option("--sim-gate-reason")
        self._strict: bool = option("--sim-gate-strict")
        self._tests: dict[str, GatedTest] = {}
        self._outcomes: list[TestOutcome] = []
        self._problem = ""
        self._is_over = False
        if self._folder.is_file():
            raise pytest.UsageError(f"--sim-gate {self._shown}: it is a file, not a folder")

    # -- where tests run ----------------------------------------------------------------------------------------------

    def limits_of(self, node: pytest.Item) -> tuple[str, ...] | None:
        """The limits of a test in command-line form, those of the nearest marker first; None if it has no marker.

        Raises:
            UsageError: A marker is written wrongly.
        """
        markers = list(node.iter_markers(MARKER))
        stated: dict[str, object] = {}
        for marker in markers:
            if marker.args:
                raise pytest.UsageError(
                    f'{node.nodeid}: the marker `{MARKER}` takes limits by name, such as latency_s_mean="10%", '
                    f"not {marker.args}"
                )
            stated = {**marker.kwargs, **stated}
        try:
            return options_of(stated) if markers else None
        except HarnessError as error:
            raise pytest.UsageError(f"{node.nodeid}: the marker `{MARKER}`: {error}") from None

    def add_numbers(
        self,
        report: pytest.TestReport,
        item: pytest.Item,
        test: str,
        seed: int,
        *,
        seeds: int,
        runs: Sequence[Table],
    ) -> None:
        """Attach the numbers of a marked test to its report, for the process that decides.

        Args:
            report: The report.
            item: The test.
            test: Its name without the seed.
            seed: The seed.
            seeds: How many it is run with.
            runs: The spans of the programs that it ran.
        """
        options = self.limits_of(item)
        ended = report.when == "call" or (report.when == "setup" and not report.passed)
        if options is None or not ended:
            return
        passed = report.passed and not hasattr(report, "wasxfail")
        broken = "" if passed else "failed" if report.failed else "skipped"
        runs = [] if broken else runs
        text = hand_over(test, seed, seeds=seeds, options=options, runs=runs, broken=broken)
        report.user_properties.append((_PROPERTY, text))

    # -- where it is decided ------------------------------------------------------------------------------------------

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Read the numbers attached to the report of a test."""
        for name, value in report.user_properties:
            if name == _PROPERTY:
                take_over(self._tests, str(value))

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Decide, and fail the session if required."""
        if session.config.option.collectonly or exitstatus not in _ENDED:
            return
        self._is_over = True
        self._outcomes = [
            update_test(test, self._folder, reason=self._reason)
            if self._update
            else compare_test(test, self._folder, strict=self._strict)
            for _, test in sorted(self._tests.items())
        ]
        if not any(it.counts for it in self._outcomes):
            self._problem = self._why_nothing()
        failed = self._problem or any(it.failed for it in self._outcomes)
        if failed and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Report the result of each test."""
        if not self._is_over:
            return
        terminalreporter.section("simulation gate")
        width = max((len(it.status) for it in self._outcomes), default=0)
        for it in self._outcomes:
            _tell(terminalreporter.line, it, width)
        if self._problem:
            terminalreporter.line(self._problem, red=True)
        elif self._outcomes:
            counted = Counter(it.status for it in self._outcomes)
            terminalreporter.line(", ".join(f"{n} {status}" for status, n in counted.items()))
        for advice in self._advice():
            terminalreporter.line(advice)

    def _why_nothing(self) -> str:
        done = "written" if self._update else "compared"
        if not self._tests:
            return f"Nothing was {done}: no test that ran uses `sim` and is marked `sim_gate`."
        if self._update:
            return "Nothing was written."
        if all(it.status == "new" for it in self._outcomes):
            return f"Nothing was compared: no test that ran has a baseline in {self._shown}."
        return "Nothing was compared."

    def _advice(self) -> list[str]:
        if self._update:
            return []
        command = f"pytest --sim-gate {shlex.quote(self._shown)} --sim-gate-update"
        statuses = {it.status for it in self._outcomes}
        found = []
        if "new" in statuses:
            found.append(f"To save a first baseline: {command}")
        if any(it.failed and it.counts for it in self._outcomes):
            found.append(f"If a change is wanted: {command} --sim-gate-reason TEXT")
        if "inconclusive" in statuses:
            found.append(
                "To decide what is inconclusive, run more seeds: @pytest.mark.sim(runs=16)"
            )
        return found


def session_gate(config: pytest.Config) -> SessionGate:
    """The gate of a session, put in its place.

    Raises:
        UsageError: Its folder is a file.
    """
    gate = SessionGate(config)
    # Workers of pytest-xdist run tests, and decide nothing.
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(gate, "sim-gate")
    return gate


def _tell(line: Callable[..., None], outcome: TestOutcome, width: int) -> None:
    red, green = outcome.failed, outcome.status in _GOOD and not outcome.failed
    text = printable_line(f"{outcome.status:<{width}}  {outcome.test}  {outcome.text}")
    line(text, red=red, green=green, yellow=not (red or green))
    for more in outcome.more:
        line(f"{'':<{width}}  {printable_line(more)}")

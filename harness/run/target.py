"""A scenario of a program of one's own: the function that does a task, run by `harness simulate`, and by tests."""

from __future__ import annotations

import inspect
from collections import Counter
from pathlib import Path
from typing import Any, Literal

from harness.environment import provided_environment
from harness.errors import HarnessError
from harness.kernel import run_program
from harness.kernel.arrivals import Arrival
from harness.kernel.kernel import DEFAULT_HORIZON_S
from harness.metrics import Finding, findings
from harness.models import Stub
from harness.run.surroundings import surroundings
from harness.run.wired import WiredWorld
from harness.run.workload import kind_of, run_workload, text_of
from harness.scenario import LoadedScenario, TargetScenario
from harness.scenario.stubs import find_function
from harness.spans import CANCELLED, ERROR, OK
from harness.wire import SEAMS, connected
from harness.wire.agents import Scope, inside


class TargetWorld:
    """The parts of one run of a program that a scenario names.

    Args:
        scenario: What to simulate.
        seed: The one integer that all chance follows from.
    """

    def __init__(self, scenario: LoadedScenario, seed: int) -> None:
        spec = scenario.spec
        assert isinstance(spec, TargetScenario), "a pattern has a world of its own"
        self.spec = spec
        found = surroundings(scenario)
        self._roles = found.roles
        self._wired = WiredWorld(
            seed,
            providers=found.providers,
            roles=found.roles,
            faults=found.faults,
            latency_factors=found.latency_factors,
            horizon_s=max(spec.horizon_s, DEFAULT_HORIZON_S),
            allow_unmatched=found.allow_unmatched,
        )
        self.log = self._wired.log
        self.failures: Counter[str] = Counter()
        """How many tasks each kind of error of the program has ended."""
        self._function: Any = find_function(spec.target, Path(scenario.source).parent.absolute())

    @property
    def stub_lines_used(self) -> dict[str, set[int]]:
        """The lines of each agent's script that were asked for."""
        return {
            role.name: role.content.used for role in self._roles if isinstance(role.content, Stub)
        }

    @property
    def faults_met(self) -> set[int]:
        """The faults, by number, that met at least one attempt."""
        return self._wired.faults_met

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What there is to say about how the program deals with its providers."""
        return tuple(findings(self.log.spans, self.log.events))

    @property
    def unsimulated(self) -> dict[str, int]:
        """The hosts that it wanted to reach and nobody simulates."""
        return dict(self._wired.unsimulated)

    def execute(self) -> Literal["done", "horizon"]:
        """Let the tasks come, and the program work on them."""
        wired = self._wired
        try:
            with connected(wired, SEAMS), provided_environment():
                ended = run_program(
                    wired.kernel,
                    run_workload(self.spec, wired.draws, self._work_on),
                    seed=wired.seed,
                )
            if wired.failure is not None:
                raise wired.failure
            return ended
        finally:
            wired.end()

    async def _work_on(self, number: int, arrival: Arrival) -> None:
        """Let the program work on one task, and record how it ended; an error of its own ends the task, not the run."""
        kind = kind_of(self.spec, self._wired.draws, number)
        span = self.log.open_task(kind.kind, number)
        status = CANCELLED
        try:
            with inside(Scope(span, None)):
                answer = self._function(*_arguments(self._function, text_of(kind, number)))
                if inspect.isawaitable(answer):
                    await answer
            status = OK
        except Exception as error:  # noqa: BLE001 - the program's own failure is what is measured
            said_by_harness = self._wired.failure or _harness_error_in(error)
            if said_by_harness is not None:
                raise said_by_harness from said_by_harness.__cause__
            status, span.error = ERROR, type(error).__name__
            self.failures[span.error] += 1
        finally:
            self.log.close(span, status)


def _harness_error_in(error: BaseException) -> HarnessError | None:
    """What harness says, also where a group of tasks has wrapped it."""
    if isinstance(error, HarnessError):
        return error
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return next((found for part in parts if (found := _harness_error_in(part))), None)


def _arguments(function: Any, text: str) -> tuple[str, ...]:  # noqa: ANN401 - the program's
    return (text,) if inspect.signature(function).parameters else ()

"""A scenario with a `target`: the user's function that does a task, run by `harness simulate` and by tests."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from harness.agents import Effect
from harness.chance import Draws
from harness.chance.arrivals import Arrival
from harness.environment import provided_environment
from harness.errors import HarnessError, LimitExceeded
from harness.kernel.kernel import CLEANUP_S
from harness.kernel.lineage import call_task_here
from harness.metrics import Finding, findings
from harness.metrics.history import BLOCKED
from harness.models import Request, Stub
from harness.run.failures import Failures
from harness.run.functions import is_async, modules_of_run
from harness.run.program_parts import parts_in_place
from harness.run.program_world import ProgramWorld
from harness.run.resume import Restored
from harness.run.stuck import StuckTasks
from harness.run.wiring import surroundings
from harness.run.workload import kind_of, path_of_task, run_workload, text_of
from harness.scenario import LoadedScenario, TargetScenario
from harness.scenario.functions import find_function
from harness.spans import CANCELLED, ERROR, OK, SpanLog
from harness.texts import Texts
from harness.virtual.threads import in_thread
from harness.virtual.unrun import refuse_unrun
from harness.virtual.world import run_here, simulated_world
from harness.wire import SEAMS, connected
from harness.wire.routing import Scope, inside

_GOES_ON = (
    f"The tasks that were left were cancelled then, and one still runs {CLEANUP_S:g} s later. "
    "Let it end on CancelledError, and wait without blocking."
)


class TargetWorld:
    """The parts of one run of a program that a scenario names.

    Args:
        scenario: What to simulate.
        seed: The integer from which all random values are derived, or the draws of the run.
    """

    def __init__(self, scenario: LoadedScenario, seed: int | Draws) -> None:
        spec = scenario.spec
        assert isinstance(spec, TargetScenario), "a pattern has a world of its own"
        self.spec = spec
        self._scenario = scenario
        self.draws = Draws.of(seed)
        self._functions: dict[str, Any] = {}
        """The functions that the scenario names, by name, in the modules of the run that goes on."""
        self.failures = Failures()
        self.on_task_end: Callable[[], None] | None = None
        """Called whenever a task has ended."""
        self._begin(0.0)

    def _begin(self, at_s: float) -> None:
        """Make all parts, with the clock at a time [s]."""
        if self.draws.choices is not None:
            self.draws.choices.begin()
        found = surroundings(self._scenario, self._stub)
        self._roles = found.roles
        self._wired = ProgramWorld(
            self.draws,
            providers=found.providers,
            roles=found.roles,
            faults=found.faults,
            latency_factors=found.latency_factors,
            horizon_s=self.spec.horizon_s + CLEANUP_S,
            calls_per_task=self.spec.calls_per_task,
            repeats_per_task=self.spec.repeats_per_task,
            begin_s=at_s,
            allow_unmatched=found.allow_unmatched,
            keep_texts=self._scenario.keep_texts,
        )
        self._stuck = StuckTasks(self._wired.log)
        self._wired.stop_task = self._stuck.stop

    def _stub(self, name: str) -> Callable[[Request], Any]:
        def stub(request: Request) -> Any:  # noqa: ANN401 - whatever the function gives
            return self._functions[name](request)  # found when the run begins

        return stub

    @property
    def log(self) -> SpanLog:
        """What happens."""
        return self._wired.log

    @property
    def texts(self) -> Texts | None:
        """What was read and written; None if it is not kept."""
        return self._wired.texts

    @property
    def stub_lines_used(self) -> dict[str, set[int]]:
        """The lines of each agent's script that were asked for."""
        return {
            role.name: role.content.used for role in self._roles if isinstance(role.content, Stub)
        }

    @property
    def faults_met(self) -> set[int]:
        """Numbers of the faults that applied to at least one attempt."""
        return self._wired.faults_met

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings about the program's use of its providers."""
        return tuple(findings(self.log.spans, self.log.events))

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Nothing: the program's own tools take effects that nobody sees."""
        return ()

    @property
    def restored(self) -> Restored:
        """Nothing: the program keeps its progress by itself."""
        return Restored()

    @property
    def unsimulated(self) -> dict[str, int]:
        """Hosts that are not simulated and that it tried to reach, with the number of tries."""
        return dict(self._wired.unsimulated)

    def execute(self) -> Literal["done", "horizon"]:
        """Run the tasks of the workload with the program.

        A program that waits while it is imported is imported once more, so early that it is ready at time 0.
        """
        status = self._execute()
        if status is None:
            self._begin(-self._wired.kernel.now_s())
            status = self._execute()
        assert status is not None, "the clock began before 0"
        return status

    def _execute(self) -> Literal["done", "horizon"] | None:
        """Import the program, and run it; None when it was not ready at time 0."""
        wired = self._wired
        kernel = wired.kernel
        began_s = kernel.now_s()
        try:
            with (
                connected(wired, SEAMS),
                provided_environment(),
                simulated_world(kernel, seed=self.draws),
                modules_of_run(self._scenario),
                self._functions_found(),
                parts_in_place(self.spec, wired),
            ):
                if kernel.now_s() > began_s == 0:
                    return None
                kernel.reach(0.0)
                ended = run_here(run_workload(self.spec, self.draws, self._work_on, self._stuck))
        except LimitExceeded as error:
            if error.limit != "horizon_s":
                raise
            raise LimitExceeded("horizon_s", self.spec.horizon_s, _GOES_ON, error.report) from None
        finally:
            wired.end()
        return ended

    @contextmanager
    def _functions_found(self) -> Iterator[None]:
        self._functions.update((name, find_function(name)) for name in self._scenario.functions)
        try:
            yield
        finally:
            self._functions.clear()

    async def _work_on(self, number: int, arrival: Arrival) -> None:
        """Run the program for one task, and record how it ended. An error of the program ends the task, not the run."""
        call_task_here(path_of_task(number))
        kind = kind_of(self.spec, self.draws, number)
        span = self.log.open_task(kind.kind, number, kind.customer, kind.priority)
        if span.arrival_s > arrival.at_s:
            self.log.event(BLOCKED, span, str(span.arrival_s - arrival.at_s))
            span.arrival_s = arrival.at_s
        status, output = CANCELLED, None
        try:
            with self._stuck.working_on(span):
                try:
                    with inside(Scope(span, None)):
                        output = await self._call(text_of(kind, number))
                    status = OK
                except asyncio.CancelledError:
                    if not self._stuck.why_stopped():
                        raise
                span.error = self._stuck.why_stopped()
                if span.error:
                    status = ERROR
                    self.failures.counts[span.error] += 1
        except Exception as error:  # noqa: BLE001 - the program's own failure is what is measured
            said_by_harness = self._wired.kernel.failure or _harness_error_in(error)
            if said_by_harness is not None:
                raise said_by_harness from said_by_harness.__cause__
            status, span.error = ERROR, self.failures.add(error)
        finally:
            self.log.close(span, status)
            self._wired.ledger.end_task(span, output)
            if self.on_task_end is not None:
                self.on_task_end()

    async def _call(self, text: str) -> object:
        function = self._functions[self.spec.target]
        arguments = _arguments(function, text)
        if is_async(function):
            answer = function(*arguments)
        else:
            answer = await in_thread(function, *arguments)
        answer = await answer if inspect.isawaitable(answer) else answer
        refuse_unrun(answer)
        return answer


def _harness_error_in(error: BaseException) -> HarnessError | None:
    """What harness says, also where a group of tasks has wrapped it."""
    if isinstance(error, HarnessError):
        return error
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return next((found for part in parts if (found := _harness_error_in(part))), None)


def _arguments(function: Any, text: str) -> tuple[str, ...]:  # noqa: ANN401 - the program's
    return (text,) if inspect.signature(function).parameters else ()

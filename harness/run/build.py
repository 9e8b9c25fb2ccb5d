"""Assemble the parts of one run from a scenario and a seed. Only this file knows all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Literal, cast

from harness.agents import Agent, Effect, Effects, Message, SimulatedTool, Task
from harness.agents.connect import connect
from harness.agents.message import USER, deliver
from harness.agents.reception import Reception
from harness.apis import vendor_of
from harness.chance import Draws
from harness.chance.arrivals import Arrival, Trace
from harness.chance.distributions import AnyDistribution
from harness.faults import FAULT_NAMES, Fault, FaultPlan, is_of_meaning, plan
from harness.faults.api import ToolFault
from harness.faults.in_team import TeamFaults
from harness.kernel import Kernel, run
from harness.kernel.choosing import kernel_for
from harness.kernel.kernel import CLEANUP_S
from harness.kernel.lineage import call_task_here
from harness.kernel.stopping import Killed, RunKilled
from harness.metrics import Finding
from harness.models import (
    CALL_ERRORS,
    Backend,
    Model,
    ModelError,
    ServedModel,
    Stub,
    error_name,
)
from harness.models.meaning import Ledger, Mind, Traits
from harness.models.verdict import without_wire
from harness.models.window import Window
from harness.patterns import NestedTeam, PatternError
from harness.provider import CachedBlocks, Prefix, Provider, Served
from harness.resilience import Shared
from harness.resilience.validation import Check
from harness.run.failures import Failures
from harness.run.functions import content_in
from harness.run.own_pattern import Members, made
from harness.run.resume import NOT_RESUMABLE, Restored, Resumable
from harness.run.stuck import StuckTasks
from harness.run.workload import kind_of, path_of_task, run_workload, text_of
from harness.scenario import LoadedScenario, Scenario
from harness.scenario.functions import find_function
from harness.scenario.members import AgentSpec
from harness.scenario.schema import Kind, ModelSpec
from harness.spans import CANCELLED, EFFECT, ERROR, OK, Span, SpanLog
from harness.state import StateError
from harness.texts import Texts
from harness.virtual.aside import Aside

_OWN_ERRORS = (PatternError, StateError)
"""What a pattern raises itself."""

_FAILURES = (*CALL_ERRORS, *_OWN_ERRORS)


class PatternRun:
    """The parts of one run.

    Args:
        scenario: What to simulate.
        seed: The integer from which all random values are derived, or the draws of the run.
        kept: Where its progress is kept, and when it is killed.
    """

    def __init__(
        self, scenario: LoadedScenario, seed: int | Draws, kept: Resumable = NOT_RESUMABLE
    ) -> None:
        spec = self.spec = scenario.of_pattern
        self.draws = Draws.of(seed)
        self.kernel = kernel_for(self.draws.choices, horizon_s=spec.horizon_s + CLEANUP_S)
        kept.watch(self.kernel)
        self._storage = kept.storage
        self._progress = kept.progress(self.kernel)
        self._shared = Shared()
        self.log = SpanLog(self.kernel.now_s)
        self._task_spans: dict[int, Span] = {}
        self._stuck = StuckTasks(self.log)
        note = self._note_effect if _effects_may_differ(spec) else None
        self._effects = Effects(self.kernel.now_s, self._storage, note)
        # What holds around the calls of a pattern is harness's own.
        self.findings: tuple[Finding, ...] = ()
        self.unsimulated: dict[str, int] = {}  # a pattern knows no hosts
        self.failures = Failures()
        """Its own errors; those of calls were told to it, and stand at the calls."""
        self._scenario = scenario
        self.ledger = Ledger(
            self.log,
            any(part.traits != Traits() for part in spec.agents.values())
            or any(map(is_of_meaning, spec.faults)),
        )
        """The claims of its replies."""
        self._aside = Aside(self.kernel)
        self.on_task_end: Callable[[], None] | None = None
        """Called whenever a task has ended."""
        self.texts = Texts() if scenario.keep_texts else None
        self.stubs: dict[str, Stub] = {}
        self.fault_plans: list[FaultPlan] = []
        self._plan = plan(spec.faults, FAULT_NAMES)
        self._providers = _providers(spec, self.kernel, self.draws)
        self._served = _served(spec, scenario)
        self._minds: dict[str, Mind] = {}
        self._caches = _caches(spec)
        self._tools = {
            name: SimulatedTool(name, part, self.draws, self._effects)
            for name, part in spec.tools.items()
        }
        self._team_faults = TeamFaults(
            self._plan,
            self.draws,
            self.log,
            {name: SimulatedTool(name, part, self.draws) for name, part in spec.tools.items()},
        )
        agents = {name: self._agent(name, part) for name, part in spec.agents.items()}
        for name, agent in agents.items():
            connect(agent, spec.policies_of(name), agents)
            summarizer = agent.context.summarizer
            agent.summarizer = None if summarizer is None else agents[summarizer]
        self.team = Members(agents)
        for name, pattern in spec.teams.items():
            self.team[name] = NestedTeam(name, made(pattern), self.team, self.log)
        self._team_faults.reached(self.team)
        self._pattern = made(spec.pattern)

    @property
    def stub_lines_used(self) -> dict[str, set[int]]:
        """The lines of each agent's script that were asked for; agents of one entry of the scenario have one script."""
        used: dict[str, set[int]] = {}
        for stub in self.stubs.values():
            used.setdefault(stub.agent, set()).update(stub.used)
        return used

    @property
    def faults_met(self) -> set[int]:
        """Numbers of the faults that met something."""
        return set().union(self._team_faults.met, *(plan.met for plan in self.fault_plans))

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What the tools did to the world."""
        return self._effects.all

    @property
    def restored(self) -> Restored:
        """What it was given back of a run that was killed."""
        found = self._progress
        if found is None:
            return Restored()
        return Restored(found.calls_restored, found.tool_uses_restored, found.tool_uses_in_doubt)

    def execute(self) -> Literal["done", "horizon", "killed"]:
        """Let the tasks come, and the pattern work on them."""
        try:
            status = self._execute()
            if self._storage is not None:
                self._storage.end()
        except (Killed, RunKilled):
            return "killed"
        return status

    def _execute(self) -> Literal["done", "horizon"]:
        """Run the tasks of the workload with the pattern."""
        work = run_workload(self.spec, self.draws, self._begin, self._stuck)
        if not self._scenario.functions:
            return run(self.kernel, work)
        from harness.virtual.world import run_here, simulated_world

        with simulated_world(self.kernel, seed=self.draws):  # functions of the user may wait
            return run_here(work)

    async def _begin(self, number: int, arrival: Arrival) -> None:
        call_task_here(path_of_task(number))
        await self.work_on(number, arrival)

    async def work_on(self, number: int, arrival: Arrival) -> None:
        """Run the pattern for one task, and record how it ended."""
        kind = kind_of(self.spec, self.draws, number)
        span = self.log.open_task(kind.kind, number, kind.customer, kind.priority)
        task = Task(
            number,
            kind.kind,
            span,
            customer=kind.customer or "",
            priority=kind.priority or 0,
            log=self.log,
        )
        self._team_faults.take_up(task)
        self._task_spans[number] = span
        message = self._first_message(kind, arrival, task)
        status, output = CANCELLED, None
        try:
            with self._stuck.working_on(span):
                answer = await self._answer(message)
            deliver([answer], USER, span, self.log, self.log.clock())
            status = OK
            output = answer.text
            if self._progress is not None:
                self._progress.end_task(number, answer=answer.text)
        except _FAILURES as error:
            status, span.error = ERROR, error_name(error)
            if isinstance(error, _OWN_ERRORS):
                self.failures.say(error)
            if self._progress is not None:
                self._progress.end_task(number, error=span.error)
        finally:
            self.log.close(span, status)
            self.ledger.end_task(span, output)
            if self.on_task_end is not None:
                self.on_task_end()

    async def _answer(self, message: Message) -> Message:
        """Run the pattern.

        Raises:
            ModelError: As the pattern raises it; or its agents wait for one another.
        """
        try:
            return await self._pattern.run(message, self.team)
        except asyncio.CancelledError:
            error = self._stuck.why_stopped()
            if not error:
                raise
            raise ModelError(error, None, "the task was stopped") from None

    def _note_effect(self, effect: Effect) -> None:
        span = self._task_spans[effect.task]
        self.log.event(EFFECT, span, f"{effect.tool} {effect.arguments}")

    def _first_message(self, kind: Kind, arrival: Arrival, task: Task) -> Message:
        input_tokens = arrival.input_tokens
        if kind.input_tokens is not None:
            input_tokens = self._drawn(kind.input_tokens, task, "input_tokens")
        task.output_tokens = arrival.output_tokens
        if arrival.prefix_blocks and input_tokens is not None:
            trace = self.spec.workload.arrivals
            assert isinstance(trace, Trace), "only a trace knows blocks"
            task.prefix = Prefix(arrival.prefix_blocks, trace.block_tokens, input_tokens)
        if kind.output_tokens is not None:
            task.output_tokens = self._drawn(kind.output_tokens, task, "output_tokens")
        text = text_of(kind, task.number)
        return Message.of_text(task, USER, text, tokens=input_tokens)

    def _drawn(self, size: AnyDistribution, task: Task, what: str) -> int:
        return round(size.sample(self.draws, "task", task.number, what))

    def _model(self, name: str, part: AgentSpec) -> Model:
        """What an agent asks."""
        content = content_in(self._scenario, name, find_function)
        if isinstance(content, Stub):
            self.stubs[name] = content
        faults = [
            planned
            for planned in self._plan
            if isinstance(planned.fault, Fault)
            and planned.fault.is_of(name)
            and planned.fault.model in (None, part.model)
        ]
        mine = FaultPlan(faults, self.draws, self.log.clock, FAULT_NAMES)
        self.fault_plans.append(mine)
        mind = self._minds[name] = Mind(content, part.traits, self.ledger, self.draws)
        backend = Backend(
            log=self.log,
            draws=self.draws,
            content=mind,
            aside=self._aside,
            provider=self._providers[self.spec.models[part.model].provider],
            served=self._served[part.model],
            judge=without_wire(mine.judge if faults or self.draws.choices is not None else None),
            output_tokens=part.output_tokens,
            traits=part.traits,
            latency_factor=self.spec.latency_factors.get(name, 1.0),
        )
        return ServedModel(
            backend, _window(part, self.spec.models[part.model]), self._caches.get(part.model)
        )

    def _agent(self, name: str, part: AgentSpec) -> Agent:
        policies = self.spec.policies_of(name)
        prices = self._scenario.prices[part.model]
        named = None if policies.validate is None else policies.validate.function
        model = self._model(name, part)
        agent = Agent(
            name,
            model,
            part.model,
            self.log,
            self.draws,
            policies,
            system=part.system,
            system_tokens=part.system_tokens,
            tools={tool: self._tools[tool] for tool in part.tools},
            texts=self.texts,
            progress=self._progress,
            meaning=self._minds.get(name),
            reception=_reception(part),
            context=part.context,
            shared=self._shared,
            price=None if prices is None else prices.cost_usd,
            # What it returns is looked at when it is called.
            check=None if named is None else cast("Check", find_function(named)),
        )
        if self._team_faults.concern_agents:
            agent.suffer(self._team_faults)
        return agent


def _reception(part: AgentSpec) -> Reception | None:
    if part.accepts is None and not part.versions:
        return None
    return Reception(accepts=part.accepts, versions=part.versions)


def _window(part: AgentSpec, model: ModelSpec) -> Window | None:
    if part.window_tokens is None:
        return None
    vendor = vendor_of(model.provider)
    is_anthropic = model.name.startswith("claude") if vendor is None else vendor.api == "anthropic"
    return Window(part.window_tokens, "anthropic" if is_anthropic else "openai")


def _served(spec: Scenario, scenario: LoadedScenario) -> Mapping[str, Served]:
    """Each model as its provider serves it."""
    return {
        name: Served(
            part.name,
            f"model {name}" if part.pool is None else f"pool {part.pool}",
            scenario.latencies[name],
            scenario.prices[name],
        )
        for name, part in spec.models.items()
    }


def _effects_may_differ(spec: Scenario) -> bool:
    """Whether tools may have other effects than they have uses."""
    return any(isinstance(fault, ToolFault) for fault in spec.faults) or any(
        part.idempotency_key is not None for part in spec.tools.values()
    )


def _providers(spec: Scenario, kernel: Kernel, draws: Draws) -> Mapping[str, Provider]:
    return {
        name: Provider(kernel.env, draws, name, part.settings)
        for name, part in spec.providers.items()
    }


def _caches(spec: Scenario) -> Mapping[str, CachedBlocks]:
    """The prompt caches of those models that state one."""
    return {
        name: CachedBlocks(part.prompt_cache)
        for name, part in spec.models.items()
        if part.prompt_cache is not None
    }

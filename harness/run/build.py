"""From a scenario and a seed to the parts of one run, put together. The only place that knows all of them."""

from __future__ import annotations

from collections.abc import Mapping

from harness.agents import Agent, SimulatedTool
from harness.faults import FAULT_NAMES, FaultyModel, plan
from harness.kernel import Draws, Kernel
from harness.kernel.kernel import DEFAULT_HORIZON_S
from harness.models import Model, PythonStub, Reply, Request, ServedModel, Stub
from harness.provider import Provider, Served
from harness.scenario import LoadedScenario
from harness.scenario.schema import AgentSpec, Scenario
from harness.scenario.stubs import find_function
from harness.spans import SpanLog


class World:
    """The parts of one run.

    Args:
        scenario: What to simulate.
        seed: The one integer that all chance follows from.
    """

    def __init__(self, scenario: LoadedScenario, seed: int) -> None:
        spec = scenario.spec
        self.spec = spec
        self.kernel = Kernel(horizon_s=max(spec.horizon_s, DEFAULT_HORIZON_S))
        self.draws = Draws(seed)
        self.log = SpanLog(self.kernel.now_s)
        self.stubs = {agent: Stub(script) for agent, script in scenario.scripts.items()}
        self.faulty: list[FaultyModel] = []
        self._plan = plan(spec.faults, FAULT_NAMES)
        self._providers = _providers(spec, self.kernel, self.draws)
        self._served = {
            name: Served(
                part.name,
                f"model {name}" if part.pool is None else f"pool {part.pool}",
                scenario.latencies[name],
                scenario.prices[name],
            )
            for name, part in spec.models.items()
        }
        self._tools = {
            name: SimulatedTool(name, part, self.draws) for name, part in spec.tools.items()
        }
        self.team = {name: self._agent(name, part) for name, part in spec.agents.items()}
        for name, agent in self.team.items():
            fallback = spec.policies_of(name).fallback
            agent.fallback = None if fallback is None else self.team[fallback]

    def _agent(self, name: str, part: AgentSpec) -> Agent:
        content: Model = self.stubs[name] if name in self.stubs else _other_content(name, part)
        model: Model = ServedModel(
            content,
            self._providers[self.spec.models[part.model].provider],
            self._served[part.model],
            self.draws,
            output_tokens=part.output_tokens,
            accuracy=part.accuracy,
        )
        faults = [
            planned
            for planned in self._plan
            if planned.fault.agent in (None, name) and planned.fault.model in (None, part.model)
        ]
        if faults:
            model = FaultyModel(model, faults, self.draws, self.log)
            self.faulty.append(model)
        return Agent(
            name,
            model,
            part.model,
            self.log,
            self.draws,
            self.spec.policies_of(name),
            system=part.system,
            system_tokens=part.system_tokens,
            tools={tool: self._tools[tool] for tool in part.tools},
        )


class _Sentence:
    """What an agent says when the scenario does not care: one sentence, always the same."""

    def __init__(self, agent: str) -> None:
        self._reply = Reply(f"{agent} has done its part")

    async def reply(self, request: Request) -> Reply:
        return self._reply


def _other_content(name: str, part: AgentSpec) -> Model:
    return _Sentence(name) if part.stub is None else PythonStub(find_function(part.stub), part.stub)


def _providers(spec: Scenario, kernel: Kernel, draws: Draws) -> Mapping[str, Provider]:
    return {
        name: Provider(
            kernel.env,
            draws,
            name,
            limits=part.limits,
            concurrency=part.concurrency,
            queue=part.queue,
            overload=part.overload,
            outages=part.outages,
        )
        for name, part in spec.providers.items()
    }

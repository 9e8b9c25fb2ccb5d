"""The effect of an agent's speed: the same seeds simulated with its attempts served faster.

Runs of the same seed meet the same luck, so that what differs is the speed and nothing else. Amdahl's law says what to
expect: an agent that has a tenth of the critical path gains a tenth of its own gain, and one beside the path nothing.
Queues and limits change that, which is why it is simulated and not computed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.errors import HarnessError
from harness.gate.comparison import Comparison, compared
from harness.gate.samples import Samples, SimulatedSide
from harness.metrics.critical_path import critical_paths
from harness.run import RunResult, default_jobs
from harness.scenario import LoadedScenario, TargetScenario, load_scenario
from harness.scenario.problems import allowed, nearest

METRICS: Final = ("latency_s_mean", "latency_s_p95", "cost_usd_mean")
"""What is compared."""

_TAIL: Final = 0.025
"""Intervals are of 95 %: they decide nothing and raise no alarm, so they may be narrower than the gate's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A scenario as it is: what every what-if of it is compared with."""

    scenario: LoadedScenario
    samples: Samples
    path_shares: Mapping[str, float]
    """By agent, its share of the critical paths of all measured tasks; of every agent that was called."""

    @property
    def agents(self) -> tuple[str, ...]:
        """The agents whose speed can be changed: those of the file, or those observed in a program."""
        return tuple(self.scenario.spec.agents) or tuple(self.path_shares)

    @property
    def unvaried(self) -> tuple[str, ...]:
        """The other agents of a program whose file names some."""
        return tuple(agent for agent in self.path_shares if agent not in self.agents)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The results with other speeds."""

    latency_factors: Mapping[str, float]
    """By agent, how many times as long as now its attempts take to serve."""
    path_shares: Mapping[str, float]
    """By the same agents, their shares of the critical path as it is now."""
    comparisons: tuple[Comparison, ...]
    """One for each of `METRICS`."""

    @property
    def change(self) -> float:
        """The change of the first metric; NaN when it was not measured."""
        change = self.comparisons[0].change
        return math.nan if change is None else change.value


def present(
    scenario: LoadedScenario,
    seeds: Sequence[int],
    on_run: Callable[[RunResult], None] | None = None,
) -> Present:
    """Simulate a scenario as it is, once for each seed; `on_run` is told of every run."""
    paths = _Paths(scenario)

    def add(run: RunResult) -> None:
        paths.add(run)
        if on_run is not None:
            on_run(run)

    side = SimulatedSide(scenario, default_jobs(scenario, len(seeds)), "now", add)
    samples = side(seeds)
    return Present(scenario=scenario, samples=samples, path_shares=paths.shares())


def what_if(now: Present, latency_factors: Mapping[str, float]) -> WhatIf:
    """Simulate the same seeds with changed speeds of some agents.

    Args:
        now: The scenario as it is.
        latency_factors: By agent, how many times as long as now its attempts are to take; 0.8 is 20 % faster.

    Raises:
        HarnessError: The scenario has no such agent.
    """
    check_agents(latency_factors, now.agents)
    stated = now.scenario.spec.latency_factors
    changed = {agent: stated.get(agent, 1.0) * factor for agent, factor in latency_factors.items()}
    override = f"latency_factors={json.dumps({**stated, **changed}, ensure_ascii=False)}"
    then = load_scenario(now.scenario.source, overrides=(*now.scenario.overrides, override))
    seeds = now.samples.seeds
    samples = SimulatedSide(then, default_jobs(then, len(seeds)), "then")(seeds)
    return WhatIf(
        latency_factors=dict(latency_factors),
        path_shares={agent: now.path_shares.get(agent, 0.0) for agent in latency_factors},
        comparisons=tuple(compared(now.samples, samples, it, tail=_TAIL) for it in METRICS),
    )


def one_by_one(now: Present, factor: float) -> list[WhatIf]:
    """Change the speed of every agent in turn, and sort by the gain, largest first."""
    found = [what_if(now, {agent: factor}) for agent in now.agents]
    return sorted(found, key=lambda it: math.inf if math.isnan(it.change) else it.change)


def check_agents(wanted: Mapping[str, float], known: Sequence[str]) -> None:
    """Raise an error for an unknown agent.

    Raises:
        HarnessError: Names it, and the agent that was probably meant.
    """
    for agent in wanted:
        if agent not in known:
            raise HarnessError(
                f"the scenario has no agent {agent!r}{nearest(agent, known) or allowed(known)}"
            )


def knows_agents_beforehand(scenario: LoadedScenario) -> bool:
    """Whether the file names the agents; a program of one's own may have others than it, or be asked without any."""
    return not isinstance(scenario.spec, TargetScenario) or bool(scenario.spec.agents)


class _Paths:
    """Adds the critical paths of runs up, agent by agent."""

    def __init__(self, scenario: LoadedScenario) -> None:
        self._warmup_tasks = scenario.spec.workload.warmup_tasks
        self._path_s = dict.fromkeys(scenario.spec.agents, 0.0)
        self._whole_s = 0.0

    def add(self, run: RunResult) -> None:
        """Count a run in."""
        for agent in run.tally.agents:
            self._path_s.setdefault(agent, 0.0)
        for task, segments in critical_paths(run.spans).items():
            if task <= self._warmup_tasks:
                continue
            for segment in segments:
                self._whole_s += segment.duration_s
                if segment.agent in self._path_s:
                    self._path_s[segment.agent] += segment.duration_s

    def shares(self) -> dict[str, float]:
        """The share of each agent; 0 when no task took time."""
        whole_s = self._whole_s or math.inf
        return {agent: path_s / whole_s for agent, path_s in self._path_s.items()}

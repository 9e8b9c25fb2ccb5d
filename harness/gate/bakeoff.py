"""Several ways to do the same tasks, simulated with the same seeds and compared with the first of them.

Every way is an ordinary scenario with one override, so its numbers are those of `harness simulate`. What they share is
their luck: tasks, sizes, faults and weather are drawn by what they are for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.errors import HarnessError
from harness.gate.comparison import Comparison, compared
from harness.gate.samples import Samples, SimulatedSide
from harness.metrics.limits import HIGHER_IS_BETTER
from harness.metrics.pareto import objectives_of, pareto_optimal
from harness.models import check_all_used, distinct
from harness.patterns import PATTERNS
from harness.run import Outcome, RunResult, default_jobs
from harness.scenario import LoadedScenario, Scenario, load_scenario
from harness.scenario.functions import is_function_name
from harness.scenario.problems import allowed, nearest
from harness.scenario.yaml_file import parse_yaml

METRICS: Final = (
    "latency_s_mean",
    "latency_s_p95",
    "cost_usd_mean",
    "success_rate",
    "quality_mean",
    "calls_mean",
    "messages_mean",
)
"""What is compared with the first way, where it was measured."""

WAITING_SHARE: Final = "waiting_share"
"""Waiting / (work + waiting): the share of the agents' time in which nothing worked for them."""

_TAIL: Final = 0.025
"""Intervals are of 95 %, as those of a what-if: nothing is decided here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One way, and what came of it."""

    name: str
    scenario: LoadedScenario
    samples: Samples
    outcome: Outcome
    differences: tuple[Comparison, ...]
    """Against the first way; empty for the first itself."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """The metrics of all its tasks, as `harness simulate` gives them, and the share of waiting."""
        metrics = dict(self.outcome.metrics)
        if "work_share" in metrics:
            metrics[WAITING_SHARE] = 1 - metrics["work_share"]
        return metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Bakeoff:
    """What came of all ways."""

    contestants: tuple[Contestant, ...]

    @property
    def scenario(self) -> str:
        """The name of the scenario."""
        return self.contestants[0].samples.scenario

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that every way was simulated with."""
        return self.contestants[0].samples.seeds

    @property
    def objectives(self) -> tuple[str, ...]:
        """The metrics by which a way is better than another."""
        return objectives_of([it.metrics for it in self.contestants])

    @property
    def better(self) -> str:
        """In words, which values of the objectives are the better ones."""
        less = [name for name in self.objectives if name not in HIGHER_IS_BETTER]
        more = [name for name in self.objectives if name in HIGHER_IS_BETTER]
        parts = [("less ", less), ("more ", more)]
        return " and ".join(word + ", ".join(names) for word, names in parts if names)

    @property
    def optimal(self) -> tuple[str, ...]:
        """The names of the ways than which no other is better in everything."""
        return pareto_optimal({it.name: it.metrics for it in self.contestants})


def contestants_of(
    file: Path,
    *,
    patterns: Sequence[str] | None = None,
    targets: Sequence[str] = (),
    overrides: Sequence[str] = (),
) -> dict[str, LoadedScenario]:
    """The ways that a file knows, by name, each as a scenario; all are read before anything runs.

    Args:
        file: The scenario. Without a section `bakeoff`, its own pattern or program is its one way.
        patterns: Which of them, in the order wanted; None means all.
        targets: Programs beside them, each as `module:function`.
        overrides: Changes to the scenario of all ways, each as `path=value`.

    Raises:
        HarnessError: The file is wrong, there is no such way, one is named twice, or there are fewer than two.
    """
    for override in overrides:
        if override.partition("=")[0] in ("pattern", "target"):
            raise HarnessError(
                f"--set {override}: a bake-off runs several patterns\n"
                "  How to fix: choose with --patterns, or name a program with --target"
            )
    changes = _changes(load_scenario(file, overrides=overrides))
    wanted = list(changes) if patterns is None else list(patterns)
    for name in wanted:
        if name not in changes:
            raise HarnessError(
                f"--patterns {name}: {file} has no such entry under bakeoff"
                f"{nearest(name, changes) or allowed(changes)}"
            )
    for target in targets:
        if not is_function_name(target):
            raise HarnessError(
                f"--target {target}: it is no function\n"
                "  How to fix: write it as module:function, and start from the folder that holds the module"
            )
    wanted += targets
    changes |= {target: (f"target={target}",) for target in targets}
    for name in wanted:
        if wanted.count(name) > 1:
            raise HarnessError(f"{name} is named twice\n  How to fix: leave one out")
    if len(wanted) < 2:
        raise HarnessError(
            f"{file}: a bake-off needs two patterns or more, and this is {', '.join(wanted) or 'none'}\n"
            f"  How to fix: name more with --patterns or --target{allowed(changes)}"
        )
    return {name: load_scenario(file, overrides=(*overrides, *changes[name])) for name in wanted}


def bake_off(
    contestants: Mapping[str, LoadedScenario],
    seeds: Sequence[int],
    on_run: Callable[[LoadedScenario, RunResult], None] | None = None,
) -> Bakeoff:
    """Simulate every way, once for each seed.

    Args:
        contestants: The ways, by name.
        seeds: The seeds, the same for all.
        on_run: Told of every run as it ends.

    Raises:
        HarnessError: A run led to something that cannot go on.
        StubError: A scripted reply was asked for in no run of any way.
    """
    found: list[Contestant] = []
    lines_used: dict[str, set[int]] = {}
    for name, scenario in contestants.items():

        def tell(run: RunResult, scenario: LoadedScenario = scenario) -> None:
            for agent, lines in run.stub_lines_used.items():
                lines_used.setdefault(agent, set()).update(lines)
            if on_run is not None:
                on_run(scenario, run)

        side = SimulatedSide(scenario, default_jobs(scenario, len(seeds)), name, tell)
        samples = side(seeds)
        differences = _differences(found[0].samples, samples) if found else ()
        found.append(
            Contestant(
                name=name,
                scenario=scenario,
                samples=samples,
                outcome=side.results.outcome(),
                differences=differences,
            )
        )
    _check_stubs(found[0].scenario, seeds, lines_used)
    return Bakeoff(contestants=tuple(found))


def _changes(scenario: LoadedScenario) -> dict[str, tuple[str, ...]]:
    """The names of a file's ways, each with the override that chooses it."""
    if scenario.contestants:
        return {name: (f"pattern={_as_yaml(name)}",) for name in scenario.contestants}
    spec = scenario.spec
    if not isinstance(spec, Scenario):
        return {spec.target: ()}
    kind = type(spec.pattern)
    return {next((name for name, it in PATTERNS.items() if it is kind), kind.__name__): ()}


def _as_yaml(name: str) -> str:
    return name if parse_yaml(name, name).data == name else json.dumps(name)


def _differences(base: Samples, samples: Samples) -> tuple[Comparison, ...]:
    measured = [metric for metric in METRICS if metric in base.names | samples.names]
    return tuple(compared(base, samples, metric, tail=_TAIL) for metric in measured)


def _check_stubs(
    scenario: LoadedScenario, seeds: Sequence[int], used: Mapping[str, set[int]]
) -> None:
    """Complain about scripted replies that no way asked for, of agents that were asked; fewer runs cannot tell."""
    spec = scenario.spec
    if seeds[0] == spec.seed and len(seeds) >= spec.runs:
        scripts = distinct(scenario.scripts.values())
        asked = [script for script in scripts if used.get(script.agent)]
        check_all_used(asked, used)

"""Convert the result of a run to the record that a store keeps."""

from __future__ import annotations

import dataclasses
from functools import cache
from importlib.metadata import version
from pathlib import Path

from harness.metrics import summarise
from harness.metrics.engine import engine_of
from harness.provider.limits import Limits
from harness.run.commit import commit_of
from harness.run.one import RunResult, replay_command
from harness.scenario import AnyScenario, LoadedScenario
from harness.store import RunRecord

__all__ = ["harness_version", "record", "replay_command"]


@cache
def harness_version() -> str:
    """The version of harness that is installed, read once a process: reading it takes as long as a call of a simulation."""
    return version("multiagent-harness")


def record(scenario: LoadedScenario, result: RunResult) -> RunRecord:
    """Put together what is kept of a run: where it comes from, its spans and events, and its metrics."""
    metrics, agents = summarise([result.tally])
    return RunRecord(
        scenario=scenario.spec.scenario,
        scenario_hash=scenario.digest,
        seed=result.seed,
        status=result.status,
        tasks=result.tally.tasks_in_all,
        warmup_tasks=scenario.spec.workload.warmup_tasks,
        makespan_s=result.tally.makespan_s,
        wall_s=result.wall_s,
        harness_version=harness_version(),
        commit_id=commit_of(Path(scenario.source).absolute().parent),
        source=scenario.source,
        command=replay_command(scenario, result.seed),
        spans=result.spans,
        events=result.events,
        metrics=metrics,
        agent_metrics=agents,
        budgets=[
            (metric, bound, value)
            for metric, budget in scenario.spec.budgets.items()
            for bound, value in budget.bounds().items()
        ],
        limits=_limits(scenario.spec),
        models=[
            (part.provider, name, part.pool or "") for name, part in scenario.spec.models.items()
        ],
        engine=engine_of(result.events),
        texts=result.texts,
    )


def _limits(spec: AnyScenario) -> list[tuple[str, str, float]]:
    """What the providers allow: provider, name of the limit, value."""
    stated = [
        (name, field, value)
        for name, provider in spec.providers.items()
        for field, value in [
            *dataclasses.asdict(provider.limits or Limits()).items(),
            ("concurrency", provider.concurrency),
        ]
    ]
    return [(name, field, value) for name, field, value in stated if value is not None]

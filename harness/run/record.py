"""From the result of a run to the record that a store keeps."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from harness.metrics import summarise
from harness.run.commit import commit_of
from harness.run.one import RunResult, replay_command
from harness.scenario import LoadedScenario
from harness.store import RunRecord

__all__ = ["DISTRIBUTION", "record", "replay_command"]

DISTRIBUTION = "multiagent-harness"


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
        harness_version=version(DISTRIBUTION),
        commit_id=commit_of(Path(scenario.source).absolute().parent),
        source=scenario.source,
        command=replay_command(scenario, result.seed),
        spans=result.spans,
        events=result.events,
        metrics=metrics,
        agent_metrics=agents,
    )

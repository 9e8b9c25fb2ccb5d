"""Write the runs of a test to a store."""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.metrics import summarise, tally
from harness.metrics.engine import engine_of
from harness.run.commit import commit_of
from harness.run.record import harness_version
from harness.sim.program_run import ProgramRun
from harness.sim.sim import Sim
from harness.store import RunRecord, Store


def keep(simulation: Sim, store: str | Path, test: str, folder: str | Path = ".") -> list[int]:
    """Write all runs of a test.

    Args:
        simulation: The test's simulation.
        store: The DuckDB file; several processes may write it.
        test: The test's name, which the runs get.
        folder: Where the test stands; the runs get the commit that is checked out there.

    Returns:
        The ids of the runs.
    """
    commit_id = commit_of(Path(folder).absolute())
    return Store(store).write([_record(run, test, commit_id) for run in simulation.runs])


def _record(run: ProgramRun, test: str, commit_id: str) -> RunRecord:
    spans = run.spans_table
    found = tally(spans, agents=run.agents)
    metrics, agents = summarise([found])
    return RunRecord(
        scenario=test,
        scenario_hash=hashlib.sha256(test.encode()).hexdigest()[:16],
        seed=run.seed,
        status="done",
        tasks=found.tasks_in_all,
        warmup_tasks=0,
        makespan_s=found.makespan_s,
        wall_s=run.wall_s,
        harness_version=harness_version(),
        commit_id=commit_id,
        source=test.partition("::")[0],
        command=run.command,
        spans=spans,
        events=run.events_table,
        metrics=metrics,
        agent_metrics=agents,
        engine=engine_of(run.events_table),
        texts=run.texts_table,
    )

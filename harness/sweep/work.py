"""What a worker does: execute some runs of one scenario, here or on another machine.

A worker opens no store. It returns its runs in columns, or writes them to a shard (`shards.py`).
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.run import simulate
from harness.run.record import harness_version, record
from harness.scenario import LoadedScenario
from harness.scenario.functions import read_functions
from harness.store import RunBatch, batch_of, joined
from harness.sweep.shards import write_shard


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Some runs of one point."""

    point: int
    """Its number."""
    scenario: LoadedScenario
    seeds: tuple[int, ...]
    program: str
    """Hash of the user's modules that it names, as the driver sees them."""
    harness_version: str
    shards: Path | None = None
    """The folder where runs are left with their spans; None if they are sent back."""

    def single(self) -> list[Job]:
        """The same runs, each as a job of its own."""
        return [dataclasses.replace(self, seeds=(seed,)) for seed in self.seeds]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Runs that were made."""

    runs: int
    """How many."""
    failed: int
    """In how many no task succeeded."""
    wall_s: float
    """Time that they took together [real s]."""
    batch: RunBatch | None
    """The runs; None if they are in a shard."""


def program_hash(scenario: LoadedScenario) -> str:
    """Hash of the user's own modules that a scenario names; the same wherever they are the same."""
    named = dict.fromkeys(scenario.functions, scenario.source)
    modules = read_functions(named, scenario.folder)
    return hashlib.sha256("\n".join(modules).encode()).hexdigest()[:16]


def execute(job: Job) -> Made:
    """Execute the runs of a job.

    Returns:
        What was made, with the runs in the order of the seeds.

    Raises:
        HarnessError: This worker has another harness or another version of the program; or a run cannot continue.
    """
    _check_versions(job)
    batches, failed, wall_s = list[RunBatch](), 0, 0.0
    for seed in job.seeds:
        run = record(job.scenario, simulate(job.scenario, seed))
        batches.append(batch_of(run))
        failed += run.metrics.get("success_rate") == 0
        wall_s += run.wall_s
    batch = joined(batches)
    if job.shards is not None:
        write_shard(job.shards, job.scenario.digest, job.seeds, batch)
    return Made(
        runs=len(job.seeds),
        failed=failed,
        wall_s=wall_s,
        batch=batch if job.shards is None else None,
    )


def _check_versions(job: Job) -> None:
    here = harness_version()
    if here != job.harness_version:
        raise HarnessError(
            f"a worker has harness {here}, and the sweep was started with {job.harness_version}\n"
            f"  How to fix: pip install 'multiagent-harness=={job.harness_version}' where the workers are"
        )
    if job.scenario.functions and program_hash(job.scenario) != job.program:
        names = ", ".join(job.scenario.functions)
        raise HarnessError(
            f"a worker has another version of the program {names} (in {job.scenario.folder})\n"
            "  How to fix: bring the same files to all workers, or install the program there as a wheel, and start them anew"
        )

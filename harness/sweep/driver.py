"""Run what a store does not hold yet, and go on when workers are lost.

What is there is told by the store alone: a run is one of a scenario's hash and a seed, so that a sweep that was killed is
resumed by the same command. Only this process opens the store.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from harness.errors import HarnessError
from harness.run.in_order import InOrder
from harness.run.keep import Keeping
from harness.run.record import harness_version
from harness.scenario import LoadedScenario
from harness.store import Store, queries
from harness.sweep.engines import HERE, Engine, is_worker_lost
from harness.sweep.shards import import_shards
from harness.sweep.work import Job, Made, execute, program_hash

_STRIKES: Final = 3
"""So often a seed may take its worker with it before it is given up."""

_HOPELESS: Final = 3
"""So many runs are given up before it ends, if none was made."""

_SHARES: Final = 16
"""Into so many jobs the work of a worker is divided, so that all end at about the same time."""

_TASKS_A_JOB: Final = 4_000
"""A job is no larger, so that little is lost with a worker and progress is seen."""

Wanted = Sequence[tuple[int, LoadedScenario, Sequence[int]]]
"""Runs: number of the point, its scenario, seeds."""

Keep = Callable[[Made], None]
"""What is done with runs that were made."""


@dataclass(slots=True)
class Sweeping:
    """A sweep that goes on: runs are asked for, and those that are missing are made.

    Args:
        store: Where runs are kept, and looked for.
        engine: Where they are executed.
        shards: The folder where workers leave runs; None if they send them back.
        on_made: Called whenever runs are done.
    """

    store: Store
    engine: Engine
    shards: Path | None = None
    on_made: Callable[[Made], None] = lambda _: None
    given_up: list[tuple[int, int]] = field(default_factory=list)
    """Point and seed of runs that took their worker with them every time."""
    made: int = 0
    """How many runs were made so far."""
    cpu_s: float = 0.0
    """Time that they have taken, in all workers [real s]."""

    def ensure(self, wanted: Wanted) -> int:
        """Make sure that the store holds some runs.

        Returns:
            How many were made now.

        Raises:
            HarnessError: A run cannot continue, a worker has another version, or the store cannot be written.
        """
        hashes = [scenario.digest for _, scenario, _ in wanted]
        if self.shards is not None:
            import_shards(self.shards, self.store, hashes)
        there = seeds_there(self.store, hashes)
        jobs = list(self._jobs(wanted, there))
        before = self.made

        def keep(made: Made) -> None:
            if made.batch is not None:
                keeping.add_batch(made.batch)
            self.cpu_s += made.wall_s
            self.made += made.runs
            self.on_made(made)

        with Keeping(self.store) as keeping:
            self._run(jobs, keep)
        if self.shards is not None:
            import_shards(self.shards, self.store, hashes)
        return self.made - before

    def _jobs(self, wanted: Wanted, there: dict[str, set[int]]) -> Iterator[Job]:
        programs = dict[str, str]()
        missing: list[tuple[int, LoadedScenario, tuple[int, ...]]] = []
        for point, scenario, seeds in wanted:
            known = there.setdefault(scenario.digest, set())
            known.update(seed for given_up, seed in self.given_up if given_up == point)
            missing.append((point, scenario, tuple(seed for seed in seeds if seed not in known)))
            known.update(seeds)  # a later point may be the same scenario
        in_all = sum(len(seeds) for _, _, seeds in missing)
        for point, scenario, seeds in missing:
            if scenario.digest not in programs:
                programs[scenario.digest] = program_hash(scenario) if scenario.functions else ""
            size = self._size(scenario, in_all)
            for start in range(0, len(seeds), size):
                yield Job(
                    point=point,
                    scenario=scenario,
                    seeds=seeds[start : start + size],
                    program=programs[scenario.digest],
                    harness_version=harness_version(),
                    shards=None if self.shards is None else self.shards.absolute(),
                )

    def _size(self, scenario: LoadedScenario, runs: int) -> int:
        """How many runs of a point are one job."""
        tasks = scenario.spec.workload.tasks or _TASKS_A_JOB
        share = math.ceil(runs / (self.engine.jobs * _SHARES))
        return max(1, min(share, _TASKS_A_JOB // tasks))

    def _run(self, jobs: Sequence[Job], keep: Keep) -> None:
        if self.engine == HERE:
            for job in jobs:
                for one in job.single():  # so that an interruption loses one run
                    keep(execute(one))
            return
        left, strikes = deque(jobs), Counter[tuple[int, int]]()
        while left:
            suspects = self._until_lost(left, keep)
            for job in suspects:
                self._alone(job, strikes, keep)

    def _until_lost(self, left: deque[Job], keep: Keep) -> list[Job]:
        """Run jobs until all are done or a worker is lost.

        Returns:
            The runs that were under way when a worker was lost, each as a job of its own: any of them may be why.
        """
        jobs = InOrder(left, self.engine.jobs, keep)
        try:
            with self.engine.executor() as executor:
                try:
                    while jobs.step(partial(_submitted, executor)):
                        pass
                finally:
                    self.engine.abandon(jobs.futures)
        except BaseException as error:
            suspects = jobs.take_done()
            if not is_worker_lost(error):
                raise
            return [one for job in suspects for one in job.single()]
        return []

    def _alone(
        self,
        job: Job,
        strikes: Counter[tuple[int, int]],
        keep: Keep,
    ) -> None:
        """Run one run by itself, until it is done or has taken its worker with it three times."""
        key = (job.point, job.seeds[0])
        while strikes[key] < _STRIKES:
            try:
                with self.engine.alone().executor() as executor:
                    made = _submitted(executor, job).result()
            except Exception as error:
                if not is_worker_lost(error):
                    raise
                strikes[key] += 1
                continue
            keep(made)
            return
        self.given_up.append(key)
        if self.made == 0 and len(self.given_up) >= _HOPELESS:
            raise HarnessError(
                f"{len(self.given_up)} runs took their worker with them {_STRIKES} times each, and none could be made\n"
                "  How to fix: see that a run works in this process (--jobs 1), and that workers of the engine start"
            )


def _submitted(executor: Executor, job: Job) -> Future[Made]:
    """Give a job to an executor, which may be the user's."""
    try:
        return executor.submit(execute, job)
    except HarnessError:
        raise
    except Exception as error:
        if is_worker_lost(error):
            raise
        raise HarnessError(
            f"the engine's executor took no job: {error!r}\n"
            "  How to fix: see that its `submit` works here with a function of a module and its arguments"
        ) from error


def seeds_there(store: Store, scenario_hashes: Iterable[str]) -> dict[str, set[int]]:
    """The seeds of which a store holds runs of this harness, by the scenario's hash."""
    if not store.path.exists():
        return {}
    found: dict[str, set[int]] = {}
    for scenario_hash, seed, _ in queries.runs_there(store, scenario_hashes, harness_version()):
        found.setdefault(scenario_hash, set()).add(seed)
    return found

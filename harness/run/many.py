"""Many runs in any `concurrent.futures.Executor`, with results in the order of the seeds.

Each run depends on its seed alone, so neither the number of processes nor the size of a batch changes a result.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from typing import TypeVar

from harness.run.in_order import InOrder
from harness.run.one import RunResult, simulate
from harness.run.pool import process_pool
from harness.run.undisturbed import undisturbed
from harness.scenario import LoadedScenario

T = TypeVar("T")

_BATCHES_PER_JOB = 4
"""Enough that no process idles for long at the end, few enough that sending work costs nothing."""

_TASKS_WORTH_A_PROCESS = 4000
"""Starting a process costs about half a second of CPU, as much as simulating so many tasks of a few calls. A batch is
no larger either, so that an interruption loses little."""


def simulate_many(
    scenario: LoadedScenario,
    seeds: Sequence[int],
    *,
    executor: Executor | None = None,
    jobs: int = 1,
) -> Iterator[RunResult]:
    """Execute one run for each seed.

    Args:
        scenario: What to simulate.
        seeds: The seeds, in the order in which results are wanted.
        executor: Where to run; None means here, one after another. It stays open.
        jobs: How many runs the executor does at once; decides the size of batches, and nothing else.

    Yields:
        Each result, as soon as it and all before it are there. Only a few batches are under way at a time, so that
        memory does not grow with the number of runs.
    """
    if executor is None:
        for seed in seeds:
            yield simulate(scenario, seed)
        return
    results = deque[RunResult]()
    batches = InOrder[Sequence[int], list[RunResult]](
        _batches(scenario, seeds, jobs), jobs, results.extend
    )
    try:
        while batches.step(lambda it: executor.submit(_simulate_batch, whole, scenario, it)):
            while results:
                yield results.popleft()
    finally:
        batches.cancel()


def simulate_each(
    take: Callable[[T], None],
    reduce: Callable[[RunResult], T],
    scenario: LoadedScenario,
    seeds: Sequence[int],
    *,
    executor: Executor | None = None,
    jobs: int = 1,
    on_task_end: Callable[[], None] | None = None,
) -> None:
    """Execute one run for each seed, and pass its reduced result on: in the order of the seeds, and whatever is done, also after an error.

    Args:
        take: Told of each reduced result, in this process. A signal that ends the process waits for it.
        reduce: Reduces a result in the process of the run; only its return value is sent back.
        scenario: What to simulate.
        seeds: The seeds.
        executor: Where to run, which stays open; None means here, or in processes of its own when there are several jobs.
        jobs: How many runs are done at once; tell it of an executor too.
        on_task_end: Called whenever a task of a run in this process has ended.

    Raises:
        HarnessError: A run cannot continue, or no process can be started.
    """
    if executor is None and jobs == 1:
        for seed in seeds:
            reduced = reduce(simulate(scenario, seed, on_task_end=on_task_end))
            with undisturbed():
                take(reduced)
        return

    def take_batch(batch: list[T]) -> None:
        for reduced in batch:
            take(reduced)

    batches = InOrder(_batches(scenario, seeds, jobs), jobs, take_batch)
    own = process_pool(jobs, __name__) if executor is None else nullcontext(executor)
    try:
        with own as there:
            while batches.step(lambda it: there.submit(_simulate_batch, reduce, scenario, it)):
                pass
    except BaseException:
        batches.take_done()
        if executor is not None:
            batches.cancel()
        raise


def _batches(scenario: LoadedScenario, seeds: Sequence[int], jobs: int) -> deque[Sequence[int]]:
    tasks = scenario.spec.workload.tasks or _TASKS_WORTH_A_PROCESS
    share = math.ceil(len(seeds) / (jobs * _BATCHES_PER_JOB))
    size = max(1, min(share, _TASKS_WORTH_A_PROCESS // tasks))
    return deque(seeds[start : start + size] for start in range(0, len(seeds), size))


def default_jobs(scenario: LoadedScenario, runs: int) -> int:
    """Number of processes to start: at most one per core and one per run, and none for small workloads."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    tasks = scenario.spec.workload.tasks or _TASKS_WORTH_A_PROCESS
    return max(1, min(cores, runs, tasks * runs // _TASKS_WORTH_A_PROCESS))


def _simulate_batch(
    reduce: Callable[[RunResult], T], scenario: LoadedScenario, seeds: Sequence[int]
) -> list[T]:
    return [reduce(simulate(scenario, seed)) for seed in seeds]


def whole(result: RunResult) -> RunResult:
    """Make nothing of a result."""
    return result

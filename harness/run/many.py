"""Many runs, side by side in any `concurrent.futures.Executor`, with results in the order of the seeds.

Each run depends on its seed alone, so neither the number of processes nor the size of a batch changes a result.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from itertools import islice

from harness.run.one import RunResult, simulate
from harness.scenario import LoadedScenario

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
        The result of each run, as soon as it and all before it are there. Only a few batches are under way at a
        time, so that memory does not grow with the number of runs.
    """
    if executor is None:
        for seed in seeds:
            yield simulate(scenario, seed)
        return
    tasks = scenario.spec.workload.tasks or _TASKS_WORTH_A_PROCESS
    size = max(
        1, min(math.ceil(len(seeds) / (jobs * _BATCHES_PER_JOB)), _TASKS_WORTH_A_PROCESS // tasks)
    )
    batches = iter([seeds[start : start + size] for start in range(0, len(seeds), size)])
    under_way: deque[Future[list[RunResult]]] = deque(
        executor.submit(_simulate_batch, scenario, batch) for batch in islice(batches, jobs * 2)
    )
    try:
        while under_way:
            results = under_way.popleft().result()
            under_way.extend(
                executor.submit(_simulate_batch, scenario, batch) for batch in islice(batches, 1)
            )
            yield from results
    finally:
        for future in under_way:
            future.cancel()


def processes(jobs: int) -> ProcessPoolExecutor:
    """An executor of fresh processes; nothing of this one's state reaches them."""
    return ProcessPoolExecutor(
        jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_begin_worker
    )


def simulate_jobs(scenario: LoadedScenario, seeds: Sequence[int], jobs: int) -> Iterator[RunResult]:
    """Execute one run for each seed, in processes of its own when there are several jobs; see `simulate_many`."""
    if jobs == 1:
        yield from simulate_many(scenario, seeds)
        return
    with processes(jobs) as executor:
        try:
            yield from simulate_many(scenario, seeds, executor=executor, jobs=jobs)
        except BaseException:
            _stop(executor)
            raise


def _stop(executor: ProcessPoolExecutor) -> None:
    """End an executor's processes at once, in the middle of what they do."""
    # There is no public way to say that nobody will read what is on its way to them, nor write the rest of an answer that
    # one of them was ended in: both would be waited for when Python exits.
    executor._call_queue.cancel_join_thread()  # type: ignore[attr-defined]  # noqa: SLF001
    executor._result_queue._writer.close()  # type: ignore[attr-defined]  # noqa: SLF001
    executor.shutdown(wait=False, cancel_futures=True)
    for process in multiprocessing.active_children():
        process.terminate()


def default_jobs(scenario: LoadedScenario, runs: int) -> int:
    """How many processes are worth starting: at most one a core and one a run, and none for small work."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    tasks = scenario.spec.workload.tasks or _TASKS_WORTH_A_PROCESS
    return max(1, min(cores, runs, tasks * runs // _TASKS_WORTH_A_PROCESS))


def _simulate_batch(scenario: LoadedScenario, seeds: Sequence[int]) -> list[RunResult]:
    return [simulate(scenario, seed) for seed in seeds]


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, and end with it whatever ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()

"""Many runs in any `concurrent.futures.Executor`, with results in the order of the seeds.

Each run depends on its seed alone, so neither the number of processes nor the size of a batch changes a result.
"""

from __future__ import annotations

import math
import multiprocessing
import multiprocessing.resource_tracker
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import ParamSpec, TypeVar

from harness.run.one import RunResult, simulate
from harness.run.undisturbed import ENDING, undisturbed
from harness.scenario import LoadedScenario

T = TypeVar("T")
P = ParamSpec("P")

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
    on_task_end: Callable[[], None] | None = None,
) -> Iterator[RunResult]:
    """Execute one run for each seed; see `map_runs`."""
    return map_runs(whole, scenario, seeds, executor=executor, jobs=jobs, on_task_end=on_task_end)


def map_runs(
    reduce: Callable[[RunResult], T],
    scenario: LoadedScenario,
    seeds: Sequence[int],
    *,
    executor: Executor | None = None,
    jobs: int = 1,
    on_task_end: Callable[[], None] | None = None,
) -> Iterator[T]:
    """Execute one run for each seed, and return its reduced result.

    Args:
        reduce: Reduces a result in the process of the run; only its return value is sent back.
        scenario: What to simulate.
        seeds: The seeds, in the order in which results are wanted.
        executor: Where to run; None means here, one after another. It stays open.
        jobs: How many runs the executor does at once; decides the size of batches, and nothing else.
        on_task_end: Called whenever a task of a run here has ended.

    Yields:
        What is made of each run, as soon as it and all before it are there. Only a few batches are under way at a
        time, so that memory does not grow with the number of runs.
    """
    if executor is None:
        for seed in seeds:
            yield reduce(simulate(scenario, seed, on_task_end=on_task_end))
        return
    under_way: deque[Future[list[T]]] = deque()
    try:
        yield from _in_batches(executor, reduce, scenario, seeds, jobs, under_way)
    finally:
        for future in under_way:
            future.cancel()


def _in_batches(
    executor: Executor,
    reduce: Callable[[RunResult], T],
    scenario: LoadedScenario,
    seeds: Sequence[int],
    jobs: int,
    under_way: deque[Future[list[T]]],
) -> Iterator[T]:
    tasks = scenario.spec.workload.tasks or _TASKS_WORTH_A_PROCESS
    size = max(
        1, min(math.ceil(len(seeds) / (jobs * _BATCHES_PER_JOB)), _TASKS_WORTH_A_PROCESS // tasks)
    )
    batches = iter([seeds[start : start + size] for start in range(0, len(seeds), size)])
    for batch in islice(batches, jobs * 2):
        under_way.append(executor.submit(_simulate_batch, reduce, scenario, batch))
    while under_way:
        results = under_way.popleft().result()
        for batch in islice(batches, 1):
            under_way.append(executor.submit(_simulate_batch, reduce, scenario, batch))
        yield from results


class _Worker(SpawnProcess):
    def terminate(self) -> None:
        """End the process. It ignores SIGTERM, with which a pool that has lost a process ends the others before it waits for them."""
        self.kill()


class _Workers(SpawnContext):
    Process = _Worker


class _Pool(ProcessPoolExecutor):
    def submit(self, call: Callable[P, T], /, *args: P.args, **keywords: P.kwargs) -> Future[T]:
        """Do a call in a process. One is started if none is idle; half started, it would print a traceback, or be lost."""
        with undisturbed(), _signals_kept_from_children():
            return super().submit(call, *args, **keywords)


def processes(jobs: int) -> ProcessPoolExecutor:
    """An executor of fresh processes; nothing of this one's state reaches them."""
    with undisturbed(), _signals_kept_from_children():
        executor = _Pool(jobs, mp_context=_Workers(), initializer=_begin_worker)
    executor.submit(os.getpid)
    return executor


@contextmanager
def _signals_kept_from_children() -> Iterator[None]:
    """Context manager: children inherit blocked signals. A signal to the process group is handled by the parent, which ends its children."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        # It is started with the first process, and inherits what is blocked as well; but then some is unblocked here.
        multiprocessing.resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def simulate_jobs(
    scenario: LoadedScenario,
    seeds: Sequence[int],
    jobs: int,
    on_task_end: Callable[[], None] | None = None,
) -> Iterator[RunResult]:
    """Execute one run for each seed, in processes of its own when there are several jobs; see `simulate_many`."""
    return map_jobs(whole, scenario, seeds, jobs, on_task_end)


def map_jobs(
    reduce: Callable[[RunResult], T],
    scenario: LoadedScenario,
    seeds: Sequence[int],
    jobs: int,
    on_task_end: Callable[[], None] | None = None,
) -> Iterator[T]:
    """Execute one run for each seed, in processes of its own when there are several jobs; see `map_runs`."""
    if jobs == 1:
        yield from map_runs(reduce, scenario, seeds, on_task_end=on_task_end)
        return
    with process_pool(jobs) as executor:
        yield from _in_batches(executor, reduce, scenario, seeds, jobs, deque())


@contextmanager
def process_pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Context manager: an executor of fresh processes, which end at once after an error, in the middle of what they do."""
    with processes(jobs) as executor:
        try:
            yield executor
        except BaseException:
            _stop(executor)
            raise


def _stop(executor: ProcessPoolExecutor) -> None:
    """End an executor's processes at once, in the middle of what they do; others of this process are left alone."""
    # There is no public way before Python 3.14 to name its processes, nor one to say that queued work will not be read and that
    # an answer which was cut off by the end of a process will not be completed: both would be waited for.
    ours = list((executor._processes or {}).values())  # noqa: SLF001
    executor._call_queue.cancel_join_thread()  # type: ignore[attr-defined]  # noqa: SLF001
    executor._result_queue._writer.close()  # type: ignore[attr-defined]  # noqa: SLF001
    for process in ours:
        process.kill()
    # Nothing is cancelled: Python 3.11 complains, in a thread of its own, about what was cancelled when processes end.
    executor.shutdown(wait=True)


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


def _begin_worker() -> None:
    """Leave it to the parent when to end, and end with it whatever ends it."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()

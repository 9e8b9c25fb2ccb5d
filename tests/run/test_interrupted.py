"""Runs that are done are stored when a simulation is interrupted, also behind one that is not done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from harness.run import Simulation
from harness.store import Store, queries

SCENARIO = Path(__file__).parents[2] / "scenarios" / "hang.yaml"


class SlowAtFirst(Executor):
    """An executor of two threads that does the first batch when others are done, and then interrupts this process."""

    def __init__(self, threads: ThreadPoolExecutor, others: int) -> None:
        self.threads, self.others = threads, others
        self.ended, self.many = threading.Event(), threading.Semaphore(0)

    def submit(self, call: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:  # noqa: ANN401
        return self.threads.submit(self.work, call, *args)

    def work(self, call: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401
        seeds: Sequence[int] = args[-1]
        if seeds[0] == 1:
            for _ in range(self.others):
                assert self.many.acquire(timeout=10), "the other thread was given no more"
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            self.ended.wait(10)
        done = call(*args)
        self.many.release()
        return done


def test_what_is_done_behind_a_slow_run_is_kept_when_a_simulation_is_interrupted(
    tmp_path: Path,
) -> None:
    simulation, store = Simulation(SCENARIO), Store(tmp_path / "runs.duckdb")
    with ThreadPoolExecutor(2) as threads:
        executor = SlowAtFirst(threads, others=4)
        with pytest.raises(KeyboardInterrupt):
            simulation.run_many(8, executor=executor, jobs=2, store=store)
        executor.ended.set()
    stored = [run["seed"] for run in queries.runs(store)]
    assert stored[:4] == [2, 3, 4, 5]
    assert 1 not in stored


def test_interruption_while_a_run_is_stored_neither_loses_it_nor_stores_it_twice(
    tmp_path: Path,
) -> None:
    simulation, store = Simulation(SCENARIO), Store(tmp_path / "runs.duckdb")

    def interrupt(result: Any) -> int:  # noqa: ANN401
        if result.seed == 3:
            signal.raise_signal(signal.SIGINT)
        return int(result.seed)

    with pytest.raises(KeyboardInterrupt):
        simulation.run_many(8, store=store, reduce=interrupt)
    assert [run["seed"] for run in queries.runs(store)] == [1, 2, 3]

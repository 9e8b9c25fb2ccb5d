"""Runs that are missing are made, wherever and however often it is begun; lost workers lose nothing."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from harness import wall
from harness.errors import HarnessError
from harness.run.pool import Start, process_pool
from harness.run.record import harness_version
from harness.spans import as_json_lines
from harness.store import Store, queries
from harness.sweep import Engine, Plan, Sweeping, Swept, plan_of, read
from harness.sweep.axes import axis_of
from harness.sweep.engines import Processes, lasting
from harness.sweep.points import points_of
from harness.sweep.shards import shard_name
from harness.sweep.work import Job, Made, execute

ONE = Processes(1)

Work = Callable[[Job], Made]


def planned(file: Path, runs: int = 3) -> Plan:
    points = points_of([axis_of("agents.writer.model=fast,deep"), axis_of("workload.tasks=4,6")])
    return plan_of(file, points, runs=runs)


def wanted(plan: Plan) -> list[tuple[int, Any, tuple[int, ...]]]:
    return [
        (point.number, scenario, plan.seeds)
        for point, scenario in zip(plan.points, plan.scenarios, strict=True)
    ]


def swept(plan: Plan, store: Store) -> Swept:
    return read(
        store,
        [(*both, plan.seeds) for both in zip(plan.points, plan.scenarios, strict=True)],
    )


def bytes_of(plan: Plan, store: Store) -> list[Any]:
    """The metrics and spans of all points, by seed."""
    return [
        (
            {metric: result.values(metric) for metric in result.columns},
            [as_json_lines(queries.span_table(store, run)) for run in result.run_ids],
        )
        for result in swept(plan, store).results
    ]


@dataclass
class Dying:
    """An engine whose workers die at some runs; it works in threads, and says what a pool says."""

    dies: list[tuple[int, int]]
    """Point and seed; each entry kills one worker."""
    jobs: int = 2
    pools: int = 0
    done: list[tuple[int, int]] = field(default_factory=list)

    def alone(self) -> Engine:
        return self

    def abandon(self, futures: Iterable[Future[Any]]) -> None:
        for future in futures:
            future.cancel()

    @contextmanager
    def executor(self) -> Iterator[Executor]:
        self.pools += 1
        with ThreadPoolExecutor(1) as threads:
            yield _Pool(self, threads)


class _Pool(Executor):
    def __init__(self, engine: Dying, threads: ThreadPoolExecutor) -> None:
        self.engine, self.threads, self.broken = engine, threads, False

    def submit(self, function: Work, job: Job, /) -> Future[Any]:  # type: ignore[override]
        return self.threads.submit(self.work, function, job)

    def work(self, function: Work, job: Job) -> Made:
        for seed in job.seeds:
            if (job.point, seed) in self.engine.dies:
                self.engine.dies.remove((job.point, seed))
                self.broken = True
        if self.broken:
            raise BrokenProcessPool("a process died")
        self.engine.done += [(job.point, seed) for seed in job.seeds]
        return function(job)


def test_what_is_stored_is_not_run_again(file: Path, store: Store) -> None:
    plan = planned(file)
    sweeping = Sweeping(store, ONE)
    assert sweeping.ensure(wanted(plan)) == 12
    assert Sweeping(store, ONE).ensure(wanted(plan)) == 0
    assert Sweeping(store, ONE).ensure(wanted(planned(file, runs=5))) == 8
    assert [len(result.seeds) for result in swept(plan, store).results] == [3, 3, 3, 3]


def test_runs_of_harness_simulate_count(file: Path, store: Store) -> None:
    from harness import Simulation

    plan = planned(file)
    Simulation(file, overrides=["workload.tasks=4"]).run_many(3, store=store)
    assert (
        Sweeping(store, ONE).ensure(wanted(plan)[:1]) == 0
    )  # with `model=fast`, as the file says anyway
    assert Sweeping(store, ONE).ensure(wanted(plan)[:2]) == 3


def test_points_that_are_the_same_scenario_share_their_runs(file: Path, store: Store) -> None:
    """As samples of a short list are."""
    plan = plan_of(file, points_of([axis_of("workload.tasks=4,5")]), runs=2)
    (first, scenario, seeds), other = wanted(plan)
    assert (
        Sweeping(store, ONE).ensure([(first, scenario, seeds), other, (3, scenario, (1, 2, 3))])
        == 5
    )
    assert len(queries.runs(store)) == 5


@pytest.mark.parametrize("has_shards", [False, True])
def test_lost_workers_change_nothing(file: Path, store: Store, has_shards: bool) -> None:
    plan = planned(file)
    Sweeping(store, ONE).ensure(wanted(plan))
    other = Store("other.duckdb")
    engine = Dying(dies=[(1, 2), (3, 1), (3, 1)])
    sweeping = Sweeping(other, engine, Path("shards") if has_shards else None)
    assert sweeping.ensure(wanted(plan)) == 12
    assert engine.pools > 1
    assert not sweeping.given_up
    assert bytes_of(plan, other) == bytes_of(plan, store)
    assert not has_shards or not list(Path("shards").iterdir())


def test_seed_that_kills_three_workers_is_given_up_and_the_rest_is_done(
    file: Path, store: Store
) -> None:
    plan = planned(file)
    sweeping = Sweeping(store, Dying(dies=[(2, 3)] * 10))
    assert sweeping.ensure(wanted(plan)) == 11
    assert sweeping.given_up == [(2, 3)]
    assert [len(result.seeds) for result in swept(plan, store).results] == [3, 2, 3, 3]


def test_sweep_ends_when_no_run_can_be_made(file: Path, store: Store) -> None:
    plan = planned(file)
    engine = Dying(dies=[(point, seed) for point in range(1, 5) for seed in (1, 2, 3)] * 10)
    with pytest.raises(HarnessError, match=r"3 runs took their worker .* none could be made"):
        Sweeping(store, engine).ensure(wanted(plan))
    assert engine.pools < 20


def test_seed_that_was_given_up_is_not_tried_again(file: Path, store: Store) -> None:
    plan, engine = planned(file), Dying(dies=[(2, 3)] * 10)
    sweeping = Sweeping(store, engine)
    sweeping.ensure(wanted(plan))
    pools = engine.pools
    assert (sweeping.ensure(wanted(plan)), engine.pools) == (0, pools)


def test_questions_asked_one_after_another_share_a_pool_until_it_loses_a_worker(
    file: Path, store: Store
) -> None:
    asked, engine = wanted(planned(file)), Dying(dies=[])
    with lasting(engine) as kept:
        sweeping = Sweeping(store, kept)
        assert [sweeping.ensure([one]) for one in asked[:2]] == [3, 3]
        assert engine.pools == 1
        engine.dies.append((3, 2))
        assert [sweeping.ensure([one]) for one in asked[2:]] == [3, 3]
    # After the first: one for each of the two runs that may be why, and one for the last question.
    assert engine.pools == 1 + 2 + 1
    assert [len(result.seeds) for result in swept(planned(file), store).results] == [3] * 4


def test_what_is_done_behind_a_slow_job_is_kept_when_the_sweep_is_interrupted(
    file: Path, store: Store
) -> None:
    plan, many, ended = planned(file), threading.Event(), threading.Event()

    class Slow(_Pool):
        def work(self, function: Work, job: Job) -> Made:
            if (job.point, job.seeds[0]) == (1, 1):
                many.wait(10)
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                ended.wait(10)
            elif job.point == 2:
                many.set()
            return function(job)

    class Engine(Dying):
        @contextmanager
        def executor(self) -> Iterator[Executor]:
            with ThreadPoolExecutor(2) as threads:
                try:
                    yield Slow(self, threads)
                finally:
                    ended.set()

    with pytest.raises(KeyboardInterrupt):
        Sweeping(store, Engine(dies=[])).ensure(wanted(plan))
    done = [run["seed"] for run in queries.runs(store)]
    assert done[:3] == [1, 2, 3]
    assert Sweeping(store, ONE).ensure(wanted(plan)) == 12 - len(done)


def test_slow_job_holds_up_no_other(file: Path, store: Store) -> None:
    """Runs are stored in their order, and are made whenever a worker is free."""
    points = points_of([axis_of("workload.tasks=1..8:8")])
    plan, many = plan_of(file, points, runs=3), threading.Event()

    class Slow(_Pool):
        def work(self, function: Work, job: Job) -> Made:
            if (job.point, job.seeds[0]) == (1, 1):
                assert many.wait(10), "no more jobs were given to the other worker"
            elif job.point == 6:
                many.set()
            return function(job)

    class Engine(Dying):
        @contextmanager
        def executor(self) -> Iterator[Executor]:
            with ThreadPoolExecutor(2) as threads:
                yield Slow(self, threads)

    assert Sweeping(store, Engine(dies=[])).ensure(wanted(plan)) == 24
    stored = [(run["tasks"], run["seed"]) for run in queries.runs(store)]
    assert stored == [(tasks, seed) for tasks in range(1, 9) for seed in (1, 2, 3)]


def test_version_of_harness_is_read_once_and_not_for_each_run(
    file: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    version_read = Mock(return_value="1.2.3")
    monkeypatch.setattr("harness.run.record.version", version_read)
    harness_version.cache_clear()
    try:
        Sweeping(store, ONE).ensure(wanted(planned(file)))
    finally:
        harness_version.cache_clear()
    assert version_read.call_count == 1
    assert {run["harness_version"] for run in queries.runs(store)} == {"1.2.3"}


def test_runs_are_read_with_one_opening_of_the_store(
    file: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned(file)
    Sweeping(store, ONE).ensure(wanted(plan))
    opened = Mock(wraps=store._connect)
    monkeypatch.setattr(store, "_connect", opened)
    swept(plan, store)
    assert opened.call_count == 1


def test_error_of_a_run_is_no_lost_worker(file: Path, store: Store) -> None:
    plan = planned(file)

    class Wrong(_Pool):
        def work(self, function: Work, job: Job) -> Made:
            raise HarnessError("the scenario cannot continue")

    class Engine(Dying):
        @contextmanager
        def executor(self) -> Iterator[Executor]:
            with ThreadPoolExecutor(1) as threads:
                yield Wrong(self, threads)

    with pytest.raises(HarnessError, match="cannot continue"):
        Sweeping(store, Engine(dies=[])).ensure(wanted(plan))


def test_worker_with_another_harness_is_refused_by_name(file: Path) -> None:
    plan = planned(file)
    job = Job(point=1, scenario=plan.scenarios[0], seeds=(1,), program="", harness_version="0.0.1")
    with pytest.raises(HarnessError, match=r"a worker has harness .* started with 0\.0\.1"):
        execute(job)


def test_shard_is_named_by_its_content_and_left_alone_if_it_is_there(
    file: Path, tmp_path: Path
) -> None:
    scenario = planned(file).scenarios[0]
    shards = tmp_path / "shards"
    job = Job(
        point=1, scenario=scenario, seeds=(1, 2), program="", harness_version=version("multiagent-harness"), shards=shards
    )  # fmt: skip
    made = execute(job)
    assert (made.runs, made.batch) == (2, None)
    (shard,) = shards.iterdir()
    assert shard.name == shard_name(scenario.digest, [1, 2]) == f"{scenario.digest}-1-2.runs"
    before = sorted((it.name, it.stat().st_mtime_ns) for it in shard.iterdir())
    execute(job)
    assert sorted((it.name, it.stat().st_mtime_ns) for it in shard.iterdir()) == before


def test_killed_process_loses_nothing(
    file: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real pool, and a real signal."""
    plan = planned(file, runs=8)
    pools: list[Executor] = []
    killed: list[int] = []

    @contextmanager
    def noted_pool(jobs: int, module: str, start: Start) -> Iterator[Executor]:
        with process_pool(jobs, module, start) as pool:
            pools.append(pool)
            yield pool

    def kill_one(made: Made) -> None:
        if not killed:
            killed.append(pools[0].submit(os.getpid).result())  # a worker of this sweep's pool
            os.kill(killed[0], signal.SIGKILL)
            wall.sleep(0.05)

    monkeypatch.setattr("harness.sweep.engines.process_pool", noted_pool)
    sweeping = Sweeping(store, Processes(2), on_made=kill_one)
    assert sweeping.ensure(wanted(plan)) == 32
    assert len(killed) == 1
    assert len(pools) > 1
    alone = Store("alone.duckdb")
    Sweeping(alone, ONE).ensure(wanted(plan))
    assert bytes_of(plan, store) == bytes_of(plan, alone)

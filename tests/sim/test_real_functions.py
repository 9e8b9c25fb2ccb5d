"""A function that stays real in a run: where it is called, when its outcome is seen, and what it leaves alone."""

# ruff: noqa: ANN401 - what programs give

from __future__ import annotations

import asyncio
import inspect
import random  # noqa: TID251 - programs of the user's draw
import sqlite3
import threading
import time  # noqa: TID251 - and read the clock
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.kernel import baton
from harness.sim import Sim
from tests.real_server import serving
from tests.sim import local_database as db

DB = "tests.sim.local_database"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[None]:
    """A database that is opened before the run, in the main thread."""
    db.connect(str(tmp_path / "said.db"))
    yield
    db.opened.pop().close()


def tools(sim: Sim) -> list[tuple[str, float]]:
    """The tool spans of the last run, each with its latency [s]."""
    rows = sim.last_run.spans_table.rows("kind", "name", "arrival_s", "end_s")
    return [(name, end_s - arrival_s) for kind, name, arrival_s, end_s in rows if kind == "tool"]


def test_result_is_seen_after_its_virtual_latency() -> None:
    sim = Sim(1)
    real = sim.real(f"{DB}:takes_time", latency_s=2.5)
    run = sim.run(lambda: (db.takes_time(wall_s=0.02), time.monotonic()))
    assert run.output == (True, 2.5)
    assert run.latency_s == 2.5
    assert real.uses == [((), {"wall_s": 0.02})]
    assert tools(sim) == [("takes_time", 2.5)]


def test_function_is_itself_outside_of_a_run() -> None:
    sim, before = Sim(1), db.takes_time
    sim.real(f"{DB}:takes_time", latency_s=2.5)
    inside = sim.run(lambda: db.takes_time).output
    assert db.takes_time is before
    assert inspect.signature(inside) == inspect.signature(before)
    assert inside(0.001) is True  # kept from the run, it is as real as ever


@pytest.mark.usefixtures("database")
def test_connection_of_before_the_run_is_used_in_its_thread() -> None:
    sim = Sim(1)
    sim.real(f"{DB}:say", latency_s=0.1)

    def program() -> list[str]:
        with db.lock:  # an RLock, which the function takes again
            db.say("one")
        return db.say("two")

    run = sim.run(program)
    assert (run.output, run.latency_s) == (["one", "two"], 0.2)


def test_threads_wait_for_their_results_side_by_side() -> None:
    sim = Sim(1)
    sim.real(f"{DB}:takes_time", latency_s=3.0)

    def program() -> list[bool]:
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(db.takes_time, [0.001] * 4))

    assert (sim.run(program).output, sim.last_run.latency_s) == ([True] * 4, 3.0)


def test_blocking_function_stops_its_loop_and_nothing_else() -> None:
    sim = Sim(1)
    sim.real(f"{DB}:takes_time", latency_s=2.0)

    async def program() -> list[float]:
        async def tick() -> float:
            await asyncio.sleep(0.5)
            return time.monotonic()

        async def query() -> float:
            db.takes_time(0.001)
            return time.monotonic()

        return list(await asyncio.gather(tick(), query()))

    assert sim.run(program).output == [2.0, 2.0]


def test_async_functions_wait_side_by_side() -> None:
    sim = Sim(1)
    sim.real(f"{DB}:takes_time_async", latency_s=2.0)

    async def program() -> Any:
        return await asyncio.gather(*(db.takes_time_async() for _ in range(3))), time.monotonic()

    kinds, now_s = sim.run(program).output
    assert now_s == 2.0
    assert len(set(kinds)) == 1
    assert "ProgramLoop" not in kinds
    assert len(tools(sim)) == 3


def test_async_functions_of_a_run_share_one_real_loop() -> None:
    sim = Sim(1)
    sim.real(f"{DB}:loop_is")

    async def program() -> list[bool]:
        return [await db.loop_is(0), await db.loop_is(1), await db.loop_is(2)]

    assert sim.run(program).output == [True, True, True]
    assert sim.run(program).output == [True, True, True]


@pytest.mark.parametrize("name", ["fail", "fail_async"])
def test_exception_comes_through_when_its_time_has_come(name: str) -> None:
    sim = Sim(1)
    sim.real(f"{DB}:{name}", latency_s=1.5)

    async def program() -> Any:
        try:
            result = getattr(db, name)()
            await result
        except sqlite3.OperationalError as error:
            return str(error), time.monotonic()

    assert sim.run(program).output == ("no such table: said", 1.5)
    rows = sim.last_run.spans_table.rows("kind", "status", "error")
    assert ("tool", "error", "OperationalError") in rows


def test_latency_is_drawn_by_the_seed() -> None:
    def latency_s(seed: int) -> list[float]:
        sim = Sim(seed)
        sim.real(f"{DB}:takes_time", latency_s={"uniform": {"low": 1, "high": 2}})
        sim.run(lambda: [db.takes_time(0.001), db.takes_time(0.001)])
        return [took_s for _, took_s in tools(sim)]

    assert latency_s(1) == latency_s(1) != latency_s(2)
    assert len(set(latency_s(1))) == 2


def test_seed_decides_whose_result_is_seen_first() -> None:
    def order(seed: int) -> list[int]:
        sim = Sim(seed)
        sim.real(f"{DB}:takes_time", latency_s={"uniform": {"low": 1, "high": 2}})
        seen: list[int] = []

        def use(number: int) -> None:
            db.takes_time(0.001)
            seen.append(number)

        def program() -> None:
            with ThreadPoolExecutor(3) as pool:
                list(pool.map(use, range(3)))

        sim.run(program)
        return seen

    orders = [order(seed) for seed in range(1, 7)]
    assert orders == [order(seed) for seed in range(1, 7)]
    assert len(set(map(tuple, orders))) > 1


def test_chance_is_real_and_the_program_keeps_its_own() -> None:
    def values(*, with_real: bool) -> tuple[list[float], list[Any]]:
        sim = Sim(1)
        sim.real(f"{DB}:chance")
        real: list[Any] = []

        def program() -> list[float]:
            first = random.random()
            if with_real:
                real.extend([db.chance(), db.chance()])
            return [first, random.random()]

        return sim.run(program).output, real

    without, _ = values(with_real=False)
    once, drawn = values(with_real=True)
    again, others = values(with_real=True)
    assert without == once == again
    assert len({value for pair in (*drawn, *others) for value in pair}) == 8


def test_context_variables_are_those_of_the_caller() -> None:
    sim = Sim(1)
    sim.real(f"{DB}:who")

    def program() -> str:
        before = db.user.set("ada")
        try:
            return db.who()
        finally:
            db.user.reset(before)

    assert sim.run(program).output == "ada"


def test_network_processes_and_threads_are_real() -> None:
    sim = Sim(1)
    for name in ("fetch", "in_process", "in_threads"):
        sim.real(f"{DB}:{name}", latency_s=1.0)
    with serving() as server:
        run = sim.run(lambda: (db.fetch(server.url), db.in_process(), db.in_threads()))
    assert (run.output, run.latency_s) == ((200, "42", 3), 3.0)
    assert run.unsimulated == {}


def test_network_is_real_also_where_a_test_allows_none(sim: Sim) -> None:
    sim.real(f"{DB}:fetch")
    with serving() as server:
        assert sim.run(lambda: db.fetch(server.url)).output == 200


@pytest.mark.usefixtures("database")
def test_real_function_that_calls_another_is_one_use() -> None:
    sim = Sim(1)
    sim.real(f"{DB}:say", latency_s=1.0)
    sim.real(f"{DB}:twice", latency_s=1.0)
    run = sim.run(lambda: db.twice("hi"))
    assert (run.output, run.latency_s) == (["hi", "hi"], 1.0)
    assert [name for name, _ in tools(sim)] == ["twice"]


def test_methods_stay_real_too() -> None:
    sim = Sim(1)
    for name in ("get", "kind", "version"):
        sim.real(f"{DB}:Store.{name}", latency_s=1.0)
    before = dict(vars(db.Store))
    run = sim.run(lambda: (db.Store("main").get("key"), db.Store.kind(), db.Store.version()))
    assert run.output == (("main", "key", True), ("Store", True), (3, True))
    assert run.latency_s == 3.0
    assert dict(vars(db.Store)) == before


@pytest.mark.parametrize("name", ["rows", "async_rows", "Store", "DB"])
def test_what_gives_no_result_when_it_returns_cannot_stay_real(name: str) -> None:
    sim = Sim(1)
    sim.real(f"{DB}:{name}")
    with pytest.raises(HarnessError, match=f"{name}'"):
        sim.run(lambda: None)


def test_program_is_in_its_world_again_after_a_real_function_was_stopped() -> None:
    sim = Sim(1)
    sim.real(f"{DB}:stop", latency_s=1.0)

    def program() -> Any:
        with pytest.raises(KeyboardInterrupt):
            db.stop()
        time.sleep(0.5)
        return time.monotonic(), asyncio.run(asyncio.sleep(0.5, "slept")), time.monotonic()  # noqa: TID251 - the program's

    assert sim.run(program).output == (0.5, "slept", 1.0)


def test_slow_real_function_in_a_thread_is_no_runaway(monkeypatch: pytest.MonkeyPatch) -> None:
    def program(wall_s: float) -> float:
        thread = threading.Thread(target=db.takes_time, args=(wall_s,))
        thread.start()
        thread.join()
        return time.monotonic()

    sim = Sim(1)
    sim.real(f"{DB}:takes_time", latency_s=1.0)
    sim.run(lambda: program(0.0))  # now all is imported
    monkeypatch.setattr(baton, "PATIENCE_WALL_S", 0.3)
    assert sim.run(lambda: program(1.0)).output == 1.0


@pytest.mark.parametrize("kind", ["real", "tool"])
def test_function_of_a_module_that_is_imported_anew_is_replaced_in_the_new_one(kind: str) -> None:
    sim = Sim(1)
    sim.fresh(DB)
    if kind == "real":
        sim.real(f"{DB}:takes_time_async", latency_s=4.0)
    else:
        sim.tool("clock", replaces=f"{DB}:takes_time_async", latency_s=4.0)

    async def program() -> float:
        from tests.sim import local_database as new

        assert new is not db
        await new.takes_time_async()
        return time.monotonic()

    assert [sim.run(program).output for _ in range(2)] == [4.0, 4.0]

"""One program, one order: over reruns with a heap in disorder, over processes, hash seeds and versions of Python.

asyncio keeps tasks, coroutines and async generators in sets, and a set iterates by hash, which by default is an address.
So every program below asks asyncio for an order, and the heap between two runs is stirred so that addresses differ. Run
as a script, this file prints what all programs do, for the test that compares processes.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.kernel import Kernel, run
from harness.kernel.deterministic_asyncio import OrderedSet, OrderedWeakSet

Program = Callable[[], Coroutine[Any, Any, list[object]]]

RERUNS = 200


# -- programs that ask for an order -----------------------------------------------------------------


async def fail_at(time_s: float) -> None:
    await asyncio.sleep(time_s)
    raise LookupError("planned")


async def group_abort() -> list[object]:
    """The order in which a TaskGroup cancels its tasks."""
    log: list[object] = []

    async def worker(number: int) -> None:
        try:
            await asyncio.sleep(100 + number)
        except asyncio.CancelledError:
            log.append(number)
            raise

    async def brief() -> None:
        await asyncio.sleep(0.5)

    try:
        async with asyncio.TaskGroup() as group:
            for number in range(40):
                group.create_task(worker(number))
                group.create_task(brief())  # leaves holes in the set
            group.create_task(fail_at(1))
    except* LookupError:
        pass
    return log


async def group_abort_by_timeout() -> list[object]:
    log: list[object] = []

    async def worker(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append(number)

    try:
        async with asyncio.timeout(1), asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(worker(number))
    except TimeoutError:
        pass
    return log


async def as_completed_coroutines() -> list[object]:
    """Coroutines have no hash of their own, and those that end at one instant come in the order of their start."""

    async def worker(number: int) -> int:
        await asyncio.sleep(number % 3)
        return number

    jobs = [worker(number) for number in range(30)]
    return [await next_done for next_done in asyncio.as_completed(jobs)]


async def as_completed_of_what_is_done() -> list[object]:
    """Futures that are done already come in the order of a plain set, and not in that of their completion."""

    async def worker(number: int) -> int:
        return number

    futures: list[asyncio.Future[Any]] = []
    for number in range(0, 20, 2):
        futures.append(asyncio.gather(worker(number)))
        futures.append(asyncio.get_running_loop().create_future())
        futures[-1].set_result(number + 1)
    await asyncio.sleep(1)
    log: list[object] = [await next_done for next_done in asyncio.as_completed(futures)]
    log.extend(future.result() for future in set(futures))
    return log


async def wait_for_tasks() -> list[object]:
    async def worker(number: int) -> int:
        await asyncio.sleep(number % 2)
        return number

    tasks = [asyncio.create_task(worker(number), name=f"{number}") for number in range(30)]
    done, pending = await asyncio.wait(tasks, timeout=0.5)
    log: list[object] = [task.get_name() for task in (*done, *pending)]
    log.append([task.get_name() for task in done | pending])
    log.append([task.get_name() for task in set(tasks)])
    while pending:
        log.append(pending.pop().get_name())
    return log


async def wait_for_futures_of_every_kind() -> list[object]:
    """What `gather` and `asyncio.Future` make is no task, and has the address as its hash if nobody sees to it."""

    async def worker() -> None:
        await asyncio.sleep(1)

    futures: list[asyncio.Future[Any]] = []
    for number in range(24):
        kinds: list[Callable[[], asyncio.Future[Any]]] = [
            lambda: asyncio.gather(worker()),
            asyncio.Future,
            asyncio.get_running_loop().create_future,
            lambda: asyncio.shield(worker()),
        ]
        futures.append(kinds[number % 4]())
        if number % 4 in {1, 2}:
            asyncio.get_running_loop().call_later(1, futures[-1].set_result, None)
    number_of = {id(future): number for number, future in enumerate(futures)}
    done, _ = await asyncio.wait(futures)
    return [number_of[id(future)] for future in done]


async def all_tasks_of_the_loop() -> list[object]:
    """Few long-lived tasks among many brief ones: their numbers collide in a small set."""

    async def worker(time_s: float) -> None:
        await asyncio.sleep(time_s)

    tasks = [asyncio.create_task(worker(9 if number % 7 == 0 else 0)) for number in range(15)]
    await asyncio.sleep(1)
    log: list[object] = [task.get_name() for task in asyncio.all_tasks()]
    await asyncio.wait(tasks)
    return log


async def cancel_all_tasks() -> list[object]:
    log: list[object] = []

    async def worker(number: int) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            log.append(number)

    tasks = [asyncio.create_task(worker(number)) for number in range(30)]
    await asyncio.sleep(1)
    for task in asyncio.all_tasks():
        if task is not asyncio.current_task():
            task.cancel()
    await asyncio.wait(tasks)
    return log


PROGRAMS: dict[str, Program] = {
    program.__name__: program
    for program in (
        group_abort,
        group_abort_by_timeout,
        as_completed_coroutines,
        as_completed_of_what_is_done,
        wait_for_tasks,
        wait_for_futures_of_every_kind,
        all_tasks_of_the_loop,
        cancel_all_tasks,
    )
}


def closing_of_generators() -> list[object]:
    """Async generators that are still open when the program ends, and are closed by the run."""
    log: list[object] = []

    async def generator(number: int) -> AsyncIterator[int]:
        try:
            yield number
        finally:
            log.append(number)

    async def main() -> object:
        generators = [generator(number) for number in range(20)]
        for each in generators:
            await anext(each)
        return generators

    kept = run(Kernel(), main())
    assert kept
    return log


def everything() -> str:
    logs = {name: run(Kernel(), program()) for name, program in PROGRAMS.items()}
    return repr([*logs.items(), closing_of_generators()])


# -- the heap in disorder ---------------------------------------------------------------------------


class Disorder:
    """Stirs the heap between two runs, in a way that is itself the same every time."""

    def __init__(self) -> None:
        self.state = 1
        self.kept: list[object] = []

    def below(self, limit: int) -> int:
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % limit

    def stir(self) -> None:
        """Take up room of many sizes, free some, and collect the garbage or let it lie."""
        self.kept.extend(bytearray(1 + self.below(700)) for _ in range(self.below(60)))
        self.kept.extend(asyncio.Event() for _ in range(self.below(20)))
        self.kept.extend({number: [number]} for number in range(self.below(20)))
        for _ in range(self.below(60)):
            self.kept[self.below(len(self.kept))] = None
        if self.below(20) == 0:
            gc.collect(0)


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_has_one_order_over_reruns_with_a_heap_in_disorder(name: str) -> None:
    program = PROGRAMS[name]
    disorder = Disorder()
    orders = set()
    for _ in range(RERUNS):
        disorder.stir()
        orders.add(repr(run(Kernel(), program())))
    assert len(orders) == 1


def test_generators_left_open_are_closed_in_the_order_of_their_start() -> None:
    disorder = Disorder()
    for _ in range(RERUNS):
        disorder.stir()
        assert closing_of_generators() == list(range(20))


def test_all_tasks_have_one_order_although_tasks_of_earlier_runs_still_lie_around() -> None:
    """asyncio keeps the tasks of all loops in one set, and where one has its place another cannot have it."""
    disorder = Disorder()
    orders = set()

    async def keep_tasks_and_ask() -> list[object]:
        asyncio.get_running_loop().call_later(
            0.5, lambda: disorder.kept.extend(asyncio.all_tasks())
        )
        disorder.kept.append(asyncio.current_task())
        return await all_tasks_of_the_loop()

    for _ in range(RERUNS):
        disorder.stir()
        orders.add(repr(run(Kernel(), keep_tasks_and_ask())))
    assert len(orders) == 1


def test_as_completed_and_wait_start_coroutines_in_the_order_given() -> None:
    log: list[int] = []

    async def worker(number: int) -> None:
        log.append(number)

    async def main() -> None:
        for next_done in asyncio.as_completed([worker(number) for number in range(50)]):
            await next_done

    run(Kernel(), main())
    assert log == list(range(50))


# -- processes, hash seeds, versions ----------------------------------------------------------------

DIGEST = "faa817398581c4ea"
"""What the programs above do, on Python 3.11, 3.12 and 3.13. It changes when the order of anything does."""


def test_programs_do_the_same_in_every_process_with_every_hash_seed() -> None:
    path = os.pathsep.join(
        filter(None, [str(Path(harness.__file__).parents[1]), os.environ.get("PYTHONPATH")])
    )
    processes = [
        subprocess.Popen(
            [sys.executable, __file__],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in ("0", "1", "4711", "random")
    ]
    outputs = [process.communicate()[0].strip() for process in processes]
    assert outputs == [everything()] * len(processes)


def test_programs_do_the_same_on_every_version_of_python() -> None:
    assert hashlib.sha256(everything().encode()).hexdigest()[:16] == DIGEST


# -- the sets ---------------------------------------------------------------------------------------


class Thing:
    """Has its address as hash, as coroutines do."""


def test_ordered_set_iterates_in_order_of_insertion() -> None:
    things = [Thing() for _ in range(100)]
    ordered = OrderedSet(things[:50])
    for thing in things[50:]:
        ordered.add(thing)
    assert list(ordered) == things


def test_ordered_set_knows_what_was_taken_out_and_what_came_in_by_other_ways() -> None:
    things = [Thing() for _ in range(6)]
    ordered = OrderedSet(things[:4])
    ordered.discard(things[1])
    ordered.remove(things[2])
    ordered |= {things[4]}
    ordered.update([things[5]])
    assert len(ordered) == 4
    assert list(ordered)[:2] == [things[0], things[3]]
    assert set(ordered) == {things[0], things[3], things[4], things[5]}
    assert things[1] not in ordered


def test_ordered_set_is_a_set() -> None:
    ordered = OrderedSet([3, 1, 2, 3])
    assert ordered == {1, 2, 3}
    assert ordered | {4} == {1, 2, 3, 4}
    assert ordered - {1} == {2, 3}
    assert isinstance(ordered, set)


def test_ordered_weak_set_forgets_what_nobody_else_holds() -> None:
    things = [Thing() for _ in range(5)]
    weak: OrderedWeakSet[Thing] = OrderedWeakSet()
    for thing in things:
        weak.add(thing)
    del thing
    del things[1]
    weak.discard(things[0])
    weak.discard(things[0])
    assert list(weak) == things[1:]


if __name__ == "__main__":
    sys.stdout.write(everything())

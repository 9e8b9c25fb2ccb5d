"""A task is known by who spawned it, its name and its number among those of that name, whatever else runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from harness.kernel import Kernel, run
from harness.kernel.current_world import lineage_here
from harness.virtual.world import run_program

Found = dict[str, str]


def note(found: Found, label: str) -> None:
    lineage = lineage_here()
    assert lineage is not None
    found[label] = lineage.path


async def worker(found: Found, label: str) -> None:
    await asyncio.sleep(1)
    note(found, label)


async def in_group(found: Found) -> None:
    async with asyncio.TaskGroup() as group:
        for label in "ab":
            group.create_task(worker(found, label))


async def by_gather(found: Found) -> None:
    await asyncio.gather(worker(found, "a"), worker(found, "b"))


async def with_others(found: Found) -> None:
    others = [asyncio.create_task(asyncio.sleep(5)) for _ in range(3)]
    await asyncio.gather(worker(found, "a"), worker(found, "b"))
    await asyncio.gather(*others)


@pytest.mark.parametrize("program", [in_group, by_gather, with_others])
def test_siblings_of_one_name_are_numbered_whatever_else_their_parent_spawns(
    program: Callable[[Found], Coroutine[Any, Any, None]],
) -> None:
    found: Found = {}
    run(Kernel(), program(found))
    name = program.__name__
    assert found == {"a": f"{name}/worker", "b": f"{name}/worker#2"}


def test_a_given_name_is_part_of_the_path() -> None:
    found: Found = {}

    async def main() -> None:
        named = [
            asyncio.create_task(worker(found, label), name=f"worker {label}") for label in "ab"
        ]
        await asyncio.gather(*named, worker(found, "c"))

    run(Kernel(), main())
    assert found == {"a": "main/worker a", "b": "main/worker b", "c": "main/worker"}


def test_a_name_that_a_running_task_gives_itself_changes_no_path() -> None:
    found: Found = {}

    async def renames() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.set_name("later")
        note(found, "a")

    run(Kernel(), renames())
    assert found == {"a": "renames"}


def test_wait_for_spawns_nobody_on_any_python() -> None:
    found: Found = {}

    async def main() -> None:
        await asyncio.wait_for(in_group(found), 5)
        await asyncio.wait_for(worker(found, "c"), 5)

    run(Kernel(), main())
    assert found == {"a": "main/worker", "b": "main/worker#2", "c": "main"}


def test_a_chain_of_tasks_that_begin_one_another_has_a_bounded_path() -> None:
    lengths: list[int] = []

    async def link(left: int) -> None:
        found: Found = {}
        note(found, "here")
        lengths.append(len(found["here"]))
        if left:
            await asyncio.create_task(link(left - 1))

    run(Kernel(), link(200))
    assert max(lengths) < 400
    assert len(lengths) == 201


def test_loops_one_after_another_are_numbered_and_each_run_counts_anew() -> None:
    def program() -> Found:
        found: Found = {}
        for label in "ab":
            with asyncio.Runner() as runner:
                runner.run(worker(found, label))
        return found

    for _ in range(2):
        assert run_program(Kernel(), program, seed=1) == {"a": "worker", "b": "worker#2"}


def test_a_thread_is_known_by_its_name_or_by_what_it_does() -> None:
    found: Found = {}

    def program() -> None:
        note(found, "main")
        for label, name in (("a", None), ("b", "crawler"), ("c", None)):
            thread = threading.Thread(target=note, args=(found, label), name=name)
            thread.start()
            thread.join()

    run_program(Kernel(), program, seed=1)
    assert found == {"main": "main thread", "a": "note", "b": "crawler", "c": "note#2"}


def test_a_loop_in_a_thread_belongs_to_the_thread() -> None:
    found: Found = {}

    def crawl() -> None:
        with asyncio.Runner() as runner:
            runner.run(worker(found, "a"))

    def program() -> None:
        thread = threading.Thread(target=crawl, name="crawler")
        thread.start()
        thread.join()

    run_program(Kernel(), program, seed=1)
    assert found == {"a": "crawler/worker"}


def test_work_of_a_pool_belongs_to_who_submitted_it_whichever_worker_takes_it() -> None:
    found: Found = {}

    def slow(label: str) -> None:
        note(found, label)

    async def main() -> None:
        await asyncio.gather(asyncio.to_thread(slow, "a"), asyncio.to_thread(partial(slow, "b")))
        await asyncio.to_thread(slow, "c")

    run_program(Kernel(), main, seed=1)
    assert found == {
        "a": "main/to_thread/slow",
        "b": "main/to_thread#2/slow",
        "c": "main/slow",
    }


def test_a_pool_passes_arguments_results_and_errors_on() -> None:
    def program() -> list[object]:
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(divmod, 7, 2).result()
            failed = pool.submit(int, "x").exception()
            with pytest.raises(TypeError):
                pool.submit()  # type: ignore[call-arg]
        return [done, type(failed)]

    assert run_program(Kernel(), program, seed=1) == [(3, 1), ValueError]

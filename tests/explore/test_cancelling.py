# ruff: noqa: BLE001, SIM105 - programs as their authors write them
"""A task that somebody outside can name is cancelled in every stretch of its life, however it got its name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness import Choices
from harness.explore.deviation import Cancel
from harness.sim import Sim

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


def _named_later(coro: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.create_task(coro)
    task.set_name("write")
    return task


def _named_in_its_life(coro: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.create_task(coro)
    asyncio.get_running_loop().call_later(0.5, task.set_name, "draft")
    return task


SPAWNS: dict[str, Spawn] = {
    "as its coroutine": lambda coro: asyncio.create_task(coro, name="write"),
    "otherwise": lambda coro: asyncio.create_task(coro, name="draft"),
    "with a number": lambda coro: asyncio.create_task(coro, name="write-1"),
    "by the loop": lambda coro: asyncio.get_running_loop().create_task(coro, name="write"),
    "afterwards": _named_later,
    "in its life": _named_in_its_life,
}


async def publish(spawn: Spawn) -> bool:
    """Whether the lock is free; a writer gives it back unless it is cancelled meanwhile."""
    lock = asyncio.Lock()

    async def write() -> None:
        await lock.acquire()
        try:
            await asyncio.sleep(5)
        except Exception:
            pass
        lock.release()

    await asyncio.gather(spawn(write()), return_exceptions=True)
    return not lock.locked()


@pytest.mark.parametrize("named", SPAWNS)
def test_a_task_is_cancelled_however_it_is_named(named: str) -> None:
    found = Sim(1).explore(publish, SPAWNS[named], check=bool, runs=10)
    (finding,) = found.findings
    assert [type(one) for one in finding.overrides] == [Cancel]


def test_a_task_without_a_name_is_not() -> None:
    found = Sim(1).explore(publish, asyncio.create_task, check=bool, runs=10)
    assert not found.findings


def test_a_task_that_a_library_names_is_not() -> None:
    code = compile(
        "import asyncio\ndef spawn(coro): return asyncio.create_task(coro, name='node')",
        str(Path(asyncio.__file__).parents[1] / "site-packages" / "graphs.py"),
        "exec",
    )
    library: dict[str, Any] = {}
    exec(code, library)
    assert not Sim(1).explore(publish, library["spawn"], check=bool, runs=10).findings


def test_a_task_of_anyio_has_no_name_unless_the_program_gives_one() -> None:
    async def work() -> None:
        await anyio.sleep(5)

    async def group(name: str | None) -> bool:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work, name="first")
            tasks.start_soon(work, name=name)
        return True

    for name, wanted in ((None, 1), ("second", 2)):
        seen = Choices()
        Sim(1).run(group, name, choices=seen)
        assert sum(task.is_named for task in seen.tasks) == wanted


def test_a_task_of_a_group_is_cancelled() -> None:
    async def group() -> bool:
        left = 2

        async def work() -> None:
            nonlocal left
            await asyncio.sleep(5)
            left -= 1

        async with asyncio.TaskGroup() as tasks:
            for _ in range(2):
                tasks.create_task(work(), name="work")
        return left == 0

    (finding,) = Sim(1).explore(group, check=bool, runs=10, at_most=1).findings
    (cancel,) = finding.overrides
    assert isinstance(cancel, Cancel)
    assert cancel.task.startswith("group/work")


def test_a_task_is_cancelled_before_its_first_step() -> None:
    async def permits() -> bool:
        permit = asyncio.Semaphore(1)

        async def work() -> None:
            try:
                await asyncio.sleep(5)
            finally:
                permit.release()

        tasks = []
        for number in range(2):
            await permit.acquire()
            tasks.append(asyncio.create_task(work(), name=f"work {number}"))
        await asyncio.gather(*tasks, return_exceptions=True)
        return not permit.locked()

    sim = Sim(1)
    (finding,) = sim.explore(permits, check=bool, runs=20, at_most=1).findings
    assert finding.overrides == (Cancel("permits/work 0", 0.0),)
    assert "before its first step" in finding.story
    assert len(sim.replay_finding(finding.token).findings) == 1

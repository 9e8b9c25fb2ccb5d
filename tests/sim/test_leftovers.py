"""What a program leaves behind at its end, and what blocks its loop."""

# ruff: noqa: ANN401, TID251, ASYNC251 - the fixture of another file; programs as users write them
from __future__ import annotations

import asyncio
import gc
import inspect
import json
import queue
import select
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from harness.sim import Sim
from harness.sim.program_run import ProgramRun
from harness.spans import as_json_lines

anthropic = pytest.importorskip("anthropic")

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def team() -> Sim:
    sim = Sim(1)
    sim.agent("planner", system="plan", reply="a plan", latency_s=1)
    sim.agent("clerk", system="note", reply="noted", latency_s=3)
    return sim


def found(run: ProgramRun) -> list[tuple[str, str]]:
    return [(finding.kind, finding.agent) for finding in run.findings]


# -- calls ------------------------------------------------------------------------------------------------------------


def test_call_that_runs_at_the_end_is_abandoned(ask: Any) -> None:
    async def program() -> str:
        kept.append(asyncio.create_task(ask("x", system="note")))
        said: str = await ask("x", system="plan")
        return said

    kept: list[Any] = []
    run = team().run(program)
    assert found(run) == [("abandoned_call", "clerk")]
    run.assert_called("clerk", times=1)


def test_call_that_runs_at_the_end_of_asyncio_run_is_abandoned(ask: Any) -> None:
    def program() -> None:
        async def main() -> None:
            kept.append(asyncio.create_task(ask("x", system="note")))
            await ask("x", system="plan")

        asyncio.run(main())

    kept: list[Any] = []
    assert found(team().run(program)) == [("abandoned_call", "clerk")]


@pytest.mark.parametrize("waits", [True, False])
def test_call_that_lost_a_race_and_was_cancelled_is_not_abandoned(ask: Any, waits: bool) -> None:
    async def program() -> None:
        tasks = [asyncio.create_task(ask("x", system=name)) for name in ("plan", "note")]
        _, losers = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for loser in losers:
            loser.cancel()
        if waits:
            await asyncio.wait(losers)

    assert found(team().run(program)) == []


def test_call_that_was_given_up_at_the_last_moment_is_not_abandoned(ask: Any) -> None:
    async def program() -> str:
        try:
            return str(await asyncio.wait_for(ask("x", system="note"), 2))
        except TimeoutError:
            return "no note"

    assert "abandoned_call" not in dict(found(team().run(program)))


def test_call_of_a_loop_that_runs_on_is_not_abandoned(ask: Any) -> None:
    def program() -> str:
        loop = asyncio.new_event_loop()
        note = loop.create_task(ask("x", system="note"))
        loop.run_until_complete(ask("x", system="plan"))
        said: str = loop.run_until_complete(note)
        loop.close()
        return said

    run = team().run(program)
    assert (run.output, found(run)) == ("noted", [])


# -- tasks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("in_asyncio_run", [True, False])
def test_task_that_died_unseen_is_told(ask: Any, kept: bool, in_asyncio_run: bool) -> None:
    """Whether asyncio has told of it in the middle, or it is still there at the end."""
    tasks: list[Any] = []

    async def note() -> None:
        await ask("x", system="note")
        raise KeyError("shelf")

    async def program() -> None:
        task = asyncio.create_task(note(), name="noting")
        if kept:
            tasks.append(task)
        del task
        await asyncio.sleep(10)

    whole: Callable[[], Any] = (lambda: asyncio.run(program())) if in_asyncio_run else program
    run = team().run(whole)
    (finding,) = run.findings
    assert (finding.kind, finding.severity, finding.agent) == ("dead_task", "serious", "clerk")
    assert "the task noting (" in finding.message
    assert "KeyError: 'shelf'" in finding.message
    tasks.clear()
    gc.collect()


def awaited(task: Any) -> Any:
    return task


@pytest.mark.parametrize(
    "look",
    [
        lambda task: asyncio.gather(task, return_exceptions=True),
        lambda task: asyncio.wait([task]),
        lambda task: asyncio.sleep(5),
    ],
)
def test_task_whose_error_was_looked_at_is_not_told(look: Callable[[Any], Any]) -> None:
    async def dies() -> None:
        raise KeyError("shelf")

    async def program() -> None:
        task = asyncio.create_task(dies())
        await look(task)
        task.exception()

    assert found(team().run(program)) == []


def test_handler_of_the_program_looks() -> None:
    seen: list[Any] = []

    async def dies() -> None:
        raise KeyError("shelf")

    async def program() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))
        kept.append(asyncio.create_task(dies()))
        await asyncio.sleep(1)

    kept: list[Any] = []
    assert found(team().run(program)) == []
    kept.clear()


def test_tasks_of_a_group_and_of_gather_are_looked_at() -> None:
    async def dies(after_s: float) -> None:
        await asyncio.sleep(after_s)
        raise KeyError("shelf")

    async def program() -> None:
        with pytest.raises(KeyError):
            await asyncio.gather(dies(1), dies(2))
        with suppress(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                group.create_task(dies(1))
                group.create_task(dies(1))
        await asyncio.sleep(5)

    assert found(team().run(program)) == []


# -- a blocked loop ---------------------------------------------------------------------------------------------------


def blocking_ask(system: str, *, stream: bool = False) -> None:
    answer = anthropic.Anthropic(max_retries=0).messages.create(
        model="claude-sonnet-4-6",
        max_tokens=100,
        system=system,
        messages=[{"role": "user", "content": "x"}],
        stream=stream,
    )
    if stream:
        list(answer)


async def beside(ask: Any, block: Callable[[], object]) -> None:
    """Something that blocks, beside a call that is under way."""

    async def blocks() -> None:
        await asyncio.sleep(0.5)
        block()

    await asyncio.gather(ask("x", system="plan"), blocks())


@pytest.mark.parametrize(
    ("block", "agent", "took"),
    [
        (lambda: time.sleep(2), "", "2 s"),
        (lambda: blocking_ask("note"), "clerk", "3 s"),
        (lambda: blocking_ask("note", stream=True), "clerk", "3 s"),
        (lambda: subprocess.run(["make"], check=True), "", "4 s"),
    ],
)
def test_what_blocks_the_loop_is_told_with_its_line(
    ask: Any, block: Callable[[], object], agent: str, took: str
) -> None:
    sim = team()
    sim.process("make", latency_s=4, allow_unused=True)
    run = sim.run(beside, ask, block)
    (finding,) = (it for it in run.findings if it.kind == "blocked_loop")
    assert (finding.severity, finding.agent, finding.at_s) == ("warning", agent, 0.5)
    assert finding.message.startswith("test_leftovers.py:")
    assert f"blocked the event loop for {took}" in finding.message


def in_two_seconds(act: Callable[[], object]) -> None:
    threading.Timer(2, act).start()


def takes_a_lock() -> None:
    lock = threading.Lock()
    lock.acquire()
    in_two_seconds(lock.release)
    lock.acquire()


def gets_from_a_queue() -> None:
    items: queue.Queue[int] = queue.Queue()
    in_two_seconds(lambda: items.put(1))
    items.get()


def gets_from_a_simple_queue() -> None:
    items: queue.SimpleQueue[int] = queue.SimpleQueue()
    in_two_seconds(lambda: items.put(1))
    items.get()


def asks_for_a_result() -> None:
    with ThreadPoolExecutor() as pool:
        pool.submit(time.sleep, 2).result()


def joins_a_thread() -> None:
    thread = threading.Thread(target=time.sleep, args=(2,))
    thread.start()
    thread.join()


def waits_for_an_event() -> None:
    threading.Event().wait(2)


def selects() -> None:
    select.select([], [], [], 2)


@pytest.mark.parametrize(
    "block",
    [
        takes_a_lock,
        gets_from_a_queue,
        gets_from_a_simple_queue,
        asks_for_a_result,
        joins_a_thread,
        waits_for_an_event,
        selects,
    ],
)
def test_every_wait_of_a_thread_that_blocks_the_loop_is_told_with_its_line(
    ask: Any, block: Callable[[], None]
) -> None:
    run = team().run(beside, ask, block)
    (finding,) = (it for it in run.findings if it.kind == "blocked_loop")
    first = inspect.getsourcelines(block)[1]
    lines = range(first, first + len(inspect.getsourcelines(block)[0]))
    assert finding.message.startswith(tuple(f"test_leftovers.py:{line} blocked" for line in lines))
    assert "blocked the event loop for 2 s" in finding.message


def test_urllib_blocks_the_loop_as_other_clients_do(ask: Any) -> None:
    def block() -> None:
        body = {"model": "claude-sonnet-4-6", "max_tokens": 9, "system": "note", "messages": SAID}
        request = urllib.request.Request(
            "https://api.anthropic.com/v1/messages",
            json.dumps(body).encode(),
            {
                "x-api-key": "k",
                "anthropic-version": "2023-06-01",
                "content-type": "application/json",
            },
        )
        urllib.request.urlopen(request).read()

    run = team().run(beside, ask, block)
    (finding,) = (it for it in run.findings if it.kind == "blocked_loop")
    assert finding.agent == "clerk"
    assert "blocked the event loop for 3 s" in finding.message


SAID = [{"role": "user", "content": "x"}]


def test_program_without_a_loop_may_block() -> None:
    def program() -> None:
        blocking_ask("plan")
        time.sleep(5)

    assert found(team().run(program)) == []


def test_block_with_nobody_beside_it_is_a_remark(ask: Any) -> None:
    async def program() -> None:
        time.sleep(5)
        await ask("x", system="plan")

    (finding,) = team().run(program).findings
    assert (finding.kind, finding.severity) == ("blocked_loop", "info")
    assert finding.message.endswith("no other task was ready meanwhile")


def test_awaiting_blocks_nobody(ask: Any) -> None:
    async def program() -> None:
        await asyncio.gather(ask("x", system="plan"), asyncio.sleep(2), asyncio.to_thread(len, "x"))

    assert found(team().run(program)) == []


def test_events_are_the_same_in_every_run(ask: Any) -> None:
    async def dies(number: int) -> None:
        await ask(f"{number}", system="plan")
        raise ValueError(f"{object()}")

    async def program() -> None:
        kept.extend(asyncio.create_task(dies(number)) for number in range(3))
        kept.append(asyncio.create_task(ask("x", system="note")))
        await asyncio.sleep(1)
        time.sleep(1)

    def events() -> str:
        kept.clear()
        return as_json_lines(team().run(program).events_table)

    kept: list[Any] = []
    first = events()
    assert first.count("dead_task") == 3
    assert events() == first
    kept.clear()
    gc.collect()

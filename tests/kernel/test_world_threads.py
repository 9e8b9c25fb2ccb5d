"""Work that a program gives to threads: done in turn, in no time, and refused as soon as it waits."""

# ruff: noqa: ANN401, PLW0108, TID251 - programs of the user's do all of this

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import multiprocessing
import os
import queue
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.errors import Deadlock, NotSimulated
from harness.kernel import Kernel, run_program

tag = contextvars.ContextVar("tag", default="none")

Program = Callable[[], Any]


def simulated(program: Program) -> Any:
    return run_program(Kernel(), program, seed=1)


async def nothing() -> str:
    return "done"


async def wait_a_second() -> None:
    await asyncio.sleep(1)


# -- work that does not wait ------------------------------------------------------------------------


def test_work_is_done_in_the_order_in_which_it_was_given_between_turns_of_the_loop() -> None:
    log: list[object] = []

    async def ask(number: int) -> None:
        log.append(f"ask {number}")
        await asyncio.to_thread(log.append, number)
        log.append(f"got {number}")

    async def main() -> float:
        await asyncio.gather(*(ask(number) for number in range(3)))
        return asyncio.get_running_loop().time()

    assert simulated(main) == 0
    assert log == ["ask 0", "ask 1", "ask 2", 0, 1, 2, "got 0", "got 1", "got 2"]


def test_to_thread_carries_the_context_and_a_bare_executor_does_not() -> None:
    async def main() -> list[str]:
        tag.set("mine")
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor() as pool:
            return [
                await asyncio.to_thread(tag.get),
                await loop.run_in_executor(None, tag.get),
                await loop.run_in_executor(pool, tag.get),
                pool.submit(tag.get).result(),
            ]

    assert simulated(main) == ["mine", "none", "none", "none"]


def test_context_that_work_changes_is_its_own() -> None:
    async def main() -> str:
        await asyncio.to_thread(tag.set, "of the thread")
        return tag.get()

    assert simulated(main) == "none"


def test_error_of_the_work_comes_through_its_future() -> None:
    error = LookupError("planned")

    def fail() -> None:
        raise error

    async def main() -> None:
        for work in (
            asyncio.to_thread(fail),
            asyncio.get_running_loop().run_in_executor(None, fail),
        ):
            with pytest.raises(LookupError) as caught:
                await work
            assert caught.value is error

    simulated(main)


def test_work_that_was_cancelled_before_its_turn_is_not_done() -> None:
    async def main() -> None:
        future = asyncio.get_running_loop().run_in_executor(None, pytest.fail, "done")
        future.cancel()
        await asyncio.sleep(1)

    simulated(main)


def test_work_finds_no_running_loop_and_may_run_its_own() -> None:
    async def main() -> tuple[str, bool]:
        mine = asyncio.get_running_loop()
        answer = await asyncio.to_thread(lambda: asyncio.run(nothing()))
        return answer, asyncio.get_running_loop() is mine

    with pytest.raises(RuntimeError, match="no running event loop"):
        simulated(lambda: asyncio.run(asyncio.to_thread(asyncio.get_running_loop)))
    assert simulated(main) == ("done", True)


def test_pool_of_a_synchronous_program_works_at_once() -> None:
    def main() -> list[object]:
        with ThreadPoolExecutor(max_workers=2) as pool:
            futures = [pool.submit(pow, 2, number) for number in range(4)]
            done = [future.result() for future in concurrent.futures.as_completed(futures)]
            return [sorted(done), list(pool.map(abs, [-1, -2])), time.monotonic()]

    assert simulated(main) == [[1, 2, 4, 8], [1, 2], 0]


def test_pool_that_was_shut_down_takes_no_work() -> None:
    def main() -> None:
        pool = ThreadPoolExecutor()
        pool.shutdown()
        pool.submit(print)

    with pytest.raises(RuntimeError, match="after shutdown"):
        simulated(main)


def test_initializer_of_a_pool_runs_once_before_its_first_work() -> None:
    log: list[str] = []

    def main() -> None:
        with ThreadPoolExecutor(initializer=log.append, initargs=("ready",)) as pool:
            pool.submit(log.append, "work")
            pool.submit(log.append, "more")

    simulated(main)
    assert log == ["ready", "work", "more"]


def test_submit_of_a_pool_that_a_program_made_its_own_is_honoured() -> None:
    class Pool(ThreadPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            return super().submit(contextvars.copy_context().run, fn, *args, **kwargs)

    async def main() -> str:
        tag.set("mine")
        return await asyncio.get_running_loop().run_in_executor(Pool(), tag.get)

    assert simulated(main) == "mine"


def test_default_executor_of_the_programs_own_is_shut_down_without_a_thread() -> None:
    async def main() -> int:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        return await asyncio.to_thread(abs, -1)

    assert simulated(lambda: asyncio.run(main())) == 1


# -- work that waits --------------------------------------------------------------------------------


def sleeps() -> None:
    time.sleep(1)


def runs_a_loop_that_waits() -> None:
    asyncio.run(wait_a_second())


def waits_for_an_event() -> None:
    threading.Event().wait()


WAITS = [sleeps, runs_a_loop_that_waits, waits_for_an_event]


@pytest.mark.parametrize("wait", WAITS)
def test_work_that_waits_is_refused_in_words(wait: Callable[[], None]) -> None:
    with pytest.raises(NotSimulated) as caught:
        simulated(lambda: asyncio.run(asyncio.to_thread(wait)))
    assert "thread" in caught.value.what
    assert "several threads" in caught.value.advice
    assert "not simulated yet" in caught.value.advice
    assert "async" in caught.value.advice


@pytest.mark.parametrize("wait", WAITS)
def test_run_fails_although_the_program_swallowed_the_refusal(wait: Callable[[], None]) -> None:
    async def main() -> str:
        await asyncio.gather(asyncio.to_thread(wait), return_exceptions=True)
        return "a wrong result"

    with pytest.raises(NotSimulated, match="thread"):
        simulated(main)


def test_run_fails_although_nobody_read_the_future_with_the_refusal() -> None:
    def main() -> None:
        with ThreadPoolExecutor() as pool:
            pool.submit(time.sleep, 1)

    with pytest.raises(NotSimulated, match="thread"):
        simulated(main)


def test_error_that_followed_from_a_refusal_is_shown_behind_it() -> None:
    async def main() -> None:
        with contextlib.suppress(NotSimulated):
            await asyncio.to_thread(time.sleep, 1)
        raise LookupError("no answer")

    with pytest.raises(NotSimulated) as caught:
        simulated(main)
    assert isinstance(caught.value.__cause__, LookupError)


def test_error_that_tells_of_the_refusal_comes_out_as_it_is() -> None:
    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.to_thread(time.sleep, 1))

    with pytest.raises(ExceptionGroup) as caught:
        simulated(main)
    assert isinstance(caught.value.exceptions[0], NotSimulated)


def test_next_program_on_the_kernel_does_not_fail_for_the_last() -> None:
    kernel = Kernel()
    with pytest.raises(NotSimulated):
        run_program(kernel, lambda: asyncio.to_thread(time.sleep, 1), seed=1)
    assert run_program(kernel, nothing(), seed=1) == "done"


# -- waits for other threads outside a pool ---------------------------------------------------------


def test_wait_with_a_timeout_for_what_never_comes_is_a_sleep() -> None:
    def main() -> list[object]:
        results: list[object] = [threading.Event().wait(2)]
        with pytest.raises(queue.Empty):
            queue.Queue[int]().get(timeout=3)
        condition = threading.Condition()
        with condition:
            results.append(condition.wait_for(lambda: False, timeout=4))
        return [*results, time.monotonic()]

    assert simulated(main) == [False, False, 9]


def test_wait_for_ever_for_another_thread_is_refused() -> None:
    with pytest.raises(NotSimulated, match="a wait for another thread"):
        simulated(lambda: queue.Queue[int]().get())


# -- threads and processes of the program's own -----------------------------------------------------

STARTS: dict[str, Callable[[], object]] = {
    "a thread of your own (worker)": lambda: threading.Thread(name="worker").start(),
    "a thread of your own (timer)": lambda: timer().start(),
    "a process of your own (child)": lambda: multiprocessing.Process(name="child").start(),
    "a ProcessPoolExecutor": lambda: concurrent.futures.ProcessPoolExecutor().submit(print),
    "os.fork": lambda: os.fork(),
}


def timer() -> threading.Timer:
    made = threading.Timer(1, print)
    made.name = "timer"
    return made


@pytest.mark.parametrize("name", STARTS)
def test_threads_and_processes_are_refused_by_name(name: str) -> None:
    with pytest.raises(NotSimulated) as caught:
        simulated(STARTS[name])
    assert caught.value.what == name


def test_threads_start_again_afterwards() -> None:
    simulated(nothing)
    log: list[int] = []
    thread = threading.Thread(target=log.append, args=(1,))
    thread.start()
    thread.join()
    with ThreadPoolExecutor() as pool:
        assert pool.submit(threading.get_ident).result() != threading.get_ident()
    assert log == [1]


def test_call_from_another_thread_into_the_loop_is_refused() -> None:
    errors: list[str] = []
    asked, answered = threading.Event(), threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    def other_thread() -> None:
        asked.wait(10)
        try:
            loops[0].call_soon_threadsafe(print)
        except NotSimulated as error:
            errors.append(error.what)
        answered.set()

    thread = threading.Thread(target=other_thread, name="outsider")
    thread.start()

    async def main() -> None:
        loops.append(asyncio.get_running_loop())
        asked.set()
        while not answered.is_set():  # in real time, which does not pass for this thread
            pass

    simulated(main)
    thread.join()
    assert errors == ["a call from another thread into the loop (outsider)"]


# -- anyio ------------------------------------------------------------------------------------------


def test_anyio_does_its_work_in_order_and_under_its_limit() -> None:
    anyio: Any = pytest.importorskip("anyio")
    log: list[object] = []

    async def ask(number: int, limiter: Any) -> None:
        await anyio.to_thread.run_sync(log.append, number, limiter=limiter)
        assert limiter.borrowed_tokens <= 1
        log.append(f"got {number}")

    async def main() -> float:
        limiter = anyio.CapacityLimiter(1)
        async with anyio.create_task_group() as group:
            for number in range(3):
                group.start_soon(ask, number, limiter)
        return float(anyio.current_time())

    programs: list[Program] = [main, lambda: anyio.run(main)]
    for program in programs:
        log.clear()
        assert simulated(program) == 0
        assert [item for item in log if isinstance(item, int)] == [0, 1, 2]
        assert len(log) == 6


def test_anyio_work_raises_its_errors_and_carries_the_context() -> None:
    anyio: Any = pytest.importorskip("anyio")

    async def main() -> str:
        tag.set("mine")
        with pytest.raises(ZeroDivisionError):
            await anyio.to_thread.run_sync(lambda: 1 // 0)
        return str(await anyio.to_thread.run_sync(tag.get))

    assert simulated(main) == "mine"


def test_anyio_work_that_waits_is_refused() -> None:
    anyio: Any = pytest.importorskip("anyio")

    async def from_thread() -> None:
        await anyio.to_thread.run_sync(anyio.from_thread.run, nothing)

    programs: list[Callable[[], Coroutine[Any, Any, None]]] = [
        lambda: anyio.to_thread.run_sync(time.sleep, 1),
        from_thread,
    ]
    for program in programs:
        with pytest.raises(NotSimulated, match="thread"):
            simulated(program)


def test_deadlock_in_a_program_is_reported_with_its_own_tasks() -> None:
    async def stuck() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="stuck"):
        simulated(lambda: asyncio.run(stuck()))

"""asyncio's own tasks, primitives and helpers, unchanged, in virtual time."""

from __future__ import annotations

import asyncio
import sys
from asyncio import sleep as sleep_imported_by_name
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from contextvars import ContextVar
from typing import Any

import pytest

from harness.kernel import Kernel, run


def now_s() -> float:
    return asyncio.get_running_loop().time()


async def after(delay_s: float, value: str) -> str:
    await asyncio.sleep(delay_s)
    return value


# -- sleeping ---------------------------------------------------------------------------------------


def test_clock_starts_at_zero_and_moves_only_when_something_waits() -> None:
    async def main() -> list[float]:
        times = [now_s()]
        sum(range(100_000))
        times.append(now_s())
        await asyncio.sleep(2.5)
        times.append(now_s())
        return times

    assert run(Kernel(), main()) == [0.0, 0.0, 2.5]


def test_week_of_sleep_is_one_jump() -> None:
    async def main() -> float:
        await asyncio.sleep(7 * 86_400)
        return now_s()

    assert run(Kernel(), main()) == 7 * 86_400


def test_sleep_returns_its_result() -> None:
    async def main() -> tuple[str, str]:
        return await asyncio.sleep(1, "slept"), await asyncio.sleep(0, "yielded")

    assert run(Kernel(), main()) == ("slept", "yielded")


@pytest.mark.parametrize("delay_s", [0, -1, -0.0])
def test_sleep_of_nothing_lets_others_run_once_and_takes_no_time(delay_s: float) -> None:
    log = []

    async def other() -> None:
        log.append("other")

    async def main() -> float:
        task = asyncio.create_task(other())
        log.append("before")
        await asyncio.sleep(delay_s)
        log.append("after")
        await task
        return now_s()

    assert run(Kernel(), main()) == 0.0
    assert log == ["before", "other", "after"]


def test_sleep_that_was_imported_by_name_before_the_run_is_virtual_too() -> None:
    async def main() -> float:
        await sleep_imported_by_name(3)
        return now_s()

    assert run(Kernel(), main()) == 3


def test_sleepers_wake_in_the_order_of_their_times() -> None:
    log: list[tuple[float, str]] = []

    async def sleeper(delay_s: float, name: str) -> None:
        await asyncio.sleep(delay_s)
        log.append((now_s(), name))

    async def main() -> None:
        await asyncio.gather(sleeper(3, "c"), sleeper(1, "a"), sleeper(2, "b"))

    run(Kernel(), main())
    assert log == [(1, "a"), (2, "b"), (3, "c")]


# -- tasks and groups of tasks ----------------------------------------------------------------------


def test_tasks_are_real_asyncio_tasks_named_by_their_number_in_the_run() -> None:
    async def main() -> list[str]:
        task = asyncio.create_task(after(1, "x"))
        named = asyncio.create_task(after(1, "x"), name="planner")
        current = asyncio.current_task()
        assert isinstance(task, asyncio.Task)
        assert current is not None
        await asyncio.wait([task, named])
        return [current.get_name(), task.get_name(), named.get_name()]

    for _ in range(2):  # asyncio's own numbers would go on from one run to the next
        assert run(Kernel(), main()) == ["Task-1", "Task-2", "planner"]


def test_programs_own_task_factory_is_used_and_its_tasks_run_in_virtual_time() -> None:
    made = []

    def factory(
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        **how: Any,  # noqa: ANN401 - whatever asyncio passes through
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=loop, **how)
        made.append(task)
        return task

    async def main() -> tuple[str, str, float]:
        asyncio.get_running_loop().set_task_factory(factory)
        task = asyncio.get_running_loop().create_task(after(2, "done"), name="planner")
        assert made == [task]
        return task.get_name(), await task, now_s()

    assert run(Kernel(), main()) == ("planner", "done", 2)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
def test_eager_tasks_start_at_once_and_wait_in_virtual_time() -> None:
    log: list[str] = []

    async def worker() -> float:
        log.append("worker")
        await asyncio.sleep(2)
        return now_s()

    async def main() -> float:
        factory: Any = vars(asyncio)["eager_task_factory"]
        asyncio.get_running_loop().set_task_factory(factory)
        task = asyncio.create_task(worker())
        log.append("main")
        return await task

    assert run(Kernel(), main()) == 2
    assert log == ["worker", "main"]


def test_gather_takes_as_long_as_its_slowest_and_keeps_the_order_of_its_arguments() -> None:
    async def main() -> tuple[list[str], float]:
        values = await asyncio.gather(after(3, "slow"), after(1, "fast"))
        return list(values), now_s()

    assert run(Kernel(), main()) == (["slow", "fast"], 3)


def test_gather_raises_the_first_error_and_leaves_the_others_running() -> None:
    log = []

    async def fail() -> None:
        await asyncio.sleep(1)
        raise LookupError("planned")

    async def slow() -> None:
        await asyncio.sleep(2)
        log.append(now_s())

    async def main() -> None:
        with pytest.raises(LookupError, match="planned"):
            await asyncio.gather(fail(), slow())
        log.append(now_s())
        await asyncio.sleep(5)

    run(Kernel(), main())
    assert log == [1, 2]


def test_task_group_cancels_the_rest_when_one_fails() -> None:
    log: list[tuple[float, str]] = []

    async def fail() -> None:
        await asyncio.sleep(1)
        raise LookupError("planned")

    async def slow() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            log.append((now_s(), "cleaned up"))

    async def main() -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fail())
                group.create_task(slow())
        except* LookupError as errors:
            log.append((now_s(), f"{len(errors.exceptions)} error"))

    run(Kernel(), main())
    assert log == [(1, "cleaned up"), (1, "1 error")]


def test_timeout_ends_a_wait_at_its_deadline() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await asyncio.sleep(5)
        return now_s()

    assert run(Kernel(), main()) == 2


def test_timeout_that_is_not_reached_changes_nothing() -> None:
    async def main() -> tuple[str, float]:
        async with asyncio.timeout(5):
            value = await after(2, "done")
        await asyncio.sleep(10)  # past the deadline, which must be forgotten
        return value, now_s()

    assert run(Kernel(), main()) == ("done", 12)


def test_timeout_wins_against_a_sleep_of_the_same_length_because_it_was_set_first() -> None:
    async def main() -> None:
        async with asyncio.timeout(1):
            await asyncio.sleep(1)

    with pytest.raises(TimeoutError):
        run(Kernel(), main())


@pytest.mark.parametrize("deadline_s", [-1.0, 0.0])
def test_timeout_that_is_already_over_fires_at_the_first_wait(deadline_s: float) -> None:
    async def main() -> float:
        await asyncio.sleep(4)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout_at(deadline_s):
                await asyncio.sleep(1)
        return now_s()

    assert run(Kernel(), main()) == 4


def test_wait_for_gives_the_value_or_times_out() -> None:
    async def main() -> tuple[str, float]:
        value = await asyncio.wait_for(after(1, "in time"), 2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(after(5, "late"), 2)
        return value, now_s()

    assert run(Kernel(), main()) == ("in time", 3)


def test_shield_keeps_the_work_going_when_the_waiter_is_cancelled() -> None:
    async def main() -> tuple[str, float]:
        work = asyncio.create_task(after(3, "saved"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(work), 1)
        return await work, now_s()

    assert run(Kernel(), main()) == ("saved", 3)


def test_as_completed_yields_in_the_order_of_completion() -> None:
    async def main() -> list[tuple[str, float]]:
        jobs = [after(3, "c"), after(1, "a"), after(2, "b")]
        return [(await next_done, now_s()) for next_done in asyncio.as_completed(jobs)]

    assert run(Kernel(), main()) == [("a", 1), ("b", 2), ("c", 3)]


def test_as_completed_times_out_in_virtual_time() -> None:
    async def main() -> tuple[list[str], float]:
        first, second = asyncio.as_completed([after(9, "slow"), after(1, "fast")], timeout=4)
        done = [await first]
        with pytest.raises(TimeoutError):
            await second
        return done, now_s()

    assert run(Kernel(), main()) == (["fast"], 4)


@pytest.mark.parametrize(
    ("return_when", "done", "at_s"),
    [
        (asyncio.FIRST_COMPLETED, ["a"], 1),
        (asyncio.FIRST_EXCEPTION, ["a", "fails"], 2),
        (asyncio.ALL_COMPLETED, ["a", "fails", "c"], 3),
    ],
)
def test_wait_returns_when_it_was_told_to(return_when: str, done: list[str], at_s: float) -> None:
    async def fail() -> None:
        await asyncio.sleep(2)
        raise LookupError("planned")

    async def main() -> tuple[list[str], float]:
        tasks = [
            asyncio.create_task(after(1, ""), name="a"),
            asyncio.create_task(fail(), name="fails"),
            asyncio.create_task(after(3, ""), name="c"),
        ]
        finished, _ = await asyncio.wait(tasks, return_when=return_when)
        at_s = now_s()
        await asyncio.gather(*tasks, return_exceptions=True)
        return [task.get_name() for task in tasks if task in finished], at_s

    assert run(Kernel(), main()) == (done, at_s)


def test_wait_with_a_timeout_leaves_the_rest_pending() -> None:
    async def main() -> tuple[int, int, float]:
        tasks = [asyncio.create_task(after(delay_s, "")) for delay_s in (1, 9)]
        done, pending = await asyncio.wait(tasks, timeout=4)
        return len(done), len(pending), now_s()

    assert run(Kernel(), main()) == (1, 1, 4)


# -- context variables ------------------------------------------------------------------------------


def test_context_variables_stay_with_their_task_across_every_kind_of_wait() -> None:
    who: ContextVar[str] = ContextVar("who", default="nobody")

    async def main() -> list[list[str]]:
        event = asyncio.Event()

        async def agent(name: str) -> list[str]:
            who.set(name)
            seen = []
            waits: list[Callable[[], Awaitable[object]]] = [
                lambda: asyncio.sleep(1),
                lambda: asyncio.sleep(0),
                event.wait,
                lambda: after(1, ""),
            ]
            for wait in waits:
                await wait()
                seen.append(who.get())
            return seen

        asyncio.get_running_loop().call_later(5, event.set)
        seen = await asyncio.gather(agent("a"), agent("b"))
        assert who.get() == "nobody"
        return list(seen)

    assert run(Kernel(), main()) == [["a"] * 4, ["b"] * 4]


def test_callback_sees_the_context_in_which_it_was_planned_or_the_one_it_was_given() -> None:
    who: ContextVar[str] = ContextVar("who", default="nobody")
    seen: list[str] = []

    async def main() -> None:
        from contextvars import copy_context

        loop = asyncio.get_running_loop()
        who.set("given")
        given = copy_context()
        who.set("planner")
        loop.call_soon(lambda: seen.append(who.get()))
        loop.call_soon(lambda: seen.append(who.get()), context=given)
        loop.call_later(1, lambda: seen.append(who.get()))
        loop.call_later(1, lambda: seen.append(who.get()), context=given)
        loop.call_at(1, lambda: seen.append(who.get()), context=given)
        who.set("later")
        await asyncio.sleep(2)

    run(Kernel(), main())
    assert seen == ["planner", "given", "planner", "given", "given"]


# -- async generators -------------------------------------------------------------------------------


async def ticks(log: list[str]) -> AsyncIterator[float]:
    try:
        for _ in range(3):
            await asyncio.sleep(1)
            yield now_s()
    finally:
        await asyncio.sleep(1)
        log.append(f"closed at {now_s():g}")


def test_async_generator_waits_in_virtual_time_and_closes_at_its_end() -> None:
    log: list[str] = []

    async def main() -> list[float]:
        return [time_s async for time_s in ticks(log)]

    assert run(Kernel(), main()) == [1, 2, 3]
    assert log == ["closed at 4"]


def test_async_generator_that_is_dropped_halfway_is_closed_while_the_run_goes_on() -> None:
    log: list[str] = []

    async def main() -> None:
        async for _ in ticks(log):
            break
        await asyncio.sleep(5)
        log.append("main ends")

    run(Kernel(), main())
    assert log == ["closed at 2", "main ends"]


def test_async_generator_that_is_still_held_at_the_end_is_closed_by_the_run() -> None:
    log: list[str] = []

    async def main() -> AsyncIterator[float]:
        generator = ticks(log)
        await anext(generator)
        return generator

    generator = run(Kernel(), main())
    assert log == ["closed at 2"]
    assert generator is not None


# -- asyncio's debug mode ---------------------------------------------------------------------------


def test_debug_mode_of_asyncio_works_in_virtual_time() -> None:
    async def main() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        loop.call_soon(lambda: None).cancel()
        loop.call_later(9, lambda: None).cancel()
        async with asyncio.timeout(9):
            value = await asyncio.gather(after(1, "a"), after(2, "b"))
        return "".join(value), now_s()

    assert run(Kernel(), main()) == ("ab", 2)

"""Waiting for a time or for an event of the kernel: cancelled, late, awaited in odd ways."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import simpy
from simpy.events import ProcessGenerator

from harness.kernel import Kernel, happened, run
from harness.kernel.loop import SimLoop


def now_s() -> float:
    return asyncio.get_running_loop().time()


def sim_loop() -> SimLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimLoop)
    return loop


# -- cancellation -----------------------------------------------------------------------------------


async def long_sleep(_: Kernel) -> None:
    await asyncio.sleep(100)


async def never(kernel: Kernel) -> None:
    await happened(kernel.env.event())


Wait = Callable[[Kernel], Coroutine[Any, Any, None]]

waits = pytest.mark.parametrize("wait", [long_sleep, never])


@waits
def test_cancelled_wait_ends_at_the_moment_of_cancellation(wait: Wait) -> None:
    kernel = Kernel()
    log: list[tuple[float, str]] = []

    async def waiter() -> None:
        try:
            await wait(kernel)
        except asyncio.CancelledError as error:
            log.append((now_s(), f"cancelled {error.args}"))
            raise

    async def main() -> None:
        task = asyncio.create_task(waiter())
        await asyncio.sleep(3)
        assert task.cancel("enough") is True
        with pytest.raises(asyncio.CancelledError):
            await task
        log.append((now_s(), "main"))

    run(kernel, main())
    assert log == [(3, "cancelled ('enough',)"), (3, "main")]


@waits
def test_cancel_before_the_first_step_of_a_task_never_starts_the_wait(wait: Wait) -> None:
    kernel = Kernel()

    async def main() -> bool:
        task = asyncio.create_task(wait(kernel))
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert run(kernel, main())


@waits
def test_task_that_catches_its_cancellation_can_wait_again(wait: Wait) -> None:
    kernel = Kernel()

    async def stubborn() -> float:
        try:
            await wait(kernel)
        except asyncio.CancelledError:
            await asyncio.sleep(2)
        return now_s()

    async def main() -> float:
        task = asyncio.create_task(stubborn())
        await asyncio.sleep(1)
        task.cancel()
        return await task

    assert run(kernel, main()) == 3


@waits
def test_cancel_called_twice_at_one_instant_is_delivered_once(wait: Wait) -> None:
    kernel = Kernel()
    deliveries = []

    async def waiter() -> None:
        try:
            await wait(kernel)
        except asyncio.CancelledError:
            deliveries.append(now_s())
            await asyncio.sleep(1)

    async def main() -> None:
        task = asyncio.create_task(waiter())
        await asyncio.sleep(1)
        task.cancel()
        task.cancel()
        await task

    run(kernel, main())
    assert deliveries == [1]
    assert kernel.now_s() == 2


def test_cancel_in_the_very_turn_in_which_a_sleep_is_over_still_cancels() -> None:
    """A stock loop behaves so too: the timer has fired, yet the task has not run."""
    log: list[str] = []

    async def sleeper() -> None:
        try:
            await asyncio.sleep(1)
            log.append("slept")
        except asyncio.CancelledError:
            log.append("cancelled")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        tasks: list[asyncio.Task[None]] = []
        loop.call_later(1, lambda: tasks.pop().cancel())
        tasks.append(asyncio.create_task(sleeper()))
        await asyncio.sleep(2)

    run(Kernel(), main())
    assert log == ["cancelled"]


def test_cancel_in_the_very_turn_in_which_an_event_happened_still_cancels_and_wakes_once() -> None:
    kernel = Kernel()
    event = kernel.env.event()
    log: list[str] = []

    async def waiter() -> None:
        try:
            await happened(event)
            log.append("happened")
        finally:
            log.append("ended")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: log.append(f"{context}"))
        task = asyncio.create_task(waiter())
        await asyncio.sleep(1)
        event.succeed()
        loop.call_soon(task.cancel)  # comes to its turn before the task that the event has woken
        await asyncio.wait([task])
        assert task.cancelled()

    run(kernel, main())
    assert log == ["ended"]


def test_event_that_happens_after_its_waiter_was_cancelled_disturbs_nobody() -> None:
    kernel = Kernel()
    event = kernel.env.event()

    async def main() -> tuple[float, object]:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await happened(event)
        asyncio.get_running_loop().call_later(1, event.succeed, "late")
        await asyncio.sleep(5)
        return now_s(), await happened(event)

    assert run(kernel, main()) == (6, "late")


# -- events of the kernel ---------------------------------------------------------------------------


def test_happened_gives_the_value_of_the_event_at_its_time() -> None:
    kernel = Kernel()

    async def main() -> tuple[object, float]:
        return await happened(kernel.env.timeout(4, "answer")), now_s()

    assert run(kernel, main()) == ("answer", 4)


def test_happened_of_a_simpy_process_gives_what_the_process_returned() -> None:
    kernel = Kernel()

    def serve() -> ProcessGenerator:
        yield kernel.env.timeout(2)
        yield kernel.env.timeout(3)
        return "served"

    async def main() -> tuple[object, float]:
        return await happened(kernel.env.process(serve())), now_s()

    assert run(kernel, main()) == ("served", 5)


def test_event_that_was_over_long_ago_is_answered_without_time_passing() -> None:
    kernel = Kernel()
    event = kernel.env.timeout(1, "early")

    async def main() -> tuple[object, float]:
        await asyncio.sleep(9)
        return await happened(event), now_s()

    assert run(kernel, main()) == ("early", 9)


def test_event_may_be_awaited_by_many_tasks() -> None:
    kernel = Kernel()
    event = kernel.env.timeout(2, "all")

    async def main() -> list[object]:
        return await asyncio.gather(*(happened(event) for _ in range(3)))

    assert run(kernel, main()) == ["all"] * 3


def test_event_may_be_awaited_under_every_helper_of_asyncio() -> None:
    kernel = Kernel()
    env = kernel.env

    async def main() -> list[object]:
        values = [
            await asyncio.wait_for(happened(env.timeout(1, "wait_for")), 5),
            await asyncio.shield(happened(env.timeout(1, "shield"))),
            *await asyncio.gather(happened(env.timeout(1, "gather"))),
        ]
        async with asyncio.timeout(5):
            values.append(await happened(env.timeout(1, "timeout")))
        for next_done in asyncio.as_completed([happened(env.timeout(1, "as_completed"))]):
            values.append(await next_done)  # noqa: PERF401 - no async comprehension over a plain iterator
        return values

    expected = ["wait_for", "shield", "gather", "timeout", "as_completed"]
    assert run(kernel, main()) == expected
    assert kernel.now_s() == len(expected)


def test_wait_for_an_event_that_comes_too_late_times_out() -> None:
    kernel = Kernel()

    async def main() -> float:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(happened(kernel.env.timeout(9)), 2)
        return now_s()

    assert run(kernel, main()) == 2


def test_failed_event_hands_over_its_exception_as_a_value() -> None:
    kernel = Kernel()
    event = kernel.env.event()

    async def main() -> object:
        asyncio.get_running_loop().call_later(1, event.fail, LookupError("as a value"))
        return await happened(event)

    assert repr(run(kernel, main())) == "LookupError('as a value')"


def test_event_that_fails_after_its_waiter_was_cancelled_does_not_break_the_run() -> None:
    """SimPy raises the exception of a failed event that nobody defused, and would raise it inside the loop."""
    kernel = Kernel()
    event = kernel.env.event()

    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await happened(event)
        event.fail(LookupError("too late to matter"))
        await asyncio.sleep(1)
        return now_s()

    assert run(kernel, main()) == 2


def test_event_and_timer_of_one_instant_both_come_the_event_first() -> None:
    kernel = Kernel()
    log: list[str] = []

    async def wait(event: simpy.Event) -> None:
        await happened(event)
        log.append("event")

    async def sleep() -> None:
        await asyncio.sleep(1)
        log.append("timer")

    async def main() -> None:
        await asyncio.gather(sleep(), wait(kernel.env.timeout(1)))

    run(kernel, main())
    assert log == ["event", "timer"]


# -- events of the kernel that act on the program ---------------------------------------------------


Act = Callable[[asyncio.Future[str], asyncio.Task[None]], object]


def complete(answer: asyncio.Future[str], _: asyncio.Task[None]) -> None:
    answer.set_result("completed")


def cancel(_: asyncio.Future[str], task: asyncio.Task[None]) -> None:
    task.cancel()


def complete_soon(answer: asyncio.Future[str], _: asyncio.Task[None]) -> None:
    answer.get_loop().call_soon(answer.set_result, "completed")


def complete_threadsafe(answer: asyncio.Future[str], _: asyncio.Task[None]) -> None:
    answer.get_loop().call_soon_threadsafe(answer.set_result, "completed")


def complete_by_a_timer(answer: asyncio.Future[str], _: asyncio.Task[None]) -> None:
    answer.get_loop().call_later(0, answer.set_result, "completed")


def complete_at_a_time(answer: asyncio.Future[str], _: asyncio.Task[None]) -> None:
    answer.get_loop().call_at(3, answer.set_result, "completed")


@pytest.mark.parametrize(
    "act",
    [
        complete,
        cancel,
        complete_soon,
        complete_threadsafe,
        complete_by_a_timer,
        complete_at_a_time,
    ],
)
@pytest.mark.parametrize("other_timers", [True, False])
def test_loop_is_parked_no_longer_once_an_event_of_the_kernel_gave_it_something_to_do(
    act: Act, *, other_timers: bool
) -> None:
    """Otherwise it would notice at its next timer, or report a deadlock if it has none."""
    kernel = Kernel()

    async def idle() -> None:
        await happened(kernel.env.event())

    async def main() -> float:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(idle())

        def act_now(_: simpy.Event) -> None:
            act(answer, task)

        kernel.env.timeout(3).callbacks.append(act_now)
        if other_timers:
            asyncio.get_running_loop().call_later(50, lambda: None)
        either: list[asyncio.Future[Any]] = [answer, task]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return now_s()

    assert run(kernel, main()) == 3


# -- the bare suspension ----------------------------------------------------------------------------


def test_suspension_that_is_awaited_after_its_time_is_over_at_once() -> None:
    async def main() -> float:
        suspension = sim_loop().sleep_until(1)
        await asyncio.sleep(5)
        await suspension
        return now_s()

    assert run(Kernel(), main()) == 5


def test_suspension_that_is_awaited_before_its_time_ends_at_its_time() -> None:
    async def main() -> float:
        suspension = sim_loop().sleep_until(4)
        await asyncio.sleep(1)
        await suspension
        return now_s()

    assert run(Kernel(), main()) == 4


def test_suspension_that_was_cancelled_before_it_is_awaited_raises() -> None:
    async def main() -> tuple[bool, bool, float]:
        suspension = sim_loop().sleep_until(4)
        first, second = suspension.cancel(), suspension.cancel()
        with pytest.raises(asyncio.CancelledError):
            await suspension
        return first, second, now_s()

    assert run(Kernel(), main()) == (True, False, 0)


def test_suspension_that_is_ended_before_its_time_wakes_its_task_with_the_value() -> None:
    async def main() -> tuple[object, float, int]:
        loop = sim_loop()
        suspension = loop.sleep_until(100)
        loop.call_later(2, suspension.end, True)
        woken = await suspension
        await asyncio.sleep(0)
        return woken, now_s(), loop._timers_cancelled

    kernel = Kernel(horizon_s=50)
    assert run(kernel, main()) == (True, 2, 1)


def test_suspension_whose_time_came_gives_none_and_can_be_ended_no_more() -> None:
    async def main() -> tuple[object, float]:
        loop = sim_loop()
        suspension = loop.sleep_until(1)
        loop.call_later(1, suspension.end, True)  # set later, so it comes later
        return await suspension, now_s()

    assert run(Kernel(), main()) == (None, 1)


def test_suspension_is_ended_by_an_event_of_the_kernel_while_the_loop_is_parked() -> None:
    kernel = Kernel()

    async def main() -> tuple[object, float]:
        suspension = sim_loop().sleep_until(100)
        event = kernel.env.timeout(3)
        assert event.callbacks is not None
        event.callbacks.append(lambda _: suspension.end("answer"))
        return await suspension, now_s()

    assert run(kernel, main()) == ("answer", 3)


def test_suspension_that_was_ended_before_it_is_awaited_gives_its_value_at_once() -> None:
    async def main() -> tuple[object, float]:
        suspension = sim_loop().sleep_until(4)
        suspension.end("first")
        suspension.end("second")
        return await suspension, now_s()

    assert run(Kernel(), main()) == ("first", 0)


def test_end_and_cancel_of_a_suspension_count_whichever_is_first() -> None:
    async def main() -> tuple[object, bool]:
        cancelled = sim_loop().sleep_until(4)
        cancelled.cancel()
        cancelled.end(True)
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        ended = sim_loop().sleep_until(4)
        ended.end(True)
        was_cancelled = ended.cancel()
        return await ended, was_cancelled

    assert run(Kernel(), main()) == (True, False)


def test_waiting_leaves_nothing_behind_for_the_garbage_collector() -> None:
    """Objects in circles would be freed at some later time, and cost the more the longer the run is."""
    kernel = Kernel()

    async def main() -> int:
        gc.collect()
        for _ in range(2000):
            await asyncio.sleep(1)
            await happened(kernel.env.timeout(1))
        return gc.collect()

    gc.disable()
    try:
        assert run(kernel, main()) < 1000  # Python itself leaves a hundred or two
    finally:
        gc.enable()

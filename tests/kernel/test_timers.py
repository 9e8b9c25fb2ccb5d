"""Callbacks at a time: their order, their cancellation, and what the loop keeps of them."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from harness.kernel import Kernel, run
from harness.kernel.loop import SimLoop


def sim_loop() -> SimLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimLoop)
    return loop


def test_call_later_and_call_at_fire_exactly_at_their_time() -> None:
    log: list[tuple[float, str]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(1)
        loop.call_at(5, lambda: log.append((loop.time(), "at")))
        handle = loop.call_later(2, lambda: log.append((loop.time(), "later")))
        assert handle.when() == 3
        await asyncio.sleep(9)

    run(Kernel(), main())
    assert log == [(3, "later"), (5, "at")]


@pytest.mark.parametrize("count", [3, 50, 1000])
def test_timers_at_one_instant_fire_in_the_order_they_were_set(count: int) -> None:
    log: list[int] = []

    async def sleeper(number: int) -> None:
        await asyncio.sleep(10)
        log.append(number)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for number in range(0, count, 2):
            loop.call_at(10, log.append, number)
            asyncio.create_task(sleeper(number + 1))  # noqa: RUF006 - it stays in the loop's heap
            await asyncio.sleep(0)
        await asyncio.sleep(11)

    run(Kernel(), main())
    assert log == list(range(count + count % 2))


def test_timer_set_for_this_instant_fires_after_what_is_ready_and_takes_no_time() -> None:
    log: list[str] = []

    async def main() -> float:
        loop = asyncio.get_running_loop()
        loop.call_later(0, log.append, "timer")
        loop.call_soon(log.append, "soon")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return loop.time()

    assert run(Kernel(), main()) == 0
    assert log == ["soon", "timer"]


@pytest.mark.parametrize("at_s", [4.0, -1.0])
def test_timer_set_for_the_past_fires_now_and_does_not_turn_time_back(at_s: float) -> None:
    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(5)
        fired = loop.create_future()
        loop.call_at(at_s, lambda: fired.set_result(loop.time()))
        loop.call_later(-2, lambda: None)
        return await fired, loop.time()

    assert run(Kernel(), main()) == (5, 5)


def test_cancelled_timer_neither_fires_nor_moves_time() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        handle = loop.call_later(100, pytest.fail, "fired")
        handle.cancel()
        handle.cancel()
        assert handle.cancelled()
        await asyncio.sleep(1)
        return loop.time()

    kernel = Kernel(horizon_s=50)
    assert run(kernel, main()) == 1
    assert kernel.now_s() == 1


def test_timer_may_cancel_another_of_the_same_instant_and_itself() -> None:
    log: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        handles: list[asyncio.TimerHandle] = []

        def first() -> None:
            log.append("first")
            for handle in handles:
                handle.cancel()

        handles.append(loop.call_later(1, first))
        handles.append(loop.call_later(1, pytest.fail, "fired"))
        loop.call_later(1, log.append, "third")
        await asyncio.sleep(2)

    run(Kernel(), main())
    assert log == ["first", "third"]


def test_ready_callback_may_be_cancelled() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(pytest.fail, "ran").cancel()
        await asyncio.sleep(1)

    run(Kernel(), main())


def test_error_in_a_callback_goes_to_the_exception_handler_and_stops_nothing() -> None:
    seen: list[object] = []

    async def main() -> float:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: seen.append(context["exception"]))
        error = LookupError("planned")

        def fail() -> None:
            raise error

        loop.call_soon(fail)
        loop.call_later(1, fail)
        await asyncio.sleep(2)
        assert seen == [error, error]
        return loop.time()

    assert run(Kernel(), main()) == 2


# -- what the loop keeps ----------------------------------------------------------------------------


def test_timeouts_that_never_fire_do_not_pile_up() -> None:
    """Ten thousand calls, each under a deadline of an hour, leave some hundred dead timers and no more."""

    async def main() -> int:
        most = 0
        for _ in range(10_000):
            async with asyncio.timeout(3600):
                await asyncio.sleep(0.001)
            most = max(most, len(sim_loop()._timers))
        return most

    assert run(Kernel(), main()) <= 2 * 100 + 2


def test_cancelled_sleeps_do_not_pile_up() -> None:
    async def main() -> int:
        most = 0
        for _ in range(2_000):
            task = asyncio.create_task(asyncio.sleep(3600))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            most = max(most, len(sim_loop()._timers))
        return most

    assert run(Kernel(), main()) <= 2 * 100 + 2


def test_loop_counts_its_cancelled_timers_right_however_they_leave_the_heap() -> None:
    """The count decides when the heap is made anew: too high and every cancel costs O(n), too low and it never is."""

    async def main() -> None:
        loop = sim_loop()
        for round_number in range(40):
            soon = [loop.call_later(1 + number % 3, lambda: None) for number in range(20)]
            late = [loop.call_later(500 + round_number, lambda: None) for _ in range(20)]
            tasks = [asyncio.create_task(asyncio.sleep(1 + number % 3)) for number in range(20)]
            await asyncio.sleep(0)
            for handle in (*soon[::2], *late[::3]):
                handle.cancel()
            for task in tasks[::2]:
                task.cancel()
            loop.call_later(1, partial(soon[1].cancel))  # after it has become due, in the same turn
            await asyncio.sleep(1 if round_number % 2 else 5)
            dead = sum(not timer._scheduled for _, _, timer in loop._timers)
            assert loop._timers_cancelled == dead

    run(Kernel(), main())


def test_order_of_timers_survives_the_rebuilding_of_the_heap() -> None:
    log: list[int] = []

    async def main() -> None:
        loop = sim_loop()
        for number in range(500):
            loop.call_at(10 + number % 2, log.append, number)
        doomed = [loop.call_at(5 + number % 7, log.append, -1) for number in range(2_000)]
        before = len(loop._timers)
        for handle in doomed:
            handle.cancel()
        assert len(loop._timers) < before
        await asyncio.sleep(20)

    run(Kernel(), main())
    assert log == [*range(0, 500, 2), *range(1, 500, 2)]

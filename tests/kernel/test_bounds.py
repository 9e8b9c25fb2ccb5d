"""The bounds of a run: how far time may go, and how long it may stand still."""

from __future__ import annotations

import asyncio

import pytest
from simpy.events import ProcessGenerator

from harness.errors import LimitExceeded
from harness.kernel import Kernel, happened, run


def now_s() -> float:
    return asyncio.get_running_loop().time()


# -- the horizon ------------------------------------------------------------------------------------


async def heartbeat(log: list[float]) -> None:
    try:
        while True:
            await asyncio.sleep(10)
            log.append(now_s())
    finally:
        log.append(-1)


def test_program_that_goes_beyond_the_horizon_is_stopped_there() -> None:
    log: list[float] = []
    kernel = Kernel(horizon_s=35)
    with pytest.raises(LimitExceeded) as caught:
        run(kernel, heartbeat(log))
    assert log == [10, 20, 30, -1]
    assert kernel.now_s() == 30
    assert (caught.value.limit, caught.value.value) == ("horizon_s", 35)


def test_message_of_the_horizon_says_what_to_do() -> None:
    with pytest.raises(LimitExceeded, match="more than 35") as caught:
        run(Kernel(horizon_s=35), heartbeat([]))
    assert "still waits for something" in str(caught.value)
    assert "Raise `horizon_s`" in str(caught.value)


def test_horizon_stops_a_wait_for_an_event_of_the_kernel_too() -> None:
    kernel = Kernel(horizon_s=35)

    async def main() -> None:
        await happened(kernel.env.timeout(36))

    with pytest.raises(LimitExceeded, match="horizon_s"):
        run(kernel, main())


def test_deadlock_behind_a_heartbeat_is_stopped_by_the_horizon() -> None:
    async def main() -> None:
        task = asyncio.create_task(heartbeat([]))
        await asyncio.Event().wait()
        await task

    with pytest.raises(LimitExceeded, match="horizon_s"):
        run(Kernel(horizon_s=1000), main())


def test_program_may_end_at_the_horizon_itself() -> None:
    async def main() -> float:
        await asyncio.sleep(35)
        return now_s()

    assert run(Kernel(horizon_s=35), main()) == 35


def test_program_that_catches_the_horizon_cannot_go_on() -> None:
    """The limit is raised in the loop and not in a task, so no `except` of the program swallows it."""

    async def main() -> None:
        try:
            await asyncio.sleep(99)
        except Exception:  # noqa: BLE001 - as careless programs do
            pytest.fail("the program must not see the limit")

    with pytest.raises(LimitExceeded):
        run(Kernel(horizon_s=35), main())


# -- steps at one instant ---------------------------------------------------------------------------


async def spin() -> None:
    while True:  # noqa: ASYNC110 - what is to be stopped
        await asyncio.sleep(0)


def test_spin_on_sleep_zero_is_stopped() -> None:
    async def main() -> None:
        await asyncio.sleep(2)
        await spin()

    kernel = Kernel(steps_per_instant=500)
    with pytest.raises(LimitExceeded) as caught:
        run(kernel, main())
    assert (caught.value.limit, caught.value.value) == ("steps_per_instant", 500)
    assert kernel.now_s() == 2


def test_message_of_a_spin_says_when_and_what_is_probably_wrong() -> None:
    async def main() -> None:
        await asyncio.sleep(2)
        await spin()

    with pytest.raises(LimitExceeded, match="more than 500") as caught:
        run(Kernel(steps_per_instant=500), main())
    assert "stands still at 2.000000 s" in str(caught.value)
    assert "asyncio.sleep(0)" in str(caught.value)
    assert "back-off" in str(caught.value)


def test_two_tasks_that_play_ping_pong_for_ever_are_stopped() -> None:
    async def main() -> None:
        left: asyncio.Queue[int] = asyncio.Queue()
        right: asyncio.Queue[int] = asyncio.Queue()

        async def player(mine: asyncio.Queue[int], other: asyncio.Queue[int]) -> None:
            while True:
                other.put_nowait(await mine.get())

        left.put_nowait(0)
        await asyncio.gather(player(left, right), player(right, left))

    with pytest.raises(LimitExceeded, match="steps_per_instant"):
        run(Kernel(steps_per_instant=500), main())


def test_callbacks_that_plan_each_other_at_this_instant_for_ever_are_stopped() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()

        def again() -> None:
            loop.call_at(0, again)

        again()
        await asyncio.sleep(1)

    with pytest.raises(LimitExceeded, match="steps_per_instant"):
        run(Kernel(steps_per_instant=500), main())


def test_events_of_the_kernel_that_follow_each_other_at_one_instant_are_stopped() -> None:
    kernel = Kernel(steps_per_instant=500)

    def restless() -> ProcessGenerator:
        while True:
            yield kernel.env.timeout(0)

    async def main() -> None:
        await happened(kernel.env.process(restless()))

    with pytest.raises(LimitExceeded, match="steps_per_instant"):
        run(kernel, main())


def test_spinning_task_may_clean_up_after_it_was_stopped() -> None:
    log: list[str] = []

    async def spin_with_care() -> None:
        try:
            await spin()
        finally:
            await asyncio.sleep(0)
            log.append("cleaned up")

    async def main() -> None:
        task = asyncio.create_task(spin_with_care())
        await asyncio.Event().wait()
        await task

    with pytest.raises(LimitExceeded) as caught:
        run(Kernel(steps_per_instant=500), main())
    assert log == ["cleaned up"]
    assert caught.value.__context__ is None  # one error, and not another of the clean-up's


def test_task_that_spins_through_its_own_cancellation_is_stopped_again() -> None:
    async def main() -> None:
        while True:
            try:
                await spin()
            except asyncio.CancelledError:
                continue

    with pytest.raises(LimitExceeded, match="steps_per_instant"):
        run(Kernel(steps_per_instant=500), main())


def test_steps_are_counted_anew_at_every_instant() -> None:
    async def main() -> float:
        for _ in range(20):
            for _ in range(400):
                await asyncio.sleep(0)
            await asyncio.sleep(0.001)
        return now_s()

    assert run(Kernel(steps_per_instant=500), main()) == pytest.approx(0.02)


def test_many_tasks_that_start_at_one_instant_are_one_step() -> None:
    async def main() -> int:
        tasks = [asyncio.create_task(asyncio.sleep(1)) for _ in range(5000)]
        await asyncio.gather(*tasks)
        return len(tasks)

    assert run(Kernel(steps_per_instant=100), main()) == 5000


def test_spin_that_waits_for_an_event_of_the_same_instant_makes_progress() -> None:
    kernel = Kernel(steps_per_instant=1000)
    event = kernel.env.event()

    def chain() -> ProcessGenerator:
        for _ in range(50):
            yield kernel.env.timeout(0)
        event.succeed()

    async def main() -> int:
        kernel.env.process(chain())
        spins = 0
        while not event.processed:
            await asyncio.sleep(0)
            spins += 1
        return spins

    assert run(kernel, main()) < 100
    assert kernel.now_s() == 0


def test_spin_that_waits_for_a_timer_of_the_same_instant_makes_progress() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        fired = loop.create_future()
        loop.call_later(0, fired.set_result, None)
        while not fired.done():  # noqa: ASYNC110 - what is to go on
            await asyncio.sleep(0)
        return loop.time()

    assert run(Kernel(steps_per_instant=100), main()) == 0

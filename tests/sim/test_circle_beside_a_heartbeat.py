"""A circle beside a heartbeat is named after two thousand ticks where the heartbeat cannot end it; else it may go on."""

# ruff: noqa: ASYNC110 - programs as users write them
from __future__ import annotations

import asyncio
import logging
import threading
import time  # noqa: TID251 - as the programs under test do
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from harness.errors import Deadlock
from harness.sim import Sim

NEXT = {"analyst": "critic", "critic": "writer", "writer": "analyst"}

TICKS = 20_000
"""More than a circle is given beside a timer that cannot end it, and less than bounds that are not of this page."""

INBOXES: dict[str, asyncio.Queue[str]] = {}


async def agent(who: str, inbox: dict[str, asyncio.Queue[str]]) -> str:
    await asyncio.sleep(1)
    await inbox[NEXT[who]].put("help me")
    while (text := await inbox[who].get()) == "help me":
        pass
    return text


def agents() -> tuple[dict[str, asyncio.Queue[str]], list[asyncio.Task[str]]]:
    inbox: dict[str, asyncio.Queue[str]] = {name: asyncio.Queue() for name in NEXT}
    return inbox, [asyncio.create_task(agent(name, inbox)) for name in NEXT]


async def beat(every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)


async def answer_all(inbox: dict[str, asyncio.Queue[str]]) -> None:
    for name in NEXT:
        await inbox[name].put("here you are")


# -- a heartbeat that cannot end it -----------------------------------------------------------------------------------


async def beside_a_heartbeat(every_s: float) -> None:
    _, working = agents()
    beating = asyncio.create_task(beat(every_s))
    await asyncio.gather(*working)
    beating.cancel()


async def in_a_group_with_a_heartbeat(every_s: float) -> None:
    _, working = agents()
    async with asyncio.TaskGroup() as group:
        group.create_task(beat(every_s))
        group.create_task(asyncio.wait_for(asyncio.gather(*working), None))


async def beside_many_that_count_and_log(every_s: float) -> None:
    class Metrics:
        def __init__(self) -> None:
            self.beats = 0

        async def send(self) -> None:
            while True:
                self.beats += 1
                logging.getLogger("metrics").debug("beat %d", self.beats)
                await asyncio.sleep(every_s)

    _, working = agents()
    sending = [asyncio.create_task(Metrics().send()) for _ in range(3)]
    await asyncio.gather(*working)
    assert sending


@pytest.mark.parametrize("every_s", [0.5, 0.01, 60.0])
@pytest.mark.parametrize(
    "program", [beside_a_heartbeat, in_a_group_with_a_heartbeat, beside_many_that_count_and_log]
)
def test_circle_is_named_after_two_thousand_ticks(
    program: Callable[[float], Awaitable[None]], every_s: float
) -> None:
    sim = Sim()
    with pytest.raises(Deadlock, match="only timers go on") as caught:
        sim.run(program, every_s)
    assert (
        "agents: analyst waits for critic's reply since 1.000000 s, critic for writer's"
        in caught.value.report
    )
    assert sim.last_run.latency_s < 2_000 * every_s


# -- one that can -----------------------------------------------------------------------------------------------------


async def it_answers_at_last() -> list[str]:
    inbox, working = agents()

    async def wait_and_answer() -> None:
        for _ in range(TICKS):
            await asyncio.sleep(0.5)
        await answer_all(inbox)

    waiting = asyncio.create_task(wait_and_answer())
    await waiting
    return await asyncio.gather(*working)


async def it_answers_by_a_function_of_the_module() -> list[str]:
    inbox, working = agents()
    INBOXES.update(inbox)

    async def answer() -> None:
        await answer_those_of_the_module()

    async def wait_and_answer() -> None:
        for _ in range(TICKS):
            await asyncio.sleep(0.5)
        await answer()

    waiting = asyncio.create_task(wait_and_answer())
    found = await asyncio.gather(*working)
    assert waiting.done()
    return found


async def answer_those_of_the_module() -> None:
    await answer_all(INBOXES)


async def it_is_an_object_that_knows_the_bus() -> list[str]:
    class Bus:
        __slots__ = ("inbox",)

        def __init__(self, inbox: dict[str, asyncio.Queue[str]]) -> None:
            self.inbox = inbox

    class Ticker:
        def __init__(self, bus: Bus) -> None:
            self.bus, self.left = bus, TICKS

        async def run(self) -> None:
            while self.left:
                self.left -= 1
                await asyncio.sleep(0.5)
            await answer_all(self.bus.inbox)

    inbox, working = agents()
    ticking = asyncio.create_task(Ticker(Bus(inbox)).run())
    found = await asyncio.gather(*working)
    assert ticking.done()
    return found


async def a_callback_answers_at_its_end() -> list[str]:
    inbox, working = agents()

    async def wait() -> None:
        for _ in range(TICKS):
            await asyncio.sleep(0.5)

    def answer(inbox: dict[str, asyncio.Queue[str]], _: object) -> None:
        for name in NEXT:
            inbox[name].put_nowait("here you are")

    asyncio.create_task(wait()).add_done_callback(partial(answer, inbox))
    return await asyncio.gather(*working)


async def a_timer_of_the_loop_answers() -> list[str]:
    inbox, working = agents()
    beating = asyncio.create_task(beat(0.5))
    for name in NEXT:
        asyncio.get_running_loop().call_later(
            TICKS / 2, partial(inbox[name].put_nowait, "here you are")
        )
    found = await asyncio.gather(*working)
    beating.cancel()
    return found


@pytest.mark.parametrize(
    "program",
    [
        it_answers_at_last,
        it_answers_by_a_function_of_the_module,
        it_is_an_object_that_knows_the_bus,
        a_callback_answers_at_its_end,
        a_timer_of_the_loop_answers,
    ],
)
def test_timer_that_can_end_it_is_waited_for(program: Callable[[], Awaitable[Any]]) -> None:
    assert Sim().run(program).output == ["here you are"] * 3


async def a_deadline_that_counts() -> None:
    async def deadline() -> None:
        for _ in range(TICKS):
            await asyncio.sleep(0.5)
        raise TimeoutError

    _, working = agents()
    await asyncio.gather(deadline(), *working)


async def a_deadline_that_looks_at_the_clock() -> None:
    async def deadline(until_s: float) -> None:
        while time.monotonic() < until_s:
            await asyncio.sleep(0.5)

    _, working = agents()
    waiting = asyncio.create_task(deadline(TICKS / 2))
    await asyncio.wait([waiting, *working], return_when=asyncio.FIRST_COMPLETED)
    raise TimeoutError


async def a_deadline_that_is_first_of_all() -> None:
    async def deadline() -> None:
        for _ in range(TICKS):
            await asyncio.sleep(0.5)
        raise TimeoutError

    _, working = agents()
    for done in asyncio.as_completed([deadline(), *working]):
        await done


@pytest.mark.parametrize(
    "program",
    [a_deadline_that_counts, a_deadline_that_looks_at_the_clock, a_deadline_that_is_first_of_all],
)
def test_deadline_in_small_steps_is_waited_for(program: Callable[[], Awaitable[None]]) -> None:
    sim = Sim()
    with pytest.raises(TimeoutError):
        sim.run(program)
    assert sim.last_run.latency_s == TICKS / 2


def test_thread_that_answers_is_waited_for() -> None:
    async def main() -> list[str]:
        inbox, working = agents()
        loop = asyncio.get_running_loop()

        def wait_and_answer() -> None:
            for _ in range(3_000):
                time.sleep(0.5)
            asyncio.run_coroutine_threadsafe(answer_all(inbox), loop)

        threading.Thread(target=wait_and_answer).start()
        return await asyncio.gather(*working)

    assert Sim().run(main).output == ["here you are"] * 3

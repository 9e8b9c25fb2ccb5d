"""Programs whose messages get lost."""

# ruff: noqa: ASYNC110 - programs as users write them
from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.zoo.asking import CALL_ERRORS, ask, async_client, openai_client
from tests.zoo.planted import Fault, Late, planted


class Bus:
    """Topics and who hears of them; it keeps nothing for those who come late, unless it is told to."""

    def __init__(self, *, keeps: bool = False) -> None:
        self._keeps = keeps
        self._kept: dict[str, list[str]] = {}
        self._heard_by: dict[str, list[Callable[[str], None]]] = {}

    def subscribe(self, topic: str, hear: Callable[[str], None]) -> None:
        """Be told of a topic."""
        self._heard_by.setdefault(topic, []).append(hear)
        for message in self._kept.get(topic, ()):
            hear(message)

    def publish(self, topic: str, message: str) -> None:
        """Tell all that have subscribed."""
        if self._keeps:
            self._kept.setdefault(topic, []).append(message)
        for hear in self._heard_by.get(topic, ()):
            hear(message)


@planted(
    "lost message",
    Late("cook", 1, 9.0),
    agents={
        "cook": {"reply": "The oven is hot.", "latency_s": 3.0},
        "waiter": {"reply": "one soup", "latency_s": 5.0},
        "guest": {"reply": "delicious", "latency_s": 2.0},
    },
    check=lambda output: None,
    by_check=False,
)
async def kitchen_opens_late(fixed: bool) -> dict[str, Any]:
    """The kitchen subscribes to orders when the oven is hot; an order of before is heard by nobody."""
    bus = Bus(keeps=fixed)
    orders: asyncio.Queue[str] = asyncio.Queue()

    async with async_client() as client:

        async def kitchen() -> str:
            try:
                await ask(client, "cook", "Heat the oven.")
            except CALL_ERRORS:
                await asyncio.sleep(0.5)  # by hand
            bus.subscribe("order", orders.put_nowait)
            return await orders.get()

        cooking = asyncio.create_task(kitchen())
        try:
            order = await ask(client, "waiter", "What will it be?")
        except CALL_ERRORS:
            order = "bread"
        bus.publish("order", order)
        served = await cooking
        await ask(client, "guest", served)
    return {"served": served}


def ends_with_the_last_news(output: dict[str, Any]) -> None:
    assert output["acted_on"] == output["news"], f"news that was never acted on: {output}"


@planted(
    "lost message",
    Late("trader", 2, 6.5),
    agents={
        "trader": {"reply": lambda call: f"acts on {call.prompt}", "latency_s": 3.0},
        "reporter": {"reply": "news", "latency_s": 5.0},
    },
    check=ends_with_the_last_news,
)
async def pulse_while_busy(fixed: bool) -> dict[str, Any]:
    """An event is set and cleared at once when there is news; who is busy then does not see it."""
    changed = asyncio.Event()
    news, acted_on, busy = 0, 0, False

    async with openai_client() as client:

        async def act() -> None:
            nonlocal acted_on, busy
            while True:
                await changed.wait()
                busy = True
                if fixed:
                    changed.clear()
                seen = news
                try:
                    await ask(client, "trader", str(seen))
                except CALL_ERRORS:
                    await asyncio.sleep(0)
                acted_on, busy = seen, changed.is_set()

        acting = asyncio.create_task(act())
        for _ in range(3):
            try:
                await ask(client, "reporter", f"after {news}")
            except CALL_ERRORS:
                await asyncio.sleep(1)
            news += 1
            changed.set()
            await asyncio.sleep(0)
            if not fixed:
                changed.clear()
        while busy:
            await asyncio.sleep(1)
        acting.cancel()
        await asyncio.gather(acting, return_exceptions=True)
    return {"news": news, "acted_on": acted_on}


def every_alarm_is_handled(output: dict[str, Any]) -> None:
    assert sorted(output["handled"]) == [0, 1, 2, 3], f"alarms were dropped: {output}"


@planted(
    "lost message",
    Late("operator", 1, 14.0),
    agents={
        "operator": {"reply": "handled", "latency_s": 3.0},
        "sensor": {"reply": "smoke", "latency_s": 4.0},
    },
    check=every_alarm_is_handled,
)
async def queue_that_drops(fixed: bool) -> dict[str, Any]:
    """Alarms go into a queue of two, and what does not fit is dropped."""
    alarms: asyncio.Queue[int] = asyncio.Queue(2)
    handled: list[int] = []

    async with async_client() as client:

        async def operate() -> None:
            while (number := await alarms.get()) >= 0:
                try:
                    await ask(client, "operator", str(number))
                except CALL_ERRORS:
                    await asyncio.sleep(0.1)  # the bell rings instead
                handled.append(number)

        operating = asyncio.create_task(operate())
        for number in range(4):
            try:
                await ask(client, "sensor", f"look {number}")
            except CALL_ERRORS:
                await asyncio.sleep(4)
            if fixed:
                await alarms.put(number)
                continue
            try:
                alarms.put_nowait(number)
            except asyncio.QueueFull:
                continue
        await alarms.put(-1)
        await operating
    return {"handled": handled}


def every_letter_has_an_answer(output: dict[str, Any]) -> None:
    assert len(output["answers"]) == 4, f"letters without an answer: {output}"


@planted(
    "lost message",
    Fault("reader", 2),
    agents={
        "reader": {"reply": lambda call: f"answer to {call.prompt}", "latency_s": 3.0},
        "postman": {"reply": "that is all", "latency_s": 2.0},
    },
    check=every_letter_has_an_answer,
)
async def letter_in_a_dead_hand(fixed: bool) -> dict[str, Any]:
    """Two readers take letters from a queue; one that fails ends, with the letter that it held."""
    letters: asyncio.Queue[str] = asyncio.Queue()
    answers: list[str] = []
    for name in ("ann", "bob", "cid", "dot"):
        letters.put_nowait(name)

    async with openai_client() as client:

        async def read() -> None:
            while not letters.empty():
                letter = letters.get_nowait()
                try:
                    answers.append(await ask(client, "reader", letter))
                except CALL_ERRORS:
                    if not fixed:
                        raise
                    answers.append("We will write later.")

        ends = await asyncio.gather(read(), read(), return_exceptions=True)
        failed = sum(isinstance(end, BaseException) for end in ends)
        if failed == len(ends):
            raise TimeoutError
        await ask(client, "postman", "Is there more?")
    return {"answers": answers}

"""Programs in which two things happen at one instant, and the order matters."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.zoo.asking import CALL_ERRORS, ask, async_client
from tests.zoo.planted import Shift, planted


def page_reached_somebody(output: dict[str, Any]) -> None:
    assert output["paged"], f"nobody was on call: {output}"


@planted(
    "tie",
    Shift("handover_at_the_hour/night"),
    agents={
        "dispatcher": {"reply": "a fire", "latency_s": 4.0},
        "recorder": {"reply": "noted", "latency_s": 2.0},
    },
    check=page_reached_somebody,
)
async def handover_at_the_hour(fixed: bool) -> dict[str, Any]:
    """The night shift begins as the day shift ends, and a page goes out at that hour."""
    on_call = ["day"]

    async def night() -> None:
        await asyncio.sleep(60)
        on_call.append("night")

    async def day() -> None:
        await asyncio.sleep(61 if fixed else 60)
        on_call.remove("day")

    async def page() -> list[str]:
        await asyncio.sleep(60)
        return list(on_call)

    async with async_client() as client:
        shifts = [asyncio.create_task(night()), asyncio.create_task(day())]
        paging = asyncio.create_task(page())
        text = await ask(client, "dispatcher", "What is it?")
        paged = await paging
        await asyncio.gather(*shifts)
        await ask(client, "recorder", text)
    return {"paged": paged, "text": text}


def reading_was_found(output: dict[str, Any]) -> None:
    assert output["weather"] is not None, f"the entry had gone between look and use: {output}"


@planted(
    "tie",
    Shift("entry_that_expires_as_it_is_read/forecast"),
    agents={
        "meteorologist": {"reply": "sun", "latency_s": 4.0},
        "sailor": {"reply": "we sail", "latency_s": 3.0},
    },
    check=reading_was_found,
)
async def entry_that_expires_as_it_is_read(fixed: bool) -> dict[str, Any]:
    """An entry that is fetched at 4 s is kept for six seconds; a forecast reads it at the tenth second."""
    cache: dict[str, str] = {}
    loop = asyncio.get_running_loop()

    async with async_client() as client:

        async def fetch() -> None:
            cache["weather"] = await ask(client, "meteorologist", "today?")
            loop.call_later(6, cache.pop, "weather", None)

        async def forecast() -> str | None:
            await asyncio.sleep(10)
            if "weather" not in cache and fixed:
                await fetch()
            return cache.get("weather")

        reading = asyncio.create_task(forecast())
        fetching = asyncio.create_task(fetch())
        await fetching
        weather = await reading
        await ask(client, "sailor", str(weather))
    return {"weather": weather}


def lease_is_of_one(output: dict[str, Any]) -> None:
    assert output["reaped"] == [], f"a lease was reaped though it was renewed in time: {output}"


@planted(
    "tie",
    Shift("renewal_at_the_deadline/keep"),
    agents={
        "digger": {"reply": "a hole", "latency_s": 14.0},
        "filler": {"reply": "no hole", "latency_s": 2.0},
    },
    check=lease_is_of_one,
)
async def renewal_at_the_deadline(fixed: bool) -> dict[str, Any]:
    """A lease is renewed every ten seconds; the reaper looks every ten as well, and takes what is ten seconds old."""
    loop = asyncio.get_running_loop()
    renewed_s = 0.0
    reaped: list[float] = []

    async def keep() -> None:
        nonlocal renewed_s
        while not digging.done():
            await asyncio.sleep(5 if fixed else 10)
            renewed_s = loop.time()

    async def reap() -> None:
        while not digging.done():
            await asyncio.sleep(10)
            if loop.time() - renewed_s >= 10 and not digging.done():
                reaped.append(loop.time())
                return

    async with async_client() as client:
        digging = asyncio.create_task(ask(client, "digger", "dig"))
        keeping = asyncio.create_task(keep())
        reaping = asyncio.create_task(reap())
        try:
            hole = await digging
        except CALL_ERRORS:
            hole = "none"
        await asyncio.gather(keeping, reaping)
        await ask(client, "filler", hole)
    return {"reaped": reaped}

"""Programs that go on with what is no longer true."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.zoo.asking import CALL_ERRORS, ask, async_client, openai_client
from tests.zoo.planted import Fault, Late, planted


def page_shows_what_was_written(output: dict[str, Any]) -> None:
    assert output["cached"] in (None, output["version"]), f"an old page is kept: {output}"


@planted(
    "stale cache",
    Late("renderer", 1, 7.0),
    agents={
        "renderer": {"reply": lambda call: f"page {call.prompt}", "latency_s": 2.0},
        "author": {"reply": "a better text", "latency_s": 5.0},
        "visitor": {"reply": "nice", "latency_s": 4.0},
    },
    check=page_shows_what_was_written,
)
async def invalidated_before_it_was_stored(fixed: bool) -> dict[str, Any]:
    """A page is rendered and cached, a change drops it from the cache; the rendering may be of before the change."""
    cache: dict[str, int] = {}
    version = 1

    async with async_client() as client:

        async def show() -> None:
            of = version
            await ask(client, "renderer", str(of))
            if not fixed or of == version:
                cache["page"] = of

        async def change() -> None:
            nonlocal version
            await ask(client, "author", "a better text")
            version += 1
            cache.pop("page", None)

        await asyncio.gather(show(), change(), return_exceptions=True)
        await ask(client, "visitor", "How is it?")
        return {"cached": cache.get("page"), "version": version}


def failure_is_asked_again(output: dict[str, Any]) -> None:
    assert output["second"] != "unknown" or output["asked_for_second"], (
        f"a failure was remembered as an answer: {output}"
    )


@planted(
    "stale cache",
    Fault("oracle", 1),
    agents={
        "oracle": {"reply": "the seventh of May", "latency_s": 3.0},
        "calendar": {"reply": "noted", "latency_s": 2.0},
    },
    check=failure_is_asked_again,
)
async def remembered_failure(fixed: bool) -> dict[str, Any]:
    """What could not be found out is "unknown", and is kept like an answer."""
    known: dict[str, str] = {}
    asked = 0

    async with openai_client() as client:

        async def date_of(event: str) -> str:
            nonlocal asked
            if event not in known:
                asked += 1
                try:
                    known[event] = await ask(client, "oracle", event)
                except CALL_ERRORS:
                    if fixed:
                        return "unknown"
                    known[event] = "unknown"
            return known[event]

        first = await date_of("the feast")
        await ask(client, "calendar", first)
        before = asked
        second = await date_of("the feast")
        return {"first": first, "second": second, "asked_for_second": asked > before}


def tariff_is_the_present_one(output: dict[str, Any]) -> None:
    assert output["sold_at"] >= output["tariff"], f"sold at the tariff of before: {output}"


@planted(
    "stale cache",
    Late("negotiator", 1, 13.0),
    agents={
        "negotiator": {"reply": "ten kites", "latency_s": 6.0},
        "treasurer": {"reply": "prices rise", "latency_s": 4.0},
        "printer": {"reply": "a bill", "latency_s": 2.0},
    },
    check=tariff_is_the_present_one,
)
async def tariff_read_before_the_talk(fixed: bool) -> dict[str, Any]:
    """The tariff is read, then negotiated about, then applied; meanwhile it may have changed."""
    tariff = {"euros": 10}

    async with async_client() as client:

        async def sell() -> int:
            euros = tariff["euros"]
            await ask(client, "negotiator", f"at {euros} euros")
            if fixed:
                euros = tariff["euros"]
            tariff_then.append(tariff["euros"])
            return euros

        async def raise_it() -> None:
            await asyncio.sleep(8)
            await ask(client, "treasurer", "Is it enough?")
            tariff["euros"] = 12

        tariff_then: list[int] = []
        raising = asyncio.create_task(raise_it())
        try:
            sold_at = await sell()
        finally:
            await asyncio.gather(raising, return_exceptions=True)
        await ask(client, "printer", str(sold_at))
        return {"sold_at": sold_at, "tariff": tariff_then[0]}

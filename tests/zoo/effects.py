"""Programs that do twice what they should do once."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.zoo.asking import CALL_ERRORS, Unusable, ask, async_client, openai_client
from tests.zoo.planted import Fault, Late, planted


async def charge(ledger: list[str], order: str) -> str:
    """Charge a customer; a simulated tool replaces it."""
    raise NotImplementedError(f"{ledger} {order}")


async def ship(ledger: list[str], order: str) -> str:
    """Ship a parcel; a simulated tool replaces it."""
    raise NotImplementedError(f"{ledger} {order}")


def done(ledger: list[str], order: str) -> str:
    """What a tool does: one more entry."""
    ledger.append(order)
    return f"done {order}"


def each_order_once(output: dict[str, Any]) -> None:
    ledger = output["ledger"]
    assert len(ledger) == len(set(ledger)), f"an effect twice: {ledger}"


@planted(
    "repeated effect",
    Fault("clerk", 1),
    agents={
        "clerk": {"reply": "Thank you.", "latency_s": 3.0},
        "packer": {"reply": "packed", "latency_s": 2.0},
    },
    tools={"charge": {"result": done, "latency_s": 1.0}},
    check=each_order_once,
)
async def charged_again_for_the_receipt(fixed: bool) -> dict[str, Any]:
    """Charging and the receipt are tried again together when the receipt fails."""
    ledger: list[str] = []
    charged = False
    async with async_client() as client:
        receipt = "none"
        for _ in range(3):
            try:
                if not (fixed and charged):
                    await charge(ledger, "order 7")
                    charged = True
                receipt = await ask(client, "clerk", "a receipt for order 7")
                break
            except CALL_ERRORS:
                await asyncio.sleep(2)
        await ask(client, "packer", receipt)
    return {"ledger": ledger, "receipt": receipt}


@planted(
    "repeated effect",
    Late("dispatcher", 2, 31.0),
    agents={
        "dispatcher": {"reply": lambda call: f"by road, {call.prompt}", "latency_s": 5.0},
        "controller": {"reply": "fine", "latency_s": 2.0},
    },
    tools={"ship": {"result": done, "latency_s": 2.0}},
    check=each_order_once,
)
async def redelivered_while_it_is_worked_on(fixed: bool) -> dict[str, Any]:
    """A queue hands a message out again if it is not acknowledged in thirty seconds; it is marked as seen after its effect."""
    ledger: list[str] = []
    seen: set[str] = set()
    queue: asyncio.Queue[str] = asyncio.Queue()

    async with openai_client() as client:

        async def consume(order: str) -> None:
            if order in seen:
                return
            if fixed:
                seen.add(order)
            try:
                way = await ask(client, "dispatcher", order)
            except CALL_ERRORS:
                way = "by post"
            await ship(ledger, order)
            seen.add(order)
            ways.append(way)

        ways: list[str] = []
        running: list[asyncio.Task[None]] = []
        for order in ("kite", "reel"):
            queue.put_nowait(order)
        while not queue.empty():
            order = queue.get_nowait()
            work = asyncio.create_task(consume(order))
            running.append(work)
            finished, _ = await asyncio.wait([work], timeout=30)
            if not finished and len(running) < 4:
                queue.put_nowait(order)
        await asyncio.gather(*running, return_exceptions=True)
        await ask(client, "controller", str(ways))
    return {"ledger": ledger}


@planted(
    "repeated effect",
    Late("broker", 1, 21.0),
    agents={
        "broker": {"reply": "buy", "latency_s": 6.0},
        "adviser": {"reply": "hold on", "latency_s": 3.0},
    },
    tools={"charge": {"result": done, "latency_s": 0.5}},
    check=each_order_once,
)
async def order_of_a_lost_patience(fixed: bool) -> dict[str, Any]:
    """After twenty seconds the order is given anew; the first is shielded, and buys when its answer comes."""
    ledger: list[str] = []

    async with async_client() as client:

        async def buy() -> str:
            asking = ask(client, "broker", "Shall I buy?")
            # Only the question is bounded: a charge that is cancelled may have been made.
            advice = await (asyncio.wait_for(asking, 20) if fixed else asking)
            await charge(ledger, "ten shares")
            return advice

        trying: list[asyncio.Task[str]] = []
        advice = "none"
        for _ in range(2):
            trying.append(asyncio.create_task(buy()))
            try:
                advice = await asyncio.wait_for(asyncio.shield(trying[-1]), None if fixed else 20)
                break
            except TimeoutError:
                continue
        await asyncio.gather(*trying, return_exceptions=True)
        await ask(client, "adviser", advice)
    return {"ledger": ledger}


@planted(
    "repeated effect",
    Fault("checker", 1),
    Fault("summarizer", 1),
    agents={
        "checker": {"reply": "as ordered", "latency_s": 2.0},
        "repairer": {"reply": "mended", "latency_s": 3.0},
        "summarizer": {"reply": "all well", "latency_s": 4.0},
    },
    tools={"ship": {"result": done, "latency_s": 1.0}},
    check=each_order_once,
)
async def shipped_on_both_ways(fixed: bool) -> dict[str, Any]:
    """A parcel that was not checked is mended and shipped later; one run that has no summary is done again, with what waits."""
    ledger: list[str] = []
    waiting: list[str] = []
    async with async_client() as client:
        try:
            await ask(client, "checker", "parcel 3")
            await ship(ledger, "parcel 3")
        except CALL_ERRORS:
            waiting.append("parcel 3")
        for attempt in range(3):
            try:
                for parcel in list(waiting):
                    await ship(ledger, parcel)
                    if fixed:
                        waiting.remove(parcel)
                summary = await ask(client, "summarizer", f"try {attempt}: {len(ledger)} parcels")
                break
            except CALL_ERRORS:
                await asyncio.sleep(1)
        else:
            raise Unusable("no summary")
        await ask(client, "repairer", summary)
    return {"ledger": ledger}

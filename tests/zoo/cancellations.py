"""Programs that leave something half done when somebody outside cancels one of their tasks."""

# ruff: noqa: TRY300 - programs as users write them
from __future__ import annotations

import asyncio
from typing import Any

from tests.zoo.asking import CALL_ERRORS, ask, async_client, openai_client
from tests.zoo.planted import Cancel, planted


def no_money_is_lost(output: dict[str, Any]) -> None:
    assert sum(output["accounts"].values()) == 100, f"money is lost: {output}"


@planted(
    "outside cancellation",
    Cancel("transfer_that_is_cancelled/transfer", 3.0),
    agents={
        "clerk": {"reply": "A gift.", "latency_s": 5.0},
        "auditor": {"reply": "fine", "latency_s": 2.0},
    },
    check=no_money_is_lost,
)
async def transfer_that_is_cancelled(fixed: bool) -> dict[str, Any]:
    """Money is taken from one account, a model words the receipt, and then it is given to another."""
    accounts = {"anna": 100, "bela": 0}

    async with async_client() as client:

        async def transfer() -> str:
            accounts["anna"] -= 40
            taken_back = (asyncio.CancelledError, *CALL_ERRORS) if fixed else CALL_ERRORS
            try:
                receipt = await ask(client, "clerk", "a receipt for 40")
            except taken_back:
                accounts["anna"] += 40
                raise
            accounts["bela"] += 40
            return receipt

        work = asyncio.create_task(transfer(), name="transfer")
        try:
            receipt = await work
        except (asyncio.CancelledError, *CALL_ERRORS):
            receipt = "none"
        await ask(client, "auditor", str(accounts))
    return {"accounts": accounts, "receipt": receipt}


def nothing_goes_on_after_cancellation(output: dict[str, Any]) -> None:
    assert not (output["cancelled"] and output["mails"]), f"a mail of a cancelled job: {output}"


@planted(
    "outside cancellation",
    Cancel("retry_that_swallows_cancellation/campaign", 2.5),
    agents={
        "author": {"reply": "Buy kites!", "latency_s": 4.0},
        "accountant": {"reply": "cheap", "latency_s": 1.0},
    },
    check=nothing_goes_on_after_cancellation,
)
async def retry_that_swallows_cancellation(fixed: bool) -> dict[str, Any]:
    """A loop of retries takes a cancellation for one more failure, and sends the mail after all."""
    mails: list[str] = []
    retried = CALL_ERRORS if fixed else (*CALL_ERRORS, asyncio.CancelledError)

    async with openai_client() as client:

        async def campaign() -> None:
            for _ in range(3):
                try:
                    mails.append(await ask(client, "author", "an advertisement"))
                    return
                except retried:
                    await asyncio.sleep(1)

        job = asyncio.create_task(campaign(), name="campaign")
        await asyncio.gather(job, return_exceptions=True)
        await ask(client, "accountant", str(len(mails)))
    return {"cancelled": job.cancelling() > 0, "mails": mails}


def board_shows_nothing_running(output: dict[str, Any]) -> None:
    running = [job for job, state in output["board"].items() if state == "running"]
    assert running == [], f"jobs that nobody does any more: {running}"


@planted(
    "outside cancellation",
    Cancel("board_that_stays_on_running/second", 6.0),
    agents={
        "painter": {"reply": "painted", "latency_s": 4.0},
        "framer": {"reply": "framed", "latency_s": 3.0},
    },
    check=board_shows_nothing_running,
)
async def board_that_stays_on_running(fixed: bool) -> dict[str, Any]:
    """Jobs note on a board that they run, then whether they are done or have failed."""
    board: dict[str, str] = {}

    async with async_client() as client:

        async def job(name: str, who: str) -> None:
            board[name] = "running"
            try:
                await ask(client, who, name)
                board[name] = "done"
            except CALL_ERRORS:
                board[name] = "failed"
            finally:
                if fixed and board[name] == "running":
                    board[name] = "cancelled"

        for name, who in (("first", "painter"), ("second", "framer")):
            await asyncio.gather(
                asyncio.create_task(job(name, who), name=name), return_exceptions=True
            )
    return {"board": board}

"""Programs that were written later still, after bug reports of agent frameworks: those that the search did not find, or not at their least."""

from __future__ import annotations

import asyncio
from typing import Any

import anthropic

from tests.zoo.asking import CALL_ERRORS, CLEAN, ask, async_client, openai_client
from tests.zoo.planted import Cancel, Fault, Late, planted


def nothing_forgotten(history: list[str]) -> None:
    assert history[-4::2] == ["ticket 17", "thanks"], f"forgotten: {history}"


@planted(
    "latency race",
    Late("summarizer", 1, 4.5),
    agents={
        "assistant": {"reply": "I see", "latency_s": 3.0},
        "summarizer": {"reply": "a summary", "latency_s": 2.0},
    },
    check=nothing_forgotten,
)
async def summed_up_while_it_went_on(fixed: bool) -> list[str]:
    """The beginning of a talk is replaced by a summary, and with it what was said while the summary was written."""
    history: list[str] = []

    async def sum_up() -> None:
        old, kept = history[:2], history[2:]
        try:
            summary = await ask(client, "summarizer", " ".join(old))
        except CALL_ERRORS:
            return
        if fixed:
            history[: len(old)] = [summary]
        else:
            history[:] = [summary, *kept]

    async with async_client() as client:
        background = None
        for turn, text in enumerate(("I am Ada", "from Ulm", "ticket 17", "thanks")):
            history.append(text)
            try:
                history.append(await ask(client, "assistant", " ".join(history)))
            except CALL_ERRORS:
                history.append("(no answer)")
            if turn == 1:
                background = asyncio.create_task(sum_up())
        assert background is not None
        await background
    return history


def is_balanced(books: dict[str, Any]) -> None:
    assert books["total"] == books["done"], f"a deposit is lost: {books}"


@planted(
    "latency race",
    Late("teller", 1, 13.0),
    agents={"teller": {"reply": "noted", "latency_s": 3.0}},
    check=is_balanced,
)
async def turnstile_given_back_by_who_never_passed(fixed: bool) -> dict[str, Any]:
    """Who loses patience at a turnstile lets another one in, while the first is still inside."""
    turnstile = asyncio.Semaphore(1)
    books: dict[str, Any] = {"total": 0, "done": 0}

    async def serve(number: int) -> None:
        seen = books["total"]
        await ask(client, "teller", f"deposit {number}")
        books["total"] = seen + 1
        books["done"] += 1

    async def deposit(number: int) -> None:
        await asyncio.sleep(number)
        has_passed = False
        try:
            await asyncio.wait_for(turnstile.acquire(), 10)
            has_passed = True
            await serve(number)
        except (TimeoutError, *CALL_ERRORS):
            return
        finally:
            if has_passed or not fixed:
                turnstile.release()

    async with openai_client() as client:
        await asyncio.gather(*(deposit(number) for number in range(3)))
    return books


@planted(
    "permit leak",
    Fault("worker", 1, "status", {"status": 429}),
    agents={"worker": {"reply": "done", "latency_s": 3.0}},
    check=lambda output: None,
    by_check=False,
)
async def gate_shut_by_a_rate_limit(fixed: bool) -> dict[int, str]:
    """Who is told to slow down shuts the gate for all for some seconds, and forgets to open it."""
    gate, parts = asyncio.Event(), dict[int, str]()
    gate.set()

    async def work(number: int) -> None:
        await asyncio.sleep(4 * number)
        for _ in range(3):
            await gate.wait()
            try:
                parts[number] = await ask(client, "worker", f"part {number}")
            except anthropic.RateLimitError:
                gate.clear()
                await asyncio.sleep(5)
                if fixed:
                    gate.set()
            except CALL_ERRORS:
                await asyncio.sleep(2)
            else:
                return

    async with async_client() as client:
        await asyncio.gather(*(work(number) for number in range(4)))
    return parts


def is_one(sent: list[str]) -> None:
    assert len(sent) == 1, f"not one message: {sent}"


@planted(
    "tie",
    Late("clerk", 1, 10.0),
    agents={"clerk": {"reply": "the answer", "latency_s": 4.0}},
    check=is_one,
)
async def answered_with_an_apology(fixed: bool) -> list[str]:
    """An answer that comes in the very instant of the time-out is sent, and so is the apology for it."""
    sent: list[str] = []
    over = asyncio.Event()

    async def send(text: str) -> None:
        if fixed:
            over.set()
        await asyncio.sleep(0)
        sent.append(text)
        over.set()

    async def answer() -> None:
        try:
            text = await ask(client, "clerk", "Why?")
        except CALL_ERRORS:
            text = "no answer"
        if not over.is_set():
            await send(text)

    def apologize() -> None:
        if not over.is_set():
            sent.append("sorry")
            if fixed:
                over.set()
            else:
                loop.call_soon(over.set)

    loop = asyncio.get_running_loop()
    async with async_client() as client:
        answering = asyncio.create_task(answer())
        loop.call_later(10, apologize)
        await over.wait()
        await asyncio.wait([answering], timeout=30)
    return sent


async def reserve(table: str, key: str) -> str:
    """Reserve a table; a simulated tool replaces it."""
    raise NotImplementedError(f"{table} {key}")


def is_reserved_once(keys: list[str]) -> None:
    assert len(set(keys)) <= 1, f"reserved twice: {keys}"


@planted(
    "outside cancellation",
    Cancel("stopped_and_continued/turn", 4.0),
    agents={
        "planner": {"reply": "a table for six", "latency_s": 2.0},
        "concierge": {"reply": "Done!", "latency_s": 3.0},
    },
    tools={"reserve": {"result": "R1", "latency_s": 1.0, "idempotency_key": "key"}},
    check=is_reserved_once,
)
async def stopped_and_continued(fixed: bool) -> list[str]:
    """A turn that the user stops and continues reserves again: what the tool did is noted only after it was told of.

    The repaired one gives the same key both times, also if it is stopped while the tool works.
    """
    keys: list[str] = []
    log: dict[str, str] = {}

    async def turn(attempt: int) -> None:
        if "reserved" not in log:
            table = await ask(client, "planner", "dinner")
            key = "dinner" if fixed else f"dinner {attempt}"
            reference = await reserve(table, key=key)
            keys.append(key)
            await ask(client, "concierge", reference)
            log["reserved"] = reference
        else:
            await ask(client, "concierge", log["reserved"])

    async with async_client() as client:
        for attempt in range(3):
            task = asyncio.create_task(turn(attempt), name="turn")
            try:
                await task
                break
            except asyncio.CancelledError:
                current = asyncio.current_task()
                if current is not None and current.cancelling():
                    raise
                await asyncio.sleep(1)
            except CLEAN:
                break
    return keys

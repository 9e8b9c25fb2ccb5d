"""Programs that were written later, against a search that was finished: what it missed then, and what it found."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from harness.agents import ToolError
from tests.zoo.asking import CALL_ERRORS, ask, async_client, openai_client
from tests.zoo.planted import Cancel, Fault, Late, Tool, planted


@dataclass
class Message:
    """A message of a queue that hides it from others while somebody works on it."""

    text: str
    visible_at_s: float = 0.0
    tries: int = 0
    is_done: bool = False


def each_once(output: list[str]) -> None:
    assert len(output) == len(set(output)), f"published twice: {output}"


@planted(
    "latency race",
    Late("translator", 1, 34.2),
    agents={"translator": {"reply": lambda call: f"deux {call.prompt}", "latency_s": 4.0}},
    check=each_once,
)
async def published_by_both(fixed: bool) -> list[str]:
    """A message that takes too long goes to a second worker; the first looks only before it publishes whether it is done."""
    queue, published = [Message(text) for text in ("one", "two", "three")], list[str]()
    now = asyncio.get_running_loop().time

    async def work() -> None:
        while any(not message.is_done for message in queue):
            waiting = (it for it in queue if not it.is_done and it.visible_at_s <= now())
            message = next(waiting, None)
            if message is None:
                await asyncio.sleep(1)
                continue
            message.visible_at_s = now() + 30.0
            message.tries += 1
            if message.tries > 4:
                message.is_done = True
                continue
            try:
                await ask(client, "translator", message.text)
            except CALL_ERRORS:
                message.visible_at_s = now()
                await asyncio.sleep(1)
                continue
            if message.is_done:
                continue
            message.is_done = fixed
            await asyncio.sleep(0.5)
            published.append(message.text)
            message.is_done = True

    async with openai_client(timeout=90) as client:
        await asyncio.gather(work(), work())
    return published


async def notify(arrived: asyncio.Event, change: str) -> str:
    """Tell somebody over a bus; a simulated tool replaces it."""
    raise NotImplementedError(f"{arrived} {change}")


def deliver(arrived: asyncio.Event, change: str) -> str:
    """What the bus does."""
    arrived.set()
    return f"told of {change}"


@planted(
    "lost message",
    Tool("waits_for_the_messenger/review notify", "dropped"),
    agents={
        "reviewer": {"reply": "approved", "latency_s": 3.0},
        "deployer": {"reply": "deployed", "latency_s": 2.0},
    },
    tools={"notify": {"result": deliver, "latency_s": 0.1, "idempotency_key": "change"}},
    check=lambda output: None,
    by_check=False,
)
async def waits_for_the_messenger(fixed: bool) -> dict[str, str]:
    """A deployer waits without an end for a message over a bus that can lose it."""
    arrived, verdicts = asyncio.Event(), dict[str, str]()

    async def review() -> None:
        try:
            verdicts["12"] = await ask(client, "reviewer", "change 12")
        except CALL_ERRORS:
            verdicts["12"] = "unknown"
        for pause_s in (1, 4, 16):
            try:
                await notify(arrived, change="12")
            except ToolError:
                await asyncio.sleep(pause_s)
            else:
                return
        arrived.set()  # by phone

    async def deploy() -> str:
        while fixed and not arrived.is_set() and "12" not in verdicts:
            await asyncio.wait([asyncio.ensure_future(arrived.wait())], timeout=60)
        if not fixed:
            await arrived.wait()
        return await ask(client, "deployer", verdicts["12"])

    async with async_client() as client:
        _, deployed = await asyncio.gather(review(), deploy())
    return {"deployed": deployed}


async def book(booked: set[str], what: str) -> str:
    """Book a part of a trip; a simulated tool replaces it."""
    raise NotImplementedError(f"{booked} {what}")


async def cancel(booked: set[str], what: str) -> str:
    """Cancel it; a simulated tool replaces it."""
    raise NotImplementedError(f"{booked} {what}")


def is_booked(booked: set[str], what: str) -> str:
    """What booking does."""
    booked.add(what)
    return "booked"


def is_cancelled(booked: set[str], what: str) -> str:
    """What cancelling does, also for what is not booked."""
    booked.discard(what)
    return "cancelled"


def all_or_nothing(output: dict[str, Any]) -> None:
    if output["confirmed"] is None:
        left = set(output["booked"]) - set(output["by hand"])
        assert not left, f"no trip, and still booked: {sorted(left)}"


@planted(
    "pair of faults",
    Tool("trip_half_undone book #2", "fails"),
    Tool("trip_half_undone cancel #2", "fails"),
    agents={"travel clerk": {"reply": "All is booked.", "latency_s": 2.0}},
    tools={
        "book": {"result": is_booked, "latency_s": 1.0, "idempotency_key": "what"},
        "cancel": {"result": is_cancelled, "latency_s": 0.5, "idempotency_key": "what"},
    },
    check=all_or_nothing,
    depth=2,
)
async def trip_half_undone(fixed: bool) -> dict[str, Any]:
    """If a step fails, all of them are undone; what cannot be undone at the first try is left."""
    booked, begun, by_hand = set[str](), list[str](), list[str]()

    async def undo(what: str) -> None:
        for pause_s in (1, 5, 20, 60) if fixed else (0,):
            try:
                await cancel(booked, what=what)
            except ToolError:
                await asyncio.sleep(pause_s)
            else:
                return
        if fixed:
            by_hand.append(what)

    confirmed = None
    try:
        for what in ("flight", "hotel", "car"):
            begun.append(what)
            await book(booked, what=what)
        async with async_client() as client:
            confirmed = await ask(client, "travel clerk", "Lisbon, 3 days")
    except (*CALL_ERRORS, ToolError):
        for what in reversed(begun):
            await undo(what)
    return {"confirmed": confirmed, "booked": sorted(booked), "by hand": by_hand}


def each_mail_has_an_end(output: dict[str, Any]) -> None:
    missing = {"ann", "bob", "cid", "dora"} - set(output["sent"]) - set(output["given up"])
    assert not missing, f"never answered: {sorted(missing)}"


@planted(
    "fault and cancellation",
    Fault("secretary", 2),
    Cancel("mail_held_in_a_pause/desk#2/desk-2", 2.0),
    agents={"secretary": {"reply": "Thank you.", "latency_s": 3.0}},
    check=each_mail_has_an_end,
)
async def mail_held_in_a_pause(fixed: bool) -> dict[str, Any]:
    """A mail whose answer failed is held for a while and then put back; who is stopped meanwhile drops it."""
    inbox = deque(["ann", "bob", "cid", "dora"])
    tries, sent, given_up = Counter[str](), list[str](), list[str]()

    async def work() -> None:
        while inbox:
            mail = inbox.popleft()
            try:
                await ask(client, "secretary", mail)
            except CALL_ERRORS:
                tries[mail] += 1
                if tries[mail] == 3:
                    given_up.append(mail)
                    continue
                if fixed:
                    inbox.append(mail)
                await asyncio.sleep(4)
                if not fixed:
                    inbox.append(mail)
            except asyncio.CancelledError:
                inbox.appendleft(mail)
                raise
            else:
                sent.append(mail)

    async def desk(name: str) -> None:
        while True:
            worker = asyncio.create_task(work(), name=name)
            await asyncio.wait([worker])
            if not worker.cancelled():
                return worker.result()

    async with openai_client(timeout=40) as client:
        await asyncio.gather(desk("desk-1"), desk("desk-2"))
        while inbox:
            await desk("late desk")
    return {"sent": sorted(sent), "given up": given_up}


def unanswered_only_if_both_failed(output: dict[str, Any]) -> None:
    both = sorted(output["failed"]) == ["deputy", "expert"]
    assert output["answer"] is not None or both, "one of them was not waited for"


@planted(
    "fault and latency",
    Late("expert", 1, 8.0),
    Fault("deputy", 1),
    agents={
        "expert": {"reply": "so it is", "latency_s": 3.0},
        "deputy": {"reply": "so it is, too", "latency_s": 3.0},
    },
    check=unanswered_only_if_both_failed,
    depth=2,
)
async def first_to_end_has_failed(fixed: bool) -> dict[str, Any]:
    """After 6 s a deputy is asked as well, and whoever ends first counts, also if it has failed."""
    failed = list[str]()

    async def answer_of(who: str) -> str | None:
        try:
            return await ask(client, who, "Why is the sky blue?")
        except CALL_ERRORS:
            failed.append(who)
            return None

    async with async_client(timeout=20) as client:
        expert = asyncio.create_task(answer_of("expert"))
        running, _ = await asyncio.wait({expert}, timeout=6)
        if expert.done() and expert.result() is not None:
            return {"answer": expert.result(), "failed": failed}
        running = {asyncio.create_task(answer_of("deputy"))} | ({expert} - running)
        answer = None
        while running and answer is None:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            answer = next((it.result() for it in done if it.result() is not None), None)
            if not fixed:
                break
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return {"answer": answer, "failed": failed}

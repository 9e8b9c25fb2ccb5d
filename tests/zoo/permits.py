"""Programs that do not give back what they took."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.zoo.asking import CALL_ERRORS, Unusable, ask, async_client, openai_client
from tests.zoo.planted import Cancel, Fault, Late, planted


def all_reports_are_there(output: dict[str, Any]) -> None:
    assert len(output["reports"]) == 3, f"reports are missing: {output}"


@planted(
    "permit leak",
    Fault("scout", 1),
    agents={
        "scout": {"reply": "clear", "latency_s": 3.0},
        "chief": {"reply": "go", "latency_s": 2.0},
    },
    check=all_reports_are_there,
    by_check=False,
)
async def permit_kept_by_a_failure(fixed: bool) -> dict[str, Any]:
    """One scout at a time; one that fails does not give its permit back."""
    gate = asyncio.Semaphore(1)
    reports: dict[str, str] = {}

    async with async_client() as client:

        async def scout(where: str) -> None:
            await gate.acquire()
            try:
                reports[where] = await ask(client, "scout", where)
            except CALL_ERRORS:
                reports[where] = "unknown"
                if not fixed:
                    return
            gate.release()

        await asyncio.gather(*map(scout, ("north", "east", "west")))
        await ask(client, "chief", str(reports))
    return {"reports": reports}


def all_rooms_are_described(output: dict[str, Any]) -> None:
    assert len(output["rooms"]) == 4, f"rooms are missing: {output}"


@planted(
    "permit leak",
    Late("decorator", 1, 16.0),
    Late("decorator", 2, 16.0),
    agents={
        "decorator": {"reply": "blue", "latency_s": 4.0},
        "host": {"reply": "welcome", "latency_s": 1.0},
    },
    check=all_rooms_are_described,
    by_check=False,
)
async def pool_that_dries_up(fixed: bool) -> dict[str, Any]:
    """Two sessions lie in a pool; after a time-out a session is not put back, and a room gets its default."""
    pool: asyncio.Queue[int] = asyncio.Queue()
    for number in range(2):
        pool.put_nowait(number)
    rooms: dict[str, str] = {}

    async with openai_client() as client:

        async def decorate(room: str) -> None:
            session = await pool.get()
            try:
                rooms[room] = await asyncio.wait_for(ask(client, "decorator", room), 15)
            except TimeoutError:
                rooms[room] = "white"
                if not fixed:
                    return
            except CALL_ERRORS:
                rooms[room] = "grey"
            pool.put_nowait(session)

        for room in ("hall", "kitchen", "study", "attic"):
            await decorate(room)
        await ask(client, "host", str(rooms))
    return {"rooms": rooms}


@planted(
    "permit leak",
    Cancel("lock_of_a_cancelled_writer/write", 2.0),
    agents={
        "novelist": {"reply": "It was a dark night.", "latency_s": 5.0},
        "proofreader": {"reply": "two commas", "latency_s": 3.0},
    },
    check=lambda output: None,
    by_check=False,
)
async def lock_of_a_cancelled_writer(fixed: bool) -> dict[str, Any]:
    """A writer takes the lock of the manuscript and gives it back unless it is cancelled meanwhile."""
    lock = asyncio.Lock()
    manuscript: list[str] = []

    async with async_client() as client:

        async def write() -> None:
            await lock.acquire()
            given_back = BaseException if fixed else Exception
            try:
                manuscript.append(await ask(client, "novelist", "chapter 1"))
            except given_back:
                lock.release()
                raise
            lock.release()

        async def proofread() -> None:
            await asyncio.sleep(1)
            async with lock:
                manuscript.append(await ask(client, "proofreader", str(manuscript)))

        writing = asyncio.create_task(write(), name="write")
        reading = asyncio.create_task(proofread())
        await asyncio.gather(writing, reading, return_exceptions=True)
    return {"manuscript": manuscript}


def nobody_waits_for_a_line(output: dict[str, Any]) -> None:
    assert output["free"] == 2, f"lines were not given back: {output}"


@planted(
    "permit leak",
    Fault("operator", 2, "truncated"),
    agents={
        "operator": {"reply": "You are connected.", "latency_s": 3.0},
        "manager": {"reply": "good", "latency_s": 2.0},
    },
    check=nobody_waits_for_a_line,
)
async def line_kept_after_half_a_reply(fixed: bool) -> dict[str, Any]:
    """An error of the provider gives the line back; a reply that is cut off does not."""
    lines = asyncio.BoundedSemaphore(2)
    free = 2

    async with async_client() as client:

        async def call(number: int) -> str:
            nonlocal free
            await lines.acquire()
            free -= 1
            try:
                said = await ask(client, "operator", str(number))
            except Unusable:
                if not fixed:
                    return "half"
                said = "half"
            except CALL_ERRORS:
                said = "none"
            lines.release()
            free += 1
            return said

        said = await asyncio.gather(*map(call, range(3)))
        await ask(client, "manager", str(said))
    return {"free": free, "said": said}

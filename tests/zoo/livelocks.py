"""Programs that stay busy for ever."""

# ruff: noqa: ASYNC110, TRY300 - programs as users write them
from __future__ import annotations

import asyncio
from typing import Any

from tests.zoo.asking import CALL_ERRORS, ask, async_client, openai_client
from tests.zoo.planted import Fault, Late, planted


@planted(
    "livelock",
    Fault("mason", 1),
    agents={
        "mason": {"reply": "a wall", "latency_s": 3.0},
        "roofer": {"reply": "a roof", "latency_s": 2.0},
    },
    check=lambda output: None,
    by_check=False,
)
async def waits_for_what_has_failed(fixed: bool) -> dict[str, Any]:
    """The roof waits for the walls, and looks every second whether they are done; that they have failed it does not look for."""
    state = {"walls": "open", "roof": "open"}

    async with async_client() as client:

        async def walls() -> None:
            try:
                await ask(client, "mason", "build")
                state["walls"] = "done"
            except CALL_ERRORS:
                state["walls"] = "failed"

        async def roof() -> None:
            while state["walls"] != "done":
                if fixed and state["walls"] == "failed":
                    state["roof"] = "failed"
                    return
                await asyncio.sleep(1)
            await ask(client, "roofer", "build")
            state["roof"] = "done"

        await asyncio.gather(walls(), roof())
    return dict(state)


@planted(
    "livelock",
    Late("lefty", 1, 4.5),
    agents={
        "lefty": {"reply": "scissors", "latency_s": 1.0},
        "righty": {"reply": "glue", "latency_s": 2.0},
        "teacher": {"reply": "well done", "latency_s": 1.0},
    },
    check=lambda output: None,
    by_check=False,
)
async def after_you(fixed: bool) -> dict[str, Any]:
    """Who holds one tool and does not get the other lays it down, waits a second and begins anew, as does the other."""
    held: dict[str, str] = {}
    made: list[str] = []

    async with openai_client() as client:

        async def craft(who: str, first: str, second: str, after_s: float, rest_s: float) -> None:
            await asyncio.sleep(after_s)
            held[first] = who
            try:
                await ask(client, who, f"with {first}")
            except CALL_ERRORS:
                await asyncio.sleep(0.2)
            while second in held:
                await asyncio.sleep(0.5)
                del held[first]
                await asyncio.sleep(rest_s)
                while first in held:
                    await asyncio.sleep(0.25)
                held[first] = who
                await asyncio.sleep(0.5)
            held[second] = who
            await asyncio.sleep(0.2)
            made.append(who)
            del held[first], held[second]

        await asyncio.gather(
            craft("lefty", "scissors", "glue", 0.0, 1.0),
            craft("righty", "glue", "scissors", 2.5, 3.0 if fixed else 1.0),
        )
        await ask(client, "teacher", str(made))
    return {"made": made}


@planted(
    "livelock",
    Fault("judge", 1, "truncated"),
    agents={
        "debater": {"reply": "I object.", "latency_s": 2.0},
        "judge": {"reply": "decided", "latency_s": 3.0},
    },
    check=lambda output: None,
    by_check=False,
)
async def debate_without_a_judge(fixed: bool) -> dict[str, Any]:
    """A debate goes on until there is a verdict; the judge is asked once, beside it."""
    verdicts: list[str] = []
    words = 0

    async with async_client() as client:

        async def judge() -> None:
            for _ in range(3 if fixed else 1):
                try:
                    asking = ask(client, "judge", "Who is right?")
                    verdicts.append(await asyncio.wait_for(asking, 30 if fixed else None))
                    return
                except (*CALL_ERRORS, TimeoutError):
                    continue
            if fixed:
                verdicts.append("a draw")

        judging = asyncio.create_task(judge())
        while not verdicts:
            try:
                await ask(client, "debater", f"word {words}")
            except CALL_ERRORS:
                await asyncio.sleep(1)
            words += 1
        await judging
    return {"verdict": verdicts[0]}

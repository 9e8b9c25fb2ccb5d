"""Unrelated work beside a program: 36 calls of six agents."""

# ruff: noqa: TID251 - programs as users write them
from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import time
from collections.abc import Callable
from typing import Any

from harness.sim import Sim
from tests.zoo.asking import CALL_ERRORS, ask, ask_blocking, async_client, blocking_client

CLERKS = ("baker", "tailor", "miller", "weaver", "potter", "fisher")
CALLS_OF_EACH = 6


def describe_crowd(sim: Sim) -> None:
    """Describe the agents of the crowd."""
    for place, clerk in enumerate(CLERKS):
        sim.agent(
            clerk,
            system=f"You are the {clerk}.",
            reply=f"{clerk}'s work",
            latency_s=1.1 + 0.37 * place,
            allow_unused=True,
        )


def beside_the_crowd(program: Callable[[], Any]) -> Callable[[], Any]:
    """The program with the crowd beside it, whose failures nobody minds; its output is the program's."""
    if inspect.iscoroutinefunction(program):

        @functools.wraps(program)
        async def crowded_async() -> Any:  # noqa: ANN401 - the program's
            async with async_client() as client:
                crowd = [asyncio.create_task(_clerk(client, name)) for name in CLERKS]
                try:
                    return await program()
                finally:
                    await asyncio.gather(*crowd)

        return crowded_async

    @functools.wraps(program)
    def crowded() -> Any:  # noqa: ANN401 - the program's
        with blocking_client() as client:
            crowd = [threading.Thread(target=_clerk_thread, args=(client, it)) for it in CLERKS]
            for thread in crowd:
                thread.start()
            try:
                return program()
            finally:
                for thread in crowd:
                    thread.join()

    return crowded


async def _clerk(client: Any, name: str) -> None:  # noqa: ANN401 - the SDK's
    for number in range(CALLS_OF_EACH):
        try:
            await ask(client, name, f"piece {number}")
        except CALL_ERRORS:
            await asyncio.sleep(0.13)


def _clerk_thread(client: Any, name: str) -> None:  # noqa: ANN401 - the SDK's
    for number in range(CALLS_OF_EACH):
        try:
            ask_blocking(client, name, f"piece {number}")
        except CALL_ERRORS:
            time.sleep(0.13)

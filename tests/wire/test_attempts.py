"""Whose attempts they are: retries of an SDK inside loops of the program, fallbacks, and many equal calls at once."""

# ruff: noqa: ANN401 - the fixture of another file
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import product
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from harness.sim import ProgramRun, Sim
from tests.wire.sdk_versions import BY_AIOHTTP, httpx_of_sdks

MESSAGES: list[Any] = [{"role": "user", "content": "hi"}]
URL = "https://api.anthropic.com/v1/messages"
BODY = {"model": "claude-sonnet-5", "max_tokens": 9, "messages": MESSAGES}
HEADERS = {"x-api-key": "k", "anthropic-version": "2023-06-01"}


def claude(client: Any, model: str = "claude-sonnet-5") -> Awaitable[Any]:
    asking: Awaitable[Any] = client.messages.create(model=model, max_tokens=100, messages=MESSAGES)
    return asking


def gpt(client: Any, model: str = "gpt-5.5") -> Awaitable[Any]:
    asking: Awaitable[Any] = client.chat.completions.create(model=model, messages=MESSAGES)
    return asking


def of_claude(**more: Any) -> Any:
    return anthropic.AsyncAnthropic(**more)


def of_aiohttp(**more: Any) -> Any:
    return anthropic.AsyncAnthropic(http_client=anthropic.DefaultAioHttpClient(), **more)


CLIENTS = pytest.mark.parametrize(
    ("ask", "client"),
    [
        pytest.param(claude, of_claude, id="anthropic"),
        pytest.param(gpt, openai.AsyncOpenAI, id="openai"),
        pytest.param(claude, of_aiohttp, id="aiohttp", marks=BY_AIOHTTP),
    ],
)


def fail_until(sim: Sim, at_s: float, status: int = 503) -> None:
    sim.fault("status", status=status, until_s=at_s)


def calls_of(run: ProgramRun) -> list[tuple[str, int]]:
    return [(call.status, len(call.attempts)) for call in run.calls()]


async def again(times: int, ask: Callable[[], Awaitable[Any]], wait_s: float = 1.0) -> Any:
    """A loop as people write it."""
    for _ in range(times - 1):
        with suppress(Exception):
            return await ask()
        await asyncio.sleep(wait_s)
    return await ask()


@CLIENTS
def test_loop_around_the_retries_of_an_sdk_makes_calls_of_its_own(
    bench: Any, ask: Any, client: Any
) -> None:
    async def program() -> None:
        async with client(max_retries=1) as one:
            await again(3, lambda: ask(one))

    fail_until(bench.sim, 1.65)
    run = bench.sim.run(program)
    assert calls_of(run) == [("error", 2), ("ok", 2)]
    assert [finding.kind for finding in run.findings if finding.severity == "serious"] == []


@CLIENTS
@pytest.mark.parametrize("by_wait_for", [False, True], ids=["", "wait_for"])
def test_loops_side_by_side_keep_their_own_attempts(
    bench: Any, ask: Any, client: Any, *, by_wait_for: bool
) -> None:
    """Equal bytes, different numbers of retries: each loop's calls have as many attempts as its client makes."""
    made: list[int] = []

    async def loop(retries: int) -> None:
        async def ask_once() -> Any:
            made.append(retries + 1)
            return await (asyncio.wait_for(ask(one), 60) if by_wait_for else ask(one))

        async with client(max_retries=retries) as one:
            with suppress(Exception):
                await again(3, ask_once, wait_s=0.3 + retries / 10)

    async def program() -> None:
        await asyncio.gather(*(loop(retries) for retries in (0, 1, 2, 1, 0, 2)))

    fail_until(bench.sim, 1000)
    run = bench.sim.run(program)
    assert sorted(len(call.attempts) for call in run.calls()) == sorted(made)
    for call in run.calls():
        waits = [
            b.arrival_s - a.end_s for a, b in zip(call.attempts, call.attempts[1:], strict=False)
        ]
        assert waits == pytest.approx([0.5, 1.0][: len(waits)])


@CLIENTS
@pytest.mark.parametrize("group", [False, True], ids=["gather", "TaskGroup"])
def test_equal_calls_that_all_fail_and_retry_keep_their_own_attempts(
    bench: Any, ask: Any, client: Any, *, group: bool
) -> None:
    async def program() -> None:
        async with client(max_retries=2) as one:
            if not group:
                await asyncio.gather(*(ask(one) for _ in range(4)))
                return
            async with asyncio.TaskGroup() as tasks:
                for _ in range(4):
                    tasks.create_task(ask(one))

    fail_until(bench.sim, 1.0)
    assert calls_of(bench.sim.run(program)) == [("ok", 3)] * 4


@pytest.mark.parametrize(("outer", "middle", "inner"), list(product((1, 2), (1, 3), (0, 1, 2))))
def test_attempts_are_exact_for_any_nesting(
    bench: Any, outer: int, middle: int, inner: int
) -> None:
    async def program() -> None:
        one = of_claude(max_retries=inner)
        with suppress(Exception):
            await again(outer, lambda: again(middle, lambda: claude(one), 0.1), 2.0)

    fail_until(bench.sim, 10_000)
    assert calls_of(bench.sim.run(program)) == [("error", inner + 1)] * (outer * middle)


def test_fallback_to_a_client_of_other_retries_is_another_call(bench: Any) -> None:
    async def program() -> None:
        first, second = of_claude(max_retries=2), of_claude(max_retries=1)
        with suppress(Exception):
            await claude(first)
        await claude(second)

    fail_until(bench.sim, 1.9)
    assert calls_of(bench.sim.run(program)) == [("error", 3), ("ok", 2)]


def test_blocking_clients_in_a_loop_keep_their_attempts(bench: Any) -> None:
    def program() -> None:
        client = anthropic.Anthropic(max_retries=1)
        for _ in range(3):
            with suppress(anthropic.APIStatusError):
                client.messages.create(model="claude-sonnet-5", max_tokens=100, messages=MESSAGES)

    fail_until(bench.sim, 1.2)
    assert calls_of(bench.sim.run(program)) == [("error", 2), ("error", 2), ("ok", 1)]


@pytest.mark.parametrize("by_wait_for", [False, True], ids=["", "wait_for"])
def test_clients_that_number_nothing_keep_their_own_attempts(
    bench: Any, *, by_wait_for: bool
) -> None:
    """Three loops that send equal bytes, at paces of their own."""

    async def loop(client: Any, pace_s: float) -> None:
        for _ in range(4):
            posting = client.post(URL, json=BODY, headers=HEADERS)
            if by_wait_for:
                posting = asyncio.wait_for(posting, 50)
            if (await posting).status_code == 200:
                return
            await asyncio.sleep(pace_s)

    async def program() -> None:
        async with httpx2.AsyncClient(timeout=60) as client:
            await asyncio.gather(*(loop(client, pace_s) for pace_s in (0.2, 0.5, 0.7)))

    fail_until(bench.sim, 1000)
    run = bench.sim.run(program)
    for call, pace_s in zip(run.calls(), (0.2, 0.5, 0.7), strict=True):
        waits = [
            b.arrival_s - a.end_s for a, b in zip(call.attempts, call.attempts[1:], strict=False)
        ]
        assert waits == pytest.approx([pace_s] * 3)


def test_transport_that_gives_each_try_a_task_of_its_own_is_seen_through(bench: Any) -> None:
    class InTask(httpx_of_sdks.AsyncHTTPTransport):  # type: ignore[misc, name-defined]  # of one library or the other
        async def handle_async_request(self, request: Any) -> Any:
            return await asyncio.create_task(super().handle_async_request(request))

    async def program() -> None:
        async def ask(retries: int) -> None:
            http = httpx_of_sdks.AsyncClient(transport=InTask())
            with suppress(anthropic.APIStatusError):
                await claude(of_claude(max_retries=retries, http_client=http))

        await asyncio.gather(ask(2), ask(0), ask(1))

    fail_until(bench.sim, 1000)
    assert [attempts for _, attempts in calls_of(bench.sim.run(program))] == [3, 1, 2]

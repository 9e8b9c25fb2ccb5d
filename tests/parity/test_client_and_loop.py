"""One async client in two event loops: what it gets is what it gets from a real server.

Each program is run twice, against a server on a real socket and in a run, and must tell the same.
"""

# ruff: noqa: ANN401, TID251 - programs of the user's do all of this, with several clients

from __future__ import annotations

import asyncio
import functools
import gc
import re
import ssl
import time
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
import anthropic
import httpx
import httpx2
import openai
import pytest

from harness import wall
from harness.sim import Sim
from tests.real_server import serving

BODY: dict[str, Any] = {
    "model": "claude-sonnet-5",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "hi"}],
}
HEADERS = {"x-api-key": "key", "anthropic-version": "2023-06-01"}
KEY = "key"

Use = Callable[[Any, str], Coroutine[Any, Any, Any]]
Make = Callable[[str], Any]


async def post(client: Any, url: str) -> int:
    return (await client.post(f"{url}/v1/messages", json=BODY, headers=HEADERS)).status_code  # type: ignore[no-any-return]


async def post_and_close(client: Any, url: str) -> int:
    headers = {**HEADERS, "connection": "close"}
    return (await client.post(f"{url}/v1/messages", json=BODY, headers=headers)).status_code  # type: ignore[no-any-return]


async def ask_anthropic(client: Any, _: str) -> str:
    return (await client.messages.create(**BODY)).role  # type: ignore[no-any-return]


async def ask_openai(client: Any, _: str) -> str:
    chat = await client.chat.completions.create(model="gpt-5", messages=BODY["messages"])
    return chat.choices[0].message.role  # type: ignore[no-any-return]


async def by_session(kept: Any, url: str) -> int:
    """A session is made in the loop that uses it first."""
    if not kept:
        kept.append(aiohttp.ClientSession(headers=HEADERS))
    async with kept[0].post(f"{url}/v1/messages", json=BODY) as response:
        await response.read()
        return response.status  # type: ignore[no-any-return]


def anthropic_client(**options: Any) -> Make:
    return lambda url: anthropic.AsyncAnthropic(api_key=KEY, base_url=url, **options)


def anthropic_by_aiohttp(**options: Any) -> Make:
    def make(url: str) -> Any:
        client = anthropic.DefaultAioHttpClient()
        return anthropic.AsyncAnthropic(api_key=KEY, base_url=url, http_client=client, **options)

    return make


def openai_client(**options: Any) -> Make:
    return lambda url: openai.AsyncOpenAI(api_key=KEY, base_url=f"{url}/v1", **options)


SHORT = httpx.Limits(keepalive_expiry=0.02)

PROGRAMS: dict[str, tuple[Make, Use]] = {
    "httpx": (lambda _: httpx.AsyncClient(), post),
    "httpx2": (lambda _: httpx2.AsyncClient(), post),
    "httpx, connection: close": (lambda _: httpx.AsyncClient(), post_and_close),
    "httpx, expired connection": (lambda _: httpx.AsyncClient(limits=SHORT), post),
    "httpx, no keep-alive": (
        lambda _: httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0)),
        post,
    ),
    "anthropic": (anthropic_client(max_retries=0), ask_anthropic),
    "anthropic with retries": (anthropic_client(max_retries=1), ask_anthropic),
    "anthropic, connection: close": (
        anthropic_client(max_retries=0, default_headers={"connection": "close"}),
        ask_anthropic,
    ),
    "openai": (openai_client(max_retries=0), ask_openai),
    "openai with retries": (openai_client(max_retries=1), ask_openai),
    "aiohttp": (lambda _: [], by_session),
    "anthropic on aiohttp": (anthropic_by_aiohttp(max_retries=0), ask_anthropic),
    "anthropic on aiohttp, with retries": (anthropic_by_aiohttp(max_retries=1), ask_anthropic),
    "anthropic on aiohttp, connection: close": (
        anthropic_by_aiohttp(max_retries=0, default_headers={"connection": "close"}),
        ask_anthropic,
    ),
}


def told(error: BaseException) -> list[str]:
    """An error and its causes, without what differs between any two processes."""
    words = re.sub(r" at 0x[0-9a-f]+|Sim(?=Future|Task)", "", str(error))
    words = re.sub(r"<Task .*> got", "<Task> got", words)
    cause = error.__cause__
    return [f"{type(error).__name__}: {words}", *(told(cause) if cause is not None else [])]


def outcome(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - it is what is compared
        return told(error)


def in_three_runs(make: Make, use: Use, url: str) -> list[Any]:
    """What a script does that calls `asyncio.run` wherever it needs something."""
    client = make(url)
    first = outcome(lambda: asyncio.run(use(client, url)))
    time.sleep(0.03)  # more than SHORT
    return [first, *(outcome(lambda: asyncio.run(use(client, url))) for _ in range(2))]


def in_two_open_loops(make: Make, use: Use, url: str) -> list[Any]:
    client, loops = make(url), [asyncio.new_event_loop() for _ in range(2)]
    outcomes = [
        outcome(lambda: loop.run_until_complete(asyncio.wait_for(use(client, url), 5)))  # noqa: B023 - called at once
        for loop in (*loops, loops[0])
    ]
    for loop in loops:
        loop.close()
    return outcomes


def closed_in_another_run(make: Make, use: Use, url: str) -> list[Any]:
    async def close() -> None:
        await (client.aclose() if hasattr(client, "aclose") else client.close())

    client = make(url)
    return [
        outcome(lambda: asyncio.run(use(client, url))),
        outcome(lambda: asyncio.run(close())),
        outcome(lambda: asyncio.run(close())),
    ]


def both(shape: Callable[[Make, Use, str], list[Any]], name: str) -> tuple[Any, Any]:
    """What a program tells in reality and in a run, each with how many requests the server has seen."""
    make, use = PROGRAMS[name]
    sim = Sim(1)
    sim.agent("agent", model="*", reply="hello", latency_s=0.5, allow_unused=True)
    host = "https://api.openai.com" if "openai" in name else "https://api.anthropic.com"
    with serving() as server:
        real = shape(make, use, server.url)
        run = sim.run(shape, make, use, host)
        # The server may still read what a client wrote and does not wait for.
        until_s = wall.elapsed_s() + 5
        while len(server.asked_from) < run.attempts and wall.elapsed_s() < until_s:
            wall.sleep(0.01)
        requests = len(server.asked_from)
    gc.collect()  # while what it complains about is not yet another test's
    return (real, requests), (run.output, run.attempts)


@pytest.fixture(autouse=True)
def no_waste_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = functools.cache(ssl.create_default_context)
    monkeypatch.setattr(ssl, "create_default_context", shared)
    monkeypatch.setattr("anthropic._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)


pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("name", PROGRAMS)
def test_client_in_three_runs_of_asyncio_gets_what_it_gets_in_reality(name: str) -> None:
    real, simulated = both(in_three_runs, name)
    assert simulated == real


@pytest.mark.parametrize("name", ["httpx", "httpx2", "anthropic", "openai", "aiohttp"])
def test_client_in_two_open_loops_gets_what_it_gets_in_reality(name: str) -> None:
    real, simulated = both(in_two_open_loops, name)
    assert simulated == real


@pytest.mark.parametrize("name", ["httpx", "httpx2", "anthropic", "openai"])
def test_client_that_is_closed_in_another_loop_gets_what_it_gets_in_reality(name: str) -> None:
    real, simulated = both(closed_in_another_run, name)
    assert simulated == real


def test_client_of_another_loop_is_told_that_its_loop_is_closed() -> None:
    _, (outcomes, _) = both(in_three_runs, "anthropic")
    assert outcomes == [
        "assistant",
        ["APIConnectionError: Connection error.", "RuntimeError: Event loop is closed"],
        "assistant",
    ]

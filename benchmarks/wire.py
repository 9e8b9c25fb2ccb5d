"""CPU of calls through the real Anthropic SDK in virtual time, beside the same calls with a server that costs nothing.

The *floor* is the same client on a stock loop, with its own pool and parser, over connections in memory that give the very bytes
that the simulated server sends. The *mock* is the SDK's own mock transport, which has neither pool nor parser.

Targets: a call at most 1.25 times the floor; a stream of 200 deltas at most 2.0 times the mock; a test of ten calls under 50 ms;
a call of 1,000 agents at once on one client under 1.5 ms.
"""

from __future__ import annotations

import asyncio
import os
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anthropic
import httpcore2
import httpx2

from harness.sim import Sim

CALLS = 300
STREAMS = 10
DELTAS = 200
AGENTS = 1000
ROUNDS = 3
MODEL = "claude-sonnet-4-6"
SHORT: list[anthropic.types.MessageParam] = [{"role": "user", "content": "a sentence, please"}]
LONG: list[anthropic.types.MessageParam] = [{"role": "user", "content": "a chapter, please"}]
WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "while",
    "seven",
    "agents",
    "read",
    "what",
    "it",
    "wrote",
]
REPLY = " ".join(WORDS[n * n % len(WORDS)] for n in range(4 * DELTAS))[: 18 * DELTAS]

Client = anthropic.AsyncAnthropic


class Recorded(httpx2.AsyncByteStream):
    """The parts of a streamed answer, each in a turn of its own."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            await asyncio.sleep(0)
            yield part


class _CannedStream(httpcore2.AsyncNetworkStream):
    """A connection whose answer lies there in the turn after a request."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        await asyncio.sleep(0)
        return self._answer

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        pass

    async def aclose(self) -> None:
        pass

    async def start_tls(self, *_: object, **__: object) -> _CannedStream:
        return self

    def get_extra_info(self, info: str) -> None:
        return None


class CannedNetwork(httpcore2.AsyncNetworkBackend):
    """Where every connection gives the same answer."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    async def connect_tcp(self, *_: object, **__: object) -> _CannedStream:
        """Open a connection, whatever its place."""
        return _CannedStream(self._answer)


async def call(client: Client) -> None:
    """One call."""
    await client.messages.create(model=MODEL, max_tokens=5000, messages=SHORT)


async def stream(client: Client) -> None:
    """One stream, read to its end."""
    async for _ in await client.messages.create(
        model=MODEL, max_tokens=5000, messages=LONG, stream=True
    ):
        pass


async def repeated(what: Callable[[Client], Awaitable[None]], client: Client, times: int) -> float:
    """CPU of each of some, one after another [s]."""
    await what(client)
    began_s = time.process_time()
    for _ in range(times):
        await what(client)
    return (time.process_time() - began_s) / times


async def at_once(clients: list[Client]) -> float:
    """CPU of each of many calls at the same time [s]."""
    await call(clients[0])
    began_s = time.process_time()
    await asyncio.gather(*map(call, clients))
    return (time.process_time() - began_s) / len(clients)


def simulation() -> Sim:
    """One agent, who writes a sentence or a chapter."""
    sim = Sim(1, repeats_per_task=10**9)
    sim.agent("writer", reply=lambda call: REPLY if "chapter" in call.prompt else REPLY[:80])
    return sim


async def recorded() -> tuple[httpx2.Response, httpx2.Response, list[bytes]]:
    """The simulated server's own answers: plain, and streamed in parts."""
    parts: list[bytes] = []
    async with httpx2.AsyncClient(timeout=600) as client:
        short = {"model": MODEL, "max_tokens": 5000, "messages": SHORT}
        long = {"model": MODEL, "max_tokens": 5000, "messages": LONG, "stream": True}
        headers = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
        url = "https://api.anthropic.com/v1/messages"
        plain = await client.post(url, json=short, headers=headers)
        async with client.stream("POST", url, json=long, headers=headers) as answer:
            parts.extend([part async for part in answer.aiter_raw()])
    return plain, answer, parts


def mock_client(plain: httpx2.Response, streamed: httpx2.Response, parts: list[bytes]) -> Client:
    """An SDK whose transport gives those answers."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if b'"stream":true' in request.content:
            return httpx2.Response(200, headers=streamed.headers, stream=Recorded(parts))
        return httpx2.Response(200, headers=plain.headers, content=plain.content)

    return Client(http_client=httpx2.AsyncClient(transport=httpx2.MockTransport(answer)))


def floor_client(plain: httpx2.Response) -> Client:
    """An SDK whose own pool opens connections that give that answer."""
    lines = [b"%s: %s\r\n" % line for line in plain.headers.raw]
    client = Client()
    pool: Any = client._client._transport._pool  # type: ignore[attr-defined]  # noqa: SLF001 - as the simulation
    pool._network_backend = CannedNetwork(  # noqa: SLF001
        b"HTTP/1.1 200 OK\r\n%s\r\n%s" % (b"".join(lines), plain.content)
    )
    return client


async def ten_calls() -> None:
    """What a small test does."""
    client = Client()
    await asyncio.gather(*[call(client) for _ in range(10)])


def main() -> None:
    """Measure in turns, and compare the best of each."""
    warnings.simplefilter("ignore")
    os.environ["ANTHROPIC_API_KEY"] = "simulated"
    answers = simulation().run(recorded).output
    rows: list[list[float]] = []
    for _ in range(ROUNDS):
        sim = simulation()
        one_client, clients = Client(), [Client() for _ in range(AGENTS // 10)]
        rows.append(
            [
                asyncio.run(repeated(call, mock_client(*answers), CALLS)),
                asyncio.run(repeated(call, floor_client(answers[0]), CALLS)),
                sim.run(repeated(call, Client(), CALLS)).output,
                asyncio.run(repeated(stream, mock_client(*answers), STREAMS)),
                sim.run(repeated(stream, Client(), STREAMS)).output,
                asyncio.run(at_once([floor_client(answers[0])] * AGENTS)),
                sim.run(at_once([one_client] * AGENTS)).output,
                sim.run(at_once(clients * 10)).output,
            ]
        )
    mock_call, floor_call, our_call, mock_stream, our_stream, floor_crowd, crowd, teams = (
        min(column) for column in zip(*rows, strict=True)
    )
    tests = []
    for _ in range(ROUNDS):
        began_s = time.process_time()
        simulation().run(ten_calls)
        tests.append(time.process_time() - began_s)
    print(
        f"call:   {our_call * 1e3:6.2f} ms, floor {floor_call * 1e3:6.2f} ms: {our_call / floor_call:.2f} (target: at most 1.25); "
        f"mock {mock_call * 1e3:6.2f} ms: {our_call / mock_call:.2f}"
    )
    print(
        f"stream: {our_stream * 1e3:6.2f} ms, mock {mock_stream * 1e3:6.2f} ms: {our_stream / mock_stream:.2f} (target: at most 2.0), {len(answers[2])} parts"
    )
    print(
        f"a test of ten calls: {tests[0] * 1e3:.1f} ms first, {min(tests) * 1e3:.1f} ms later (target: under 50 ms)"
    )
    print(
        f"{AGENTS} agents at once: {crowd * 1e3:.2f} ms per call with one client, whose pool looks at all connections "
        f"twice a call (target: under 1.5 ms), floor {floor_crowd * 1e3:.2f} ms: {crowd / floor_crowd:.2f}; "
        f"{teams * 1e3:.2f} ms with a client for each ten"
    )


if __name__ == "__main__":
    main()

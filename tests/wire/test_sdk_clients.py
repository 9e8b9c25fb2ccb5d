"""Every client there is: synchronous ones, aiohttp, plain httpx; their connections, and what happens when they hang up."""

# ruff: noqa: ANN401 - the fixture of another file
from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import accumulate
from typing import Any

import aiohttp
import anthropic
import httpx
import httpx2
import openai
import pytest

from harness.provider.service import REFUSAL_S
from tests.wire.sdk_versions import BY_AIOHTTP, HTTPCORE, HTTPX, httpx_of_sdks

MESSAGES: list[Any] = [{"role": "user", "content": "hi"}]
BODY: dict[str, Any] = {"model": "claude-sonnet-5", "max_tokens": 100, "messages": MESSAGES}
HEADERS = {"x-api-key": "key", "anthropic-version": "2026-10-21"}
URL = "https://api.anthropic.com/v1/messages"


def end_of(*durations_s: float) -> float:
    """When durations end that follow one another, added as a clock adds them."""
    return list(accumulate(durations_s))[-1]


async def ask(client: Any) -> str:
    text: str = (await client.messages.create(**BODY)).content[0].text
    return text


# -- programs that block ----------------------------------------------------------------------------------------------


def sync_claude() -> str:
    with anthropic.Anthropic() as client:
        return client.messages.create(**BODY).content[0].text  # type: ignore[no-any-return]


def sync_claude_stream() -> str:
    with anthropic.Anthropic() as client, client.messages.stream(**BODY) as stream:
        return "".join(stream.text_stream)


def sync_gpt() -> str | None:
    with openai.OpenAI() as client:
        completion = client.chat.completions.create(model="gpt-5.5", messages=MESSAGES)
    return completion.choices[0].message.content


def sync_gpt_stream() -> str:
    with openai.OpenAI() as client:
        chunks = client.chat.completions.create(model="gpt-5.5", messages=MESSAGES, stream=True)
        return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


SYNC = pytest.mark.parametrize(
    "program", [sync_claude, sync_claude_stream, sync_gpt, sync_gpt_stream]
)


@SYNC
def test_blocking_program_is_answered_in_virtual_time(bench: Any, program: Any) -> None:
    run = bench.sim.run(program)
    assert (run.output, run.latency_s) == (bench.reply, 2.0)


@SYNC
def test_blocking_program_waits_between_tries_in_virtual_time(bench: Any, program: Any) -> None:
    bench.sim.fault("status", status=429, retry_after_s=37, attempt=1)
    bench.sim.fault("hang", attempt=2)
    run = bench.sim.run(program)
    assert run.output == bench.reply
    assert run.latency_s == end_of(REFUSAL_S, 37, 600, 1.0, 2.0)
    assert (len(run.calls()), run.attempts) == (1, 3)


@pytest.mark.parametrize(
    ("fault", "error", "cause"),
    [
        ("reset_midway", "anthropic.APIConnectionError", f"{HTTPX}.ReadError"),
        ("refused", "anthropic.APIConnectionError", f"{HTTPX}.ConnectError"),
        ("truncated_json", "anthropic.APIConnectionError", f"{HTTPX}.RemoteProtocolError"),
        ("hang", "anthropic.APITimeoutError", f"{HTTPX}.ReadTimeout"),
    ],
)
def test_blocking_program_sees_what_an_async_one_sees(
    bench: Any, fault: str, error: str, cause: str
) -> None:
    bench.sim.fault(fault)
    failed = bench.failure(sync_claude)
    assert (failed.error, failed.cause, failed.attempts) == (error, cause, 3)


def test_blocking_stream_that_breaks(bench: Any) -> None:
    bench.sim.fault("reset_midway")
    assert bench.failure(sync_claude_stream)[:5] == (
        f"{HTTPX}.ReadError",
        None,
        None,
        f"{HTTPCORE}.ReadError",
        1,
    )


# -- aiohttp ----------------------------------------------------------------------------------------------------------


async def claude_by_aiohttp() -> str:
    async with anthropic.AsyncAnthropic(http_client=anthropic.DefaultAioHttpClient()) as client:
        return await ask(client)


async def gpt_by_aiohttp() -> str | None:
    async with openai.AsyncOpenAI(http_client=openai.DefaultAioHttpClient()) as client:
        completion = await client.chat.completions.create(model="gpt-5.5", messages=MESSAGES)
    return completion.choices[0].message.content


async def claude_stream_by_aiohttp() -> str:
    async with (
        anthropic.AsyncAnthropic(http_client=anthropic.DefaultAioHttpClient()) as client,
        client.messages.stream(**BODY) as stream,
    ):
        return "".join([text async for text in stream.text_stream])


@BY_AIOHTTP
@pytest.mark.parametrize("program", [claude_by_aiohttp, claude_stream_by_aiohttp, gpt_by_aiohttp])
def test_aiohttp_is_answered_in_virtual_time(bench: Any, program: Any) -> None:
    run = bench.sim.run(program)
    assert (run.output, run.latency_s) == (bench.reply, 2.0)


@BY_AIOHTTP
def test_aiohttp_retries_after_the_wait_of_the_server(bench: Any) -> None:
    bench.sim.fault("status", status=429, retry_after_s=37, attempt=1)
    run = bench.sim.run(claude_by_aiohttp)
    assert run.latency_s == end_of(REFUSAL_S, 37, 2.0)
    assert (len(run.calls()), run.attempts) == (1, 2)


AIOHTTP_FAILURES = {
    "hang": ("anthropic.APITimeoutError", f"{HTTPX}.ReadTimeout", end_of(600, 0.5, 600, 1.0, 600)),
    "refused": (
        "anthropic.APIConnectionError",
        f"{HTTPX}.ConnectError",
        end_of(0.05, 0.5, 0.05, 1.0, 0.05),
    ),
    "reset": (
        "anthropic.APIConnectionError",
        f"{HTTPX}.ConnectError",
        end_of(0.05, 0.5, 0.05, 1.0, 0.05),
    ),
    "truncated_json": (
        "anthropic.APIConnectionError",
        f"{HTTPX}.ReadError",
        end_of(2.0, 0.5, 2.0, 1.0, 2.0),
    ),
}


@BY_AIOHTTP
@pytest.mark.parametrize("fault", AIOHTTP_FAILURES)
def test_aiohttp_failures(bench: Any, fault: str) -> None:
    bench.sim.fault(fault)
    failed = bench.failure(claude_by_aiohttp)
    assert (failed.error, failed.cause, failed.end_s) == AIOHTTP_FAILURES[fault]
    assert (len(bench.run.calls()), failed.attempts) == (1, 3)


def test_plain_aiohttp_session_is_reached(bench: Any) -> None:
    async def post() -> Any:
        async with (
            aiohttp.ClientSession(headers=HEADERS) as session,
            session.post(URL, json=BODY) as response,
        ):
            return await response.json()

    run = bench.sim.run(post)
    assert run.output["content"][0]["text"] == bench.reply
    assert run.latency_s == 2.0


# -- clients below the SDKs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_plain_httpx_is_reached(bench: Any, library: Any) -> None:
    async def post() -> Any:
        async with library.AsyncClient(headers=HEADERS) as client:
            return (await client.post(URL, json=BODY)).json()

    def post_sync() -> Any:
        return library.post(URL, json=BODY, headers=HEADERS).json()

    for program in (post, post_sync):
        run = bench.sim.run(program)
        assert run.output["content"][0]["text"] == bench.reply
        assert run.latency_s == 2.0


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_plain_httpx_keeps_its_own_timeout(bench: Any, library: Any) -> None:
    async def post() -> None:
        async with library.AsyncClient(headers=HEADERS, timeout=1.25) as client:
            await client.post(URL, json=BODY)

    failed = bench.failure(post)
    assert (failed.error, failed.end_s) == (f"{library.__name__}.ReadTimeout", 1.25)


# -- connections ------------------------------------------------------------------------------------------------------


def connections_of(client: Any) -> list[Any]:
    """The connections in a client's pool."""
    return list(client._client._transport._pool.connections)


async def test_connection_is_used_again(sim: Any, bench: Any) -> None:
    client = anthropic.AsyncAnthropic()
    await ask(client)
    first = connections_of(client)
    await ask(client)
    assert connections_of(client) == first
    assert len(first) == 1


async def test_connection_that_broke_is_not_used_again(sim: Any, bench: Any) -> None:
    bench.sim.fault("reset", call=1, attempt=1)
    client = anthropic.AsyncAnthropic()
    await ask(client)
    await ask(client)
    assert len(connections_of(client)) == 1
    assert sim.so_far().attempts == 3


async def test_connections_are_kept_for_as_long_as_the_client_keeps_them(
    sim: Any, bench: Any
) -> None:
    client = anthropic.AsyncAnthropic()
    await ask(client)
    first = connections_of(client)
    await asyncio.sleep(3600)
    await ask(client)
    assert connections_of(client) != first


async def test_pool_of_two_serves_five_calls_of_a_second_in_three(sim: Any) -> None:
    sim.agent("agent", latency_s=1.0)
    http = httpx_of_sdks.AsyncClient(limits=httpx_of_sdks.Limits(max_connections=2))
    client = anthropic.AsyncAnthropic(http_client=http)
    await asyncio.gather(*(ask(client) for _ in range(5)))
    run = sim.so_far()
    assert run.latency_s == 3.0
    assert [call.start_s for call in run.calls()] == [0.0, 0.0, 1.0, 1.0, 2.0]


async def test_wait_for_the_pool_is_bounded_by_its_timeout(sim: Any) -> None:
    sim.agent("agent", latency_s=10.0)
    http = httpx_of_sdks.AsyncClient(
        limits=httpx_of_sdks.Limits(max_connections=1), timeout=httpx_of_sdks.Timeout(60, pool=4)
    )
    client = anthropic.AsyncAnthropic(http_client=http, max_retries=0)
    first = asyncio.create_task(ask(client))
    await asyncio.sleep(1)
    with pytest.raises(anthropic.APITimeoutError) as caught:
        await ask(client)
    assert isinstance(caught.value.__cause__, httpx_of_sdks.PoolTimeout)
    assert asyncio.get_running_loop().time() == 5.0
    await first
    assert sim.so_far().calls() == 1


# -- clients that hang up ---------------------------------------------------------------------------------------------


@pytest.fixture
def narrow(sim: Any) -> Any:
    """One slot: who is not served waits."""
    sim.provider("anthropic", concurrency=1)
    sim.agent("agent", reply="one two three", latency_s=10.0)
    return sim


def ends(sim: Any) -> list[tuple[str, float, float]]:
    """Status, beginning and end of each attempt."""
    return [
        (span.status, span.arrival_s, span.end_s)
        for call in sim.so_far().calls()
        for span in call.attempts
    ]


async def test_timeout_of_the_program_ends_the_attempt(sim: Any, narrow: Any) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3):
            await ask(anthropic.AsyncAnthropic())
    assert ends(sim) == [("cancelled", 0.0, 3.0)]


async def test_place_in_the_queue_is_given_up_with_the_call(sim: Any, narrow: Any) -> None:
    """The second waits for the slot and leaves; the third gets it at 10 s, not at 20 s."""
    client = anthropic.AsyncAnthropic()
    first = asyncio.create_task(ask(client))
    await asyncio.sleep(1)
    second = asyncio.create_task(ask(client))
    await asyncio.sleep(1)
    third = asyncio.create_task(ask(client))
    await asyncio.sleep(1)
    second.cancel()
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert ends(sim) == [("ok", 0.0, 10.0), ("cancelled", 1.0, 3.0), ("ok", 2.0, 20.0)]
    attempts = [call.attempts[0] for call in sim.so_far().calls()]
    assert [span.cost_usd > 0 for span in attempts] == [True, False, True]


async def test_queue_that_is_full_refuses_until_somebody_leaves(sim: Any) -> None:
    sim.provider("anthropic", concurrency=1, queue_capacity=1)
    sim.agent("agent", latency_s=10.0)
    client = anthropic.AsyncAnthropic(max_retries=0)
    first = asyncio.create_task(ask(client))
    second = asyncio.create_task(ask(client))
    await asyncio.sleep(1)
    with pytest.raises(anthropic.InternalServerError):  # or a subclass of it
        await ask(client)
    second.cancel()
    await asyncio.sleep(1)
    await asyncio.gather(first, ask(client))
    assert [status for status, *_ in ends(sim)] == ["ok", "cancelled", "error", "ok"]


async def test_leaving_a_stream_ends_its_attempt(sim: Any) -> None:
    sim.agent("agent", latency_s={"ttft_s": 1.0, "itl_s": 0.1}, output_tokens=100)
    async with anthropic.AsyncAnthropic().messages.stream(**BODY) as stream:
        async for event in stream:
            if event.type == "text":
                break
    assert ends(sim) == [("cancelled", 0.0, 1.0)]
    assert sim.so_far().calls()[0].reply is None


async def test_cancelled_sibling_ends_its_attempt(sim: Any) -> None:
    """The first failure of a task group cancels the others, at the same moment."""
    sim.agent("agent", latency_s=10.0)
    sim.fault("status", status=400, call=2)

    async def three() -> None:
        client = anthropic.AsyncAnthropic()
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(ask(client))

    with pytest.raises(ExceptionGroup):
        await three()
    assert ends(sim) == [
        ("cancelled", 0.0, REFUSAL_S),
        ("error", 0.0, REFUSAL_S),
        ("cancelled", 0.0, REFUSAL_S),
    ]


@BY_AIOHTTP
async def test_aiohttp_hangs_up_too(sim: Any, narrow: Any) -> None:
    async with anthropic.AsyncAnthropic(http_client=anthropic.DefaultAioHttpClient()) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await ask(client)
    assert ends(sim) == [("cancelled", 0.0, 3.0)]


async def test_body_in_chunks_is_read_though_its_head_comes_alone(sim: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        text = json.dumps(BODY).encode()
        yield text[:20]
        yield text[20:]

    async with httpx.AsyncClient() as client:
        answer = await client.post(URL, headers=HEADERS, content=pieces())
    assert (answer.status_code, sim.so_far().calls()) == (200, 1)

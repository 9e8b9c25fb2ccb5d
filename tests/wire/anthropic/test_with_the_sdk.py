"""The real SDK against the simulated API, in virtual time."""

# ruff: noqa: ANN401 - JSON is anything, and so is a fixture of another file
from __future__ import annotations

import asyncio
import json
import time  # noqa: TID251 - a program reads its own clock
from collections.abc import Callable
from typing import Any

import anthropic
import pydantic
import pytest

from harness.chance.distributions import Constant
from harness.faults.status import StatusError
from harness.faults.wire import ErrorEvent
from harness.models import Reply, Request, ToolCall
from harness.provider import Latency, Limits
from tests.wire.sdk_versions import since

HI: list[Any] = [{"role": "user", "content": "hi"}]
SONNET = "claude-sonnet-4-6"
NEWER = since("anthropic", 1, "has this in its beta, or not at all")

Simulate = Callable[..., Any]


def test_a_message_is_answered(simulate: Simulate) -> None:
    async def program() -> Any:
        return await anthropic.AsyncAnthropic().messages.create(
            model=SONNET, max_tokens=100, messages=HI
        )

    message = simulate(program, lambda _: "hello").output
    assert message.content[0].text == "hello"
    assert message.stop_reason == "end_turn"
    assert message.usage.service_tier == "standard"


@NEWER
def test_a_message_knows_its_request(simulate: Simulate) -> None:
    async def program() -> Any:
        return await anthropic.AsyncAnthropic().messages.create(
            model=SONNET, max_tokens=100, messages=HI
        )

    assert simulate(program).output._request_id.startswith("req_011C")


def test_a_stream_begins_with_the_first_token_and_ends_with_the_last(simulate: Simulate) -> None:
    async def program() -> Any:
        times, pieces = [], []
        client = anthropic.AsyncAnthropic()
        async with client.messages.stream(model=SONNET, max_tokens=4000, messages=HI) as stream:
            async for piece in stream.text_stream:
                times.append(time.monotonic())
                pieces.append(piece)
            return times, pieces, await stream.get_final_message(), time.monotonic()

    text = "a word " * 200
    latency = Latency(ttft_s=Constant(2.0), itl_s=Constant(0.01))
    times, pieces, message, end_s = simulate(program, lambda _: text, latency=latency).output
    assert "".join(pieces) == message.content[0].text == text
    assert times[0] == 2.0
    assert times == sorted(times)
    assert times[-1] == end_s == pytest.approx(2.0 + 350 * 0.01)
    assert message.usage.output_tokens == 350


@NEWER
def test_an_answer_is_parsed_into_a_type(simulate: Simulate) -> None:
    class City(pydantic.BaseModel):
        name: str
        people: int

    def reply(request: Request) -> str:
        assert request.wanted is not None
        assert list(request.wanted["properties"]) == ["name", "people"]
        return '{"name": "Bern", "people": 134000}'

    async def program() -> Any:
        return await anthropic.AsyncAnthropic().messages.parse(
            model=SONNET, max_tokens=100, messages=HI, output_format=City
        )

    assert simulate(program, reply).output.parsed_output == City(name="Bern", people=134000)


async def weather(city: str) -> str:
    """The weather.

    Args:
        city: Where.
    """
    return f"sunny in {city}"


def _asks_for_tools(request: Request) -> Reply | str:
    if request.tool_results:
        assert [call.tool for call in request.conversation[-2].tool_calls] == ["weather"] * 2
        return " and ".join(f"{result.tool}: {result.text}" for result in request.tool_results)
    assert request.tools == ("weather",)
    wishes = tuple(ToolCall("weather", {"city": city}) for city in ("Bern", "Basel"))
    return Reply("let me look", wishes)


@NEWER
@pytest.mark.parametrize("message_threads", [True, False])
@pytest.mark.parametrize("stream", [True, False])
def test_the_tool_runner_goes_on_with_a_thread_or_without(
    simulate: Simulate, message_threads: bool, stream: bool
) -> None:
    async def program() -> Any:
        runner = anthropic.AsyncAnthropic().beta.messages.tool_runner(
            model=SONNET,
            max_tokens=1000,
            system="You know the weather.",
            messages=HI,
            tools=[anthropic.beta_async_tool(weather)],
            stream=stream,
        )
        return await runner.until_done()

    ran = simulate(program, _asks_for_tools, message_threads=message_threads)
    assert ran.output.content[0].text == "weather: sunny in Bern and weather: sunny in Basel"
    first, second = ran.world.calls
    assert second.request.system == first.request.system == "You know the weather."
    assert [said.role for said in second.request.conversation] == ["user", "assistant", "user"]
    tools = [row for row in ran.world.log.spans.rows("kind", "name") if row[0] == "tool"]
    assert tools == [("tool", "weather")] * 2


@NEWER
def test_tokens_are_counted_as_they_are_charged(simulate: Simulate) -> None:
    async def program() -> Any:
        client = anthropic.AsyncAnthropic()
        what: dict[str, Any] = {"model": SONNET, "messages": HI, "system": "Be brief. " * 40}
        counted = await client.messages.count_tokens(**what)
        message = await client.messages.create(max_tokens=100, **what)
        return counted.input_tokens, message.usage.input_tokens

    counted, charged = simulate(program).output
    assert counted == charged == 100 + 1 + 7


@NEWER
def test_models_are_listed_and_found(simulate: Simulate) -> None:
    async def program() -> Any:
        client = anthropic.AsyncAnthropic()
        all_models = [model async for model in client.models.list(limit=7)]
        return all_models, await client.models.retrieve("claude-opus-4-5")

    models, opus = simulate(program).output
    names = [model.id for model in models]
    assert len(names) == len(set(names)) > 20
    assert SONNET in names
    assert opus.id == "claude-opus-4-5-20251101"
    assert (opus.display_name, opus.line, opus.max_input_tokens) == (
        "Claude Opus 4.5",
        "opus",
        200_000,
    )
    assert opus.capabilities.thinking.types.enabled.supported


@NEWER
def test_a_batch_takes_its_virtual_time(simulate: Simulate) -> None:
    async def program() -> Any:
        client = anthropic.AsyncAnthropic()
        good: dict[str, Any] = {"model": SONNET, "max_tokens": 50, "messages": HI}
        batch = await client.messages.batches.create(
            requests=[
                {"custom_id": "good", "params": good},  # type: ignore[typeddict-item]
                {"custom_id": "bad", "params": {**good, "messages": []}},  # type: ignore[typeddict-item]
            ]
        )
        assert batch.ended_at is None
        assert batch.request_counts.processing == 2
        while batch.processing_status != "ended":
            await asyncio.sleep(60)
            batch = await client.messages.batches.retrieve(batch.id)
        results = {}
        async for line in await client.messages.batches.results(batch.id):
            results[line.custom_id] = line.result
        listed = [one.id async for one in client.messages.batches.list()]
        deleted = await client.messages.batches.delete(batch.id)
        return batch, results, listed, deleted

    batch, results, listed, deleted = simulate(program, lambda _: "from a batch").output
    took_s = (batch.ended_at - batch.created_at).total_seconds()
    assert 120 <= took_s <= 3600
    assert (batch.expires_at - batch.created_at).total_seconds() == 86_400
    assert (batch.request_counts.succeeded, batch.request_counts.errored) == (1, 1)
    assert results["good"].message.content[0].text == "from a batch"
    assert results["good"].message.usage.service_tier == "batch"
    assert results["bad"].error.error.message == "messages: at least one message is required"
    assert listed == [batch.id] == [deleted.id]


def test_what_is_called_by_its_beta_is_served_alike(simulate: Simulate) -> None:
    async def program() -> Any:
        beta: Any = anthropic.AsyncAnthropic().beta.messages  # its types differ between versions
        counted = await beta.count_tokens(model=SONNET, messages=HI)
        params: Any = {"model": SONNET, "max_tokens": 50, "messages": HI}
        batch = await beta.batches.create(requests=[{"custom_id": "one", "params": params}])
        while batch.processing_status != "ended":
            await asyncio.sleep(60)
            batch = await beta.batches.retrieve(batch.id)
        (line,) = [line async for line in await beta.batches.results(batch.id)]
        return counted.input_tokens, line.result.message.content[0].text

    assert simulate(program, lambda _: "from a batch").output == (8, "from a batch")


@NEWER
def test_a_batch_is_cancelled(simulate: Simulate) -> None:
    async def program() -> Any:
        batches = anthropic.AsyncAnthropic().messages.batches
        params: dict[str, Any] = {"model": SONNET, "max_tokens": 50, "messages": HI}
        batch = await batches.create(
            requests=[{"custom_id": f"n{n}", "params": params} for n in range(10)]  # type: ignore[typeddict-item]
        )
        await asyncio.sleep(60)
        canceling = await batches.cancel(batch.id)
        await asyncio.sleep(60)
        return canceling, await batches.retrieve(batch.id)

    canceling, batch = simulate(program).output
    assert canceling.processing_status == "canceling"
    assert canceling.cancel_initiated_at is not None
    assert batch.processing_status == "ended"
    assert batch.request_counts.canceled > 0
    assert batch.request_counts.canceled + batch.request_counts.succeeded == 10


@NEWER
def test_thoughts_come_before_words(simulate: Simulate) -> None:
    async def program() -> Any:
        client = anthropic.AsyncAnthropic()
        what: dict[str, Any] = {"model": SONNET, "max_tokens": 4000, "messages": HI}
        what["thinking"] = {"type": "adaptive"}
        async with client.messages.stream(**what) as stream:
            streamed = await stream.get_final_message()
        return streamed, await client.messages.create(**what)

    reply = Reply("forty-two", thinking="let me think about this for a while")
    for message in simulate(program, lambda _: reply).output:
        thinking, text = message.content
        assert thinking.thinking == "let me think about this for a while"
        assert len(thinking.signature) == 256
        assert text.text == "forty-two"
        assert message.usage.output_tokens_details.thinking_tokens == 9
        assert message.usage.output_tokens == 9 + 3


def test_a_prompt_is_read_from_the_cache_until_nobody_has_for_five_minutes(
    simulate: Simulate,
) -> None:
    system: list[Any] = [
        {"type": "text", "text": "x" * 8000, "cache_control": {"type": "ephemeral"}}
    ]

    async def program() -> Any:
        client = anthropic.AsyncAnthropic()
        usages = []
        for wait_s in (0, 200, 200, 301):
            await asyncio.sleep(wait_s)
            message = await client.messages.create(
                model=SONNET, max_tokens=100, system=system, messages=HI
            )
            usages.append(message.usage)
        return usages

    usages = simulate(program, latency=Latency(ttft_s=Constant(0.1))).output
    read = [usage.cache_read_input_tokens for usage in usages]
    written = [usage.cache_creation_input_tokens for usage in usages]
    assert written == [2000, 0, 0, 2000]
    assert read == [0, 2000, 2000, 0]
    assert [usage.input_tokens for usage in usages] == [8] * 4
    assert dict(usages[0].cache_creation)["ephemeral_5m_input_tokens"] == 2000


def test_a_rate_limit_is_told_in_full_and_waited_for(simulate: Simulate) -> None:
    async def program() -> Any:
        client = anthropic.AsyncAnthropic()
        eager = client.with_options(max_retries=0)
        await client.messages.create(model=SONNET, max_tokens=9, messages=HI)
        try:
            await eager.messages.create(model=SONNET, max_tokens=9, messages=HI)
        except anthropic.RateLimitError as error:
            begun_s = time.monotonic()
            await client.messages.create(model=SONNET, max_tokens=9, messages=HI)
            return error, begun_s, time.monotonic()

    ran = simulate(
        program, latency=Latency(ttft_s=Constant(0.0)), limits=Limits(requests_per_min=1)
    )
    error, begun_s, end_s = ran.output
    assert error.body["error"]["type"] == "rate_limit_error"
    assert error.request_id == error.body["request_id"]
    assert "rate limit of 1 requests per minute (org: 00000000" in error.message
    assert f"model: {SONNET}). For details, refer to:" in error.message
    headers = error.response.headers
    assert int(headers["retry-after"]) == 60
    assert headers["x-should-retry"] == "true"
    assert headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert headers["anthropic-ratelimit-requests-reset"] == "2026-01-01T00:01:00Z"
    assert begun_s < 1
    assert end_s >= 60


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (403, anthropic.PermissionDeniedError),
        (404, anthropic.NotFoundError),
        (413, anthropic.APIStatusError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
        (503, anthropic.APIStatusError),
        (529, anthropic.APIStatusError),
    ],
)
def test_each_status_is_the_error_of_its_class(
    simulate: Simulate, status: Any, expected: type[Exception]
) -> None:
    async def program() -> Any:
        client = anthropic.AsyncAnthropic(max_retries=0)
        with pytest.raises(expected) as caught:
            await client.messages.create(model=SONNET, max_tokens=9, messages=HI)
        return caught.value

    error = simulate(program, faults=[StatusError(status=status)]).output
    assert error.status_code == status
    assert error.request_id.startswith("req_011C")


def test_an_error_in_the_middle_of_a_stream_has_the_status_200(simulate: Simulate) -> None:
    async def program() -> Any:
        client = anthropic.AsyncAnthropic()
        with pytest.raises(anthropic.APIStatusError) as caught:
            async with client.messages.stream(model=SONNET, max_tokens=99, messages=HI) as stream:
                await stream.get_final_message()
        return caught.value

    error = simulate(program, lambda _: "a long reply " * 20, faults=[ErrorEvent()]).output
    assert (error.status_code, error.body["error"]["type"]) == (200, "overloaded_error")
    assert error.body["request_id"] == error.response.headers["request-id"]


def test_the_same_program_gets_the_same_bytes(simulate: Simulate) -> None:
    async def program() -> Any:
        client = anthropic.AsyncAnthropic()
        message = await client.messages.create(model=SONNET, max_tokens=99, messages=HI)
        async with client.messages.stream(model=SONNET, max_tokens=99, messages=HI) as stream:
            events = [event.to_json() async for event in stream]
        return json.dumps([message.to_json(), events])

    assert simulate(program).output == simulate(program).output

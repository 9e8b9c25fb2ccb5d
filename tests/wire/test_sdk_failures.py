"""What an SDK makes of each way in which an exchange can fail; the SDK's own behaviour is what is under test."""

# ruff: noqa: ANN401 - the fixture of another file
from __future__ import annotations

from itertools import accumulate
from typing import Any

import anthropic
import openai
import pytest

from harness.sim import Sim
from tests.wire.sdk_versions import HTTPCORE, HTTPX, since

MESSAGES: list[Any] = [{"role": "user", "content": "hi"}]
SONNET = "claude-sonnet-5"
GPT = "gpt-5.5"

REFUSAL_S = 0.05
THREE_REFUSALS_S = list(accumulate([0.05, 0.5, 0.05, 1.0, 0.05]))[-1]
THREE_REPLIES_S = list(accumulate([2.0, 0.5, 2.0, 1.0, 2.0]))[-1]
MIDDLE_S = 1.5


async def claude() -> str:
    message = await anthropic.AsyncAnthropic().messages.create(
        model=SONNET, max_tokens=100, messages=MESSAGES
    )
    return message.content[0].text  # type: ignore[union-attr]


async def claude_stream(heard: list[str]) -> Any:
    client = anthropic.AsyncAnthropic()
    async with client.messages.stream(model=SONNET, max_tokens=100, messages=MESSAGES) as stream:
        async for text in stream.text_stream:
            heard.append(text)  # noqa: PERF401 - what came before a failure must stay
        return await stream.get_final_message()


async def gpt() -> str | None:
    completion = await openai.AsyncOpenAI().chat.completions.create(model=GPT, messages=MESSAGES)
    return completion.choices[0].message.content


async def gpt_stream(heard: list[str]) -> None:
    client = openai.AsyncOpenAI()
    async for chunk in await client.chat.completions.create(
        model=GPT, messages=MESSAGES, stream=True
    ):
        heard += [choice.delta.content or "" for choice in chunk.choices]


async def gpt_response_stream(heard: list[str]) -> None:
    client = openai.AsyncOpenAI()
    async for event in await client.responses.create(model=GPT, input="hi", stream=True):
        if event.type == "response.output_text.delta":
            heard.append(event.delta)  # noqa: PERF401 - likewise


_RESPONSES = pytest.param(gpt_response_stream, marks=since("openai", 2, "has no Responses"))
OPENAI_STREAMS = pytest.mark.parametrize("program", [gpt_stream, _RESPONSES])
STREAMS = pytest.mark.parametrize("program", [claude_stream, gpt_stream, _RESPONSES])

NO_ANSWER = {
    "refused": (f"{HTTPX}.ConnectError", "[Errno 111] Connection refused"),
    "dns_failure": (f"{HTTPX}.ConnectError", "[Errno -2] Name or service not known"),
    "tls_failure": (f"{HTTPX}.ConnectError", "certificate verify failed"),
    "reset": (f"{HTTPX}.ReadError", "[Errno 104] Connection reset by peer"),
    "connection_error": (f"{HTTPX}.ReadError", "[Errno 104] Connection reset by peer"),
}


@pytest.mark.parametrize("fault", NO_ANSWER)
@pytest.mark.parametrize(
    "sdk",
    [
        pytest.param(anthropic, id="anthropic"),
        pytest.param(
            openai, id="openai", marks=since("openai", 2, "gives up at once in async code")
        ),
    ],
)
def test_connection_that_gives_no_answer_is_tried_three_times(
    bench: Any, fault: str, sdk: Any
) -> None:
    bench.sim.fault(fault)
    cause, words = NO_ANSWER[fault]
    failed = bench.failure(claude if sdk is anthropic else gpt)
    assert failed == (
        f"{sdk.__name__}.APIConnectionError",
        None,
        None,
        cause,
        3,
        THREE_REFUSALS_S,
    )
    assert words in str(bench.run.error.__cause__)
    assert bench.run.cost_usd == 0


@pytest.mark.parametrize("fault", ["refused", "reset"])
def test_stream_without_an_answer_is_tried_again_like_any_call(bench: Any, fault: str) -> None:
    bench.sim.fault(fault)
    assert bench.failure(claude_stream, [])[:5] == (
        "anthropic.APIConnectionError",
        None,
        None,
        NO_ANSWER[fault][0],
        3,
    )


OVERLOADED = (
    ("anthropic.OverloadedError", 529, "overloaded_error")
    if hasattr(anthropic, "OverloadedError")
    else ("anthropic.InternalServerError", 529, None)
)
"""What Anthropic's SDK makes of an overload; older ones have no class and no type of it."""

# What the caller sees of an answer in one piece, and how often the SDK tried: three times 2 s with waits, or once.
ANTHROPIC_WHOLE = {
    "truncated_json": (
        "anthropic.APIConnectionError",
        None,
        None,
        f"{HTTPX}.RemoteProtocolError",
        3,
        THREE_REPLIES_S,
    ),
    "reset_midway": (
        "anthropic.APIConnectionError",
        None,
        None,
        f"{HTTPX}.ReadError",
        3,
        THREE_REPLIES_S,
    ),
    "corrupt_chunk": (
        "anthropic.APIConnectionError",
        None,
        None,
        f"{HTTPX}.RemoteProtocolError",
        3,
        THREE_REPLIES_S,
    ),
    "corrupt_gzip": (
        "anthropic.APIConnectionError",
        None,
        None,
        f"{HTTPX}.DecodingError",
        3,
        THREE_REPLIES_S,
    ),
    "error_event": (
        *OVERLOADED,
        None,
        3,
        THREE_REPLIES_S,
    ),
    "html_error": ("anthropic.InternalServerError", 502, None, None, 3, THREE_REFUSALS_S),
    "overloaded": (
        *OVERLOADED,
        None,
        3,
        THREE_REFUSALS_S,
    ),
    "invalid_json": ("json.decoder.JSONDecodeError", None, None, None, 1, 2.0),
    "malformed": ("json.decoder.JSONDecodeError", None, None, None, 1, 2.0),
    "cut_stream": ("json.decoder.JSONDecodeError", None, None, None, 1, 2.0),
    # The SDK takes the error for a message without content.
    "error_body": ("TypeError", None, None, None, 1, 2.0),
}


@pytest.mark.parametrize("fault", ANTHROPIC_WHOLE)
def test_anthropic_answer_in_one_piece(bench: Any, fault: str) -> None:
    bench.sim.fault(fault)
    assert bench.failure(claude) == ANTHROPIC_WHOLE[fault]
    assert {attempt[0] for attempt in bench.attempts} == {"error"}
    assert [call.status for call in bench.run.calls()] == ["error"]


# Streams are never tried again once they have begun; what httpx2 raises comes through as it is.
ANTHROPIC_STREAM = {
    "error_event": (
        "anthropic.APIStatusError",
        200,
        OVERLOADED[2],
        None,
        1,
        MIDDLE_S,
    ),
    "truncated_json": (
        f"{HTTPX}.RemoteProtocolError",
        None,
        None,
        f"{HTTPCORE}.RemoteProtocolError",
        1,
        MIDDLE_S,
    ),
    "corrupt_chunk": (
        f"{HTTPX}.RemoteProtocolError",
        None,
        None,
        f"{HTTPCORE}.RemoteProtocolError",
        1,
        MIDDLE_S,
    ),
    "reset_midway": (f"{HTTPX}.ReadError", None, None, f"{HTTPCORE}.ReadError", 1, MIDDLE_S),
    "corrupt_gzip": (f"{HTTPX}.DecodingError", None, None, "zlib.error", 1, 2.0),
    # What is no stream of events is an empty one to the SDK, whose helper then has no message to give.
    "error_body": ("AssertionError", None, None, None, 1, 1.0),
    "html_error": ("anthropic.InternalServerError", 502, None, None, 3, THREE_REFUSALS_S),
    "overloaded": (
        *OVERLOADED,
        None,
        3,
        THREE_REFUSALS_S,
    ),
}


@pytest.mark.parametrize("fault", ANTHROPIC_STREAM)
def test_anthropic_stream(bench: Any, fault: str) -> None:
    heard: list[str] = []
    bench.sim.fault(fault)
    assert bench.failure(claude_stream, heard) == ANTHROPIC_STREAM[fault]
    assert {attempt[0] for attempt in bench.attempts} == {"error"}
    began = fault in {"error_event", "truncated_json", "corrupt_chunk", "reset_midway"}
    assert bool(heard) is began
    assert bench.reply.startswith("".join(heard))
    assert "".join(heard) != bench.reply


def test_messages_of_what_httpx2_raises_in_a_stream(bench: Any) -> None:
    bench.sim.fault("truncated_json")
    bench.failure(claude_stream, [])
    assert str(bench.run.error) == (
        "peer closed connection without sending complete message body (incomplete chunked read)"
    )


def test_event_that_is_no_json_ends_the_stream_by_the_client(bench: Any) -> None:
    heard: list[str] = []
    bench.sim.fault("invalid_json")
    failed = bench.failure(claude_stream, heard)
    assert failed[:5] == ("json.decoder.JSONDecodeError", None, None, None, 1)
    assert 1.0 < failed.end_s < 2.0
    assert bench.attempts == [("cancelled", "", 0.0, failed.end_s)]


def test_stream_that_ends_early_as_if_complete_is_no_error(bench: Any) -> None:
    heard: list[str] = []
    bench.sim.fault("cut_stream")
    run = bench.sim.run(claude_stream, heard)
    assert run.output.stop_reason is None
    assert bench.reply.startswith("".join(heard))
    assert "".join(heard) != bench.reply
    assert bench.attempts == [("ok", "", 0.0, MIDDLE_S)]


def test_silence_in_a_stream_is_a_bare_read_timeout(bench: Any) -> None:
    heard: list[str] = []
    bench.sim.fault("stall", after=0.0)
    failed = bench.failure(claude_stream, heard)
    last_s = failed.end_s - 600
    assert failed[:5] == (f"{HTTPX}.ReadTimeout", None, None, f"{HTTPCORE}.ReadTimeout", 1)
    assert last_s == 1.0  # nothing comes after the first token
    assert bench.attempts == [("cancelled", "", 0.0, 601.0)]


@pytest.mark.parametrize(
    ("program", "error"),
    [(claude, "anthropic.APITimeoutError"), (gpt, "openai.APITimeoutError")],
    ids=["anthropic", "openai"],
)
def test_stalled_answer_in_one_piece_is_a_timeout_that_is_tried_again(
    bench: Any, program: Any, error: str
) -> None:
    bench.sim.fault("stall")
    end_s = list(accumulate([600.0, 0.5, 600.0, 1.0, 600.0]))[-1]
    assert bench.failure(program) == (error, None, None, f"{HTTPX}.ReadTimeout", 3, end_s)


def test_pause_delays_what_comes_after_it(bench: Any) -> None:
    heard: list[str] = []
    bench.sim.fault("stall", for_s=30)
    assert bench.sim.run(claude).latency_s == 2.0 + 30
    bench.sim.run(claude_stream, heard)
    assert "".join(heard) == bench.reply
    assert bench.run.latency_s == 2.0 + 30


@since("openai", 2, "waits for the end of a stream")
def test_pause_at_the_last_share_keeps_only_the_end_back(bench: Any) -> None:
    """OpenAI's SDK has all it needs with `[DONE]`, and hangs up on an end that does not come within 0.1 s."""
    bench.sim.fault("stall", after=1.0)
    heard: list[str] = []
    run = bench.sim.run(gpt_stream, heard)
    assert "".join(heard) == bench.reply
    assert run.latency_s == 2.0 + 0.1
    assert bench.attempts == [("cancelled", "", 0.0, 2.1)]


@STREAMS
def test_dripping_stream_comes_whole_and_late(bench: Any, program: Any) -> None:
    heard: list[str] = []
    bench.sim.fault("drip", for_s=10)
    run = bench.sim.run(program, heard)
    assert "".join(heard) == bench.reply
    assert run.latency_s == 2.0 + 10


def test_dripping_answer_comes_whole_and_late(bench: Any) -> None:
    bench.sim.fault("drip", for_s=10)
    run = bench.sim.run(claude)
    assert (run.output, run.latency_s) == (bench.reply, 2.0 + 10)


def test_drip_does_not_meet_a_timeout_that_counts_from_the_last_byte(bench: Any) -> None:
    async def impatient() -> str:
        client = anthropic.AsyncAnthropic(timeout=5, max_retries=0)
        message = await client.messages.create(model=SONNET, max_tokens=100, messages=MESSAGES)
        return message.content[0].text  # type: ignore[union-attr]

    bench.sim.fault("drip", for_s=60)
    run = bench.sim.run(impatient)
    assert (run.output, run.latency_s) == (bench.reply, 62.0)


def test_truncated_reply_is_a_shorter_one(bench: Any) -> None:
    bench.sim.fault("truncated")
    run = bench.sim.run(claude)
    assert run.output == bench.reply[: len(bench.reply) // 2]


TOOL: Any = {"name": "look", "description": "", "input_schema": {"type": "object"}}


@pytest.mark.parametrize("fault", [None, "duplicate_tool_ids"])
def test_duplicate_tool_ids(fault: str | None) -> None:
    async def ask() -> list[str]:
        client = anthropic.AsyncAnthropic()
        message = await client.messages.create(
            model="claude-haiku-4-5", max_tokens=100, messages=MESSAGES, tools=[TOOL]
        )
        assert message.stop_reason == "tool_use"
        return [block.id for block in message.content if block.type == "tool_use"]

    async def ask_with_stream() -> list[str]:
        client = anthropic.AsyncAnthropic()
        async with client.messages.stream(
            model="claude-haiku-4-5", max_tokens=100, messages=MESSAGES, tools=[TOOL]
        ) as stream:
            message = await stream.get_final_message()
        return [block.id for block in message.content if block.type == "tool_use"]

    sim = Sim(1)
    sim.agent("agent", tool_calls=[("look", {"at": 1}), ("look", {"at": 2})])
    if fault is not None:
        sim.fault(fault)
    for program in (ask, ask_with_stream):
        first, second = sim.run(program).output
        assert (first == second) is (fault is not None)
        assert first.startswith("toolu_")


# -- where OpenAI's SDK differs ---------------------------------------------------------------------------------------

OPENAI_STREAM = {
    "error_event": ("openai.APIError", None, "server_error", None, 1, MIDDLE_S),
    "truncated_json": (
        "openai.APIConnectionError",
        None,
        None,
        f"{HTTPX}.RemoteProtocolError",
        1,
        MIDDLE_S,
    ),
    "corrupt_chunk": (
        "openai.APIConnectionError",
        None,
        None,
        f"{HTTPX}.RemoteProtocolError",
        1,
        MIDDLE_S,
    ),
    "reset_midway": (
        "openai.APIConnectionError",
        None,
        None,
        f"{HTTPX}.ReadError",
        1,
        MIDDLE_S,
    ),
    "corrupt_gzip": (
        "openai.APIConnectionError",
        None,
        None,
        f"{HTTPX}.DecodingError",
        1,
        2.0,
    ),
    "html_error": ("openai.InternalServerError", 502, None, None, 3, THREE_REFUSALS_S),
    "overloaded": (
        "openai.InternalServerError",
        503,
        "server_error",
        None,
        3,
        THREE_REFUSALS_S,
    ),
}


WRAPS = since("openai", 2, "does not wrap what the HTTP client raises in a stream")


@OPENAI_STREAMS
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, marks=WRAPS if error == "openai.APIConnectionError" else ())
        for fault, (error, *_) in OPENAI_STREAM.items()
    ],
)
def test_openai_stream(bench: Any, program: Any, fault: str) -> None:
    heard: list[str] = []
    bench.sim.fault(fault)
    assert bench.failure(program, heard) == OPENAI_STREAM[fault]
    assert bench.reply.startswith("".join(heard))
    assert "".join(heard) != bench.reply


@WRAPS
@OPENAI_STREAMS
def test_silence_in_an_openai_stream_is_a_timeout_of_the_sdk(bench: Any, program: Any) -> None:
    bench.sim.fault("stall", after=0.0)
    failed = bench.failure(program, [])
    assert failed == ("openai.APITimeoutError", None, None, f"{HTTPX}.ReadTimeout", 1, 601.0)


@OPENAI_STREAMS
def test_openai_stream_without_its_terminator_is_no_error(bench: Any, program: Any) -> None:
    heard: list[str] = []
    bench.sim.fault("cut_stream", after=0.99)
    bench.sim.run(program, heard)
    assert heard
    assert bench.attempts[0][:3] == ("ok", "", 0.0)


@OPENAI_STREAMS
def test_openai_stream_that_is_the_body_of_an_error_is_an_empty_one(
    bench: Any, program: Any
) -> None:
    heard: list[str] = []
    bench.sim.fault("error_body")
    bench.sim.run(program, heard)
    assert heard == []
    assert bench.attempts == [("error", "error_body", 0.0, 1.0)]


def test_status_of_a_refusal_in_spans_is_the_one_that_was_sent(bench: Any) -> None:
    """OpenAI says overloaded with 503, Anthropic with 529; a proxy's page has a status of its own."""
    bench.sim.fault("overloaded", until_s=2)
    bench.sim.fault("html_error", from_s=2)

    async def each() -> None:
        for sdk, program in ((anthropic, claude), (openai, gpt), (openai, gpt)):
            client_error: Any = sdk.APIStatusError
            with pytest.raises(client_error):
                await program()

    run = bench.sim.run(each)
    attempts = [span for call in run.calls() for span in call.attempts]
    assert [(span.error, span.http_status) for span in attempts] == [
        *[("overloaded_error", 529)] * 3,
        ("overloaded_error", 503),
        *[("api_error", 502)] * 5,
    ]

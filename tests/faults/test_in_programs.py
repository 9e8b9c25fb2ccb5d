"""Faults in a program with the real SDKs: which error it gets, what it reads, what it pays."""

from __future__ import annotations

import asyncio
import datetime
import json
import time  # noqa: TID251 - the clock that a program reads
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest

from harness.errors import HarnessError
from harness.models import ToolCall
from harness.sim.sim import Sim
from harness.spans import OK

STATUSES = {
    400: ("BadRequestError", "BadRequestError", "invalid_request_error"),
    401: ("AuthenticationError", "AuthenticationError", "authentication_error"),
    403: ("PermissionDeniedError", "PermissionDeniedError", "permission_error"),
    404: ("NotFoundError", "NotFoundError", "not_found_error"),
    413: ("RequestTooLargeError", "APIStatusError", "request_too_large"),
    429: ("RateLimitError", "RateLimitError", "rate_limit_error"),
    500: ("InternalServerError", "InternalServerError", "api_error"),
    502: ("InternalServerError", "InternalServerError", "api_error"),
    503: ("ServiceUnavailableError", "InternalServerError", "api_error"),
    504: ("DeadlineExceededError", "InternalServerError", "timeout_error"),
    529: ("OverloadedError", "InternalServerError", "overloaded_error"),
}
"""The classes of Anthropic's and of OpenAI's SDK, and Anthropic's error type."""

TOOL: Any = {
    "name": "look",
    "description": "",
    "input_schema": {
        "type": "object",
        "properties": {"at": {"type": "string"}},
        "required": ["at"],
    },
}


async def ask_anthropic(times: int = 1, **more: Any) -> Any:  # noqa: ANN401 - the SDK's
    client = anthropic.AsyncAnthropic(api_key="x", max_retries=0)
    message: Any = None
    for _ in range(times):
        message = await client.messages.create(
            model="claude-haiku-4-5",
            max_tokens=2000,
            messages=[{"role": "user", "content": "hello"}],
            **more,
        )
    return message


async def ask_openai() -> Any:  # noqa: ANN401 - the SDK's
    client = openai.AsyncOpenAI(api_key="x", max_retries=0)
    return await client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "hello"}]
    )


def simulated(name: str, reply: Any = "It is all well.", **fields: Any) -> Sim:  # noqa: ANN401
    sim = Sim()
    sim.agent("a", reply=reply, latency_s=1.0)
    sim.fault(name, **fields)
    return sim


@pytest.mark.parametrize("status", STATUSES)
def test_status_is_the_error_of_each_sdk_with_the_body_of_its_api(status: int) -> None:
    of_anthropic, of_openai, kind = STATUSES[status]
    sim = simulated("status", status=status)
    with pytest.raises(anthropic.APIStatusError) as caught:
        sim.run(ask_anthropic)
    known = getattr(anthropic, of_anthropic, anthropic.InternalServerError)
    assert isinstance(caught.value, known), type(caught.value)
    assert caught.value.status_code == status
    body: Any = caught.value.body
    assert body["error"]["type"] == kind
    sim = simulated("status", status=status)
    with pytest.raises(openai.APIStatusError) as told:
        sim.run(ask_openai)
    assert type(told.value).__name__ == of_openai
    assert told.value.status_code == (503 if status == 529 else status)
    body = told.value.body
    assert set(body) == {"message", "type", "param", "code"}
    sim.check()


@pytest.mark.parametrize(
    ("ask", "kind"),
    [(ask_anthropic, anthropic.APITimeoutError), (ask_openai, openai.APITimeoutError)],
)
def test_connection_that_times_out_is_a_timeout_after_the_connect_timeout(
    ask: Callable[[], Any], kind: type[Exception]
) -> None:
    sim = simulated("connect_timeout")
    with pytest.raises(kind):
        sim.run(ask)
    assert sim.last_run.latency_s == 5.0


def test_first_token_that_comes_late_delays_the_whole() -> None:
    assert simulated("slow_first_token", by_s=4).run(ask_anthropic).latency_s == 5.0


def test_reply_without_content_says_nothing() -> None:
    message = simulated("empty").run(ask_anthropic).output
    assert [part.text for part in message.content if part.text] == []


def test_refusal_is_told_by_the_stop_reason() -> None:
    assert simulated("refusal").run(ask_anthropic).output.stop_reason == "refusal"


def test_oversized_reply_is_cut_by_max_tokens_and_paid_for() -> None:
    message = simulated("oversized", reply="word " * 1000, factor=10).run(ask_anthropic).output
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 2000)


def test_json_is_malformed_or_of_another_type() -> None:
    said = json.dumps({"n": 1})
    malformed = simulated("malformed_json", reply=said).run(ask_anthropic).output.content[0].text
    with pytest.raises(json.JSONDecodeError):
        json.loads(malformed)
    other = simulated("schema_violation", reply=said).run(ask_anthropic).output.content[0].text
    assert json.loads(other) == [{"n": 1}]


@pytest.mark.parametrize(
    ("fault", "called"),
    [
        ("unknown_tool", ("no_such_tool", {"at": "it"})),
        ("bad_arguments", ("look", {"unexpected": True})),
    ],
)
def test_tool_call_does_not_fit_the_tools(fault: str, called: tuple[str, object]) -> None:
    sim = simulated(fault, reply=ToolCall("look", {"at": "it"}))
    (part,) = sim.run(ask_anthropic, tools=[TOOL]).output.content
    assert (part.name, part.input) == called


def test_cost_spike_shows_in_the_bill() -> None:
    plain = Sim()
    plain.agent("a", reply="It is all well.", latency_s=1.0)
    cost_usd = plain.run(ask_anthropic).cost_usd
    assert simulated("cost_spike", factor=4).run(ask_anthropic).cost_usd == 4 * cost_usd


def test_agent_that_crashed_finds_no_connection_until_it_is_restarted() -> None:
    sim = simulated("crash", agent="a", call=1, restart_after_s=10)

    async def program() -> list[str]:
        seen = []
        for _ in range(3):
            try:
                seen.append((await ask_anthropic()).content[0].text)
            except anthropic.APIConnectionError:
                seen.append("no connection")
            await asyncio.sleep(6)
        return seen

    assert sim.run(program).output == ["no connection", "no connection", "It is all well."]
    sim.check()


@pytest.mark.parametrize("stream", [False, True])
def test_crash_in_the_middle_of_a_call_resets_its_connection(stream: bool) -> None:
    sim = simulated("crash", agent="a", call=1, after_s=0.4, restart_after_s=1)

    async def program() -> float:
        client = anthropic.AsyncAnthropic(api_key="x", max_retries=0)
        words: list[anthropic.types.MessageParam] = [{"role": "user", "content": "hello"}]
        with pytest.raises(anthropic.APIConnectionError):
            await client.messages.create(
                model="claude-haiku-4-5", max_tokens=10, messages=words, stream=stream
            )
        failed_s = time.monotonic()
        await asyncio.sleep(1)
        await ask_anthropic()
        return failed_s

    run = sim.run(program)
    assert run.output == 0.4
    first, last = (call.attempts[0] for call in run.calls("a"))
    assert (first.fault, first.error, last.status) == ("crash", "connection_error", OK)
    sim.check()


def test_crash_takes_all_calls_with_it_that_its_machine_was_answering() -> None:
    sim = Sim()
    for name in ("a", "b", "c"):
        sim.agent(name, system=f"You are {name}.", reply="It is all well.", latency_s=2.0)
    sim.fault("crash", agents=["a", "b"], call=1, after_s=1.5)

    async def ask(who: str, begins_s: float) -> tuple[str, float]:
        await asyncio.sleep(begins_s)
        try:
            await ask_anthropic(system=f"You are {who}.")
        except anthropic.APIConnectionError:
            return "no connection", time.monotonic()
        return "answered", time.monotonic()

    async def program() -> list[tuple[str, float]]:
        return list(await asyncio.gather(ask("a", 0), ask("b", 1), ask("c", 1), ask("b", 2)))

    assert sim.run(program).output == [
        ("no connection", 1.5), ("no connection", 1.5), ("answered", 3.0), ("no connection", 2.05),
    ]  # fmt: skip


def test_agent_that_crashes_after_its_reply_has_given_it() -> None:
    sim = simulated("crash", agent="a", call=1, after_s=1.5)

    async def program() -> list[str]:
        seen = [(await ask_anthropic()).content[0].text]
        await asyncio.sleep(1)
        with pytest.raises(anthropic.APIConnectionError):
            await ask_anthropic()
        return seen

    assert sim.run(program).output == ["It is all well."]


def test_window_that_begins_during_a_call_ends_it() -> None:
    sim = simulated("down", agents=["a"], from_s=0.3, until_s=5)

    async def program() -> float:
        with pytest.raises(anthropic.APIConnectionError):
            await ask_anthropic()
        return time.monotonic()

    run = sim.run(program)
    assert run.output == 0.3
    (call,) = run.calls("a")
    assert call.attempts[0].fault == "down"
    sim.check()


def test_retry_of_an_sdk_outlasts_a_crash() -> None:
    sim = simulated("crash", agent="a", call=1, restart_after_s=0.2)

    async def program() -> object:
        client = anthropic.AsyncAnthropic(api_key="x", max_retries=2)
        return await client.messages.create(
            model="claude-haiku-4-5", max_tokens=10, messages=[{"role": "user", "content": "hello"}]
        )

    run = sim.run(program)
    assert (run.attempts, run.error) == (2, None)


def test_agents_of_a_machine_are_down_in_its_window() -> None:
    sim = simulated("down", agents=["a", "b"], until_s=0.5)
    with pytest.raises(anthropic.APIConnectionError):
        sim.run(ask_anthropic)
    sim = simulated("down", agents=["b"], allow_unmet=True)
    assert sim.run(ask_anthropic).latency_s == 1.0


def test_starved_attempt_is_served_last() -> None:
    sim = Sim()
    sim.provider("anthropic", concurrency=1)
    sim.agent("a", reply="It is all well.", latency_s=1.0)
    sim.fault("starved", call=2)
    ends: list[tuple[int, float]] = []

    async def one(number: int) -> None:
        await ask_anthropic()
        ends.append((number, time.monotonic()))

    async def program() -> None:
        await asyncio.gather(*map(one, range(1, 5)))

    sim.run(program)
    assert ends == [(1, 1.0), (3, 2.0), (4, 3.0), (2, 4.0)]


def test_provider_is_slower_the_more_it_is_asked() -> None:
    sim = Sim()
    sim.provider("anthropic", latency={"ttft_s": 1.0, "itl_s": 0.01}, load=[(1, 1.0), (3, 2.0)])
    sim.agent("a", reply="It is all well.", output_tokens=100)

    async def program() -> None:
        await asyncio.gather(*(ask_anthropic() for _ in range(3)))

    assert sim.run(program).latency_s == 3.0


def test_clock_of_an_agent_is_ahead_and_timers_are_not() -> None:
    sim = simulated("clock_skew", agent="a", by_s=300)

    async def program() -> tuple[float, float, float, float]:
        before, monotonic = time.time(), time.monotonic()
        with sim.agent_scope("a"):
            await ask_anthropic()
            now = datetime.datetime.now(datetime.UTC).timestamp()  # noqa: TID251 - as a program does
            return time.time() - before, time.monotonic() - monotonic, now - before, before

    inside, elapsed, told, _ = sim.run(program).output
    assert (inside, elapsed, told) == (301.0, 1.0, 301.0)
    sim.check()


def test_fault_of_a_pattern_is_refused_where_a_program_is_described() -> None:
    with pytest.raises(HarnessError, match="'message_lost' meets a message of a pattern"):
        Sim().fault("message_lost")


def test_faults_of_agents_know_the_task_and_its_customer() -> None:
    sim = simulated("overloaded", task=2, allow_unmet=True)
    assert sim.run(ask_anthropic).latency_s == 1.0
    with pytest.raises(anthropic.APIStatusError):
        simulated("overloaded", task=1).run(ask_anthropic)

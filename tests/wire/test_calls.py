"""What the server makes of the requests that reach it: calls with their attempts, tools, and what belongs to what."""

# ruff: noqa: ANN401 - the fixture of another file
from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from harness.errors import HarnessError
from harness.models import ToolCall
from harness.provider.service import REFUSAL_S
from harness.sim import ProgramRun, Sim

MODEL = "claude-sonnet-5"
TOOLS: Any = [
    {"name": name, "description": "", "input_schema": {"type": "object"}}
    for name in ("look", "add")
]


async def ask(client: Any, text: str = "hi", **more: Any) -> Any:
    return await client.messages.create(
        model=MODEL, max_tokens=100, messages=[{"role": "user", "content": text}], **more
    )


def attempts_of(run: ProgramRun) -> list[int]:
    return [len(call.attempts) for call in run.calls()]


def tree(run: ProgramRun, *kinds: str) -> list[tuple[str, str]]:
    """Each span of some kinds by its name, with the name of its parent."""
    names: dict[int, str] = {}
    found = []
    for span_id, parent_id, kind, name, ordinal in run.spans_table.rows(
        "span_id", "parent_id", "kind", "name", "ordinal"
    ):
        names[span_id] = f"{kind} {name}" + (f" {ordinal}" if kind == "call" else "")
        found.append((span_id, parent_id, kind))
    return [
        (names[span_id], names[parent_id])
        for span_id, parent_id, kind in sorted(found)
        if kind in kinds
    ]


# -- attempts of one call ---------------------------------------------------------------------------------------------


async def test_retries_of_the_sdk_are_attempts_of_one_call(sim: Sim, bench: Any) -> None:
    sim.fault("overloaded", attempt=1)
    sim.fault("status", status=429, retry_after_s=7, attempt=2)
    await ask(anthropic.AsyncAnthropic())
    (call,) = sim.so_far().calls()
    assert (call.status, call.error, call.start_s) == ("ok", "", 0.0)
    assert [span.ordinal for span in call.attempts] == [1, 2, 3]
    assert [span.error for span in call.attempts] == ["overloaded_error", "rate_limit_error", ""]
    assert call.end_s == call.attempts[-1].end_s == sim.so_far().latency_s


@pytest.mark.parametrize("unlucky", [(1,), (2,), (3,), (1, 3), (1, 2, 3)])
@pytest.mark.parametrize("by_aiohttp", [False, True], ids=["httpx2", "aiohttp"])
def test_identical_calls_at_the_same_time_keep_their_own_retries(
    bench: Any, unlucky: tuple[int, ...], *, by_aiohttp: bool
) -> None:
    """A committee: three are asked the very same thing, and some of them meet a 529."""
    for call in unlucky:
        bench.sim.fault("overloaded", call=call, attempt=1)

    async def committee() -> list[Any]:
        http: Any = anthropic.DefaultAioHttpClient() if by_aiohttp else None
        async with anthropic.AsyncAnthropic(http_client=http) as client:
            return await asyncio.gather(*(ask(client) for _ in range(3)))

    run = bench.sim.run(committee)
    assert attempts_of(run) == [2 if call in unlucky else 1 for call in (1, 2, 3)]
    late_s = REFUSAL_S + 0.5 + 2.0
    assert [call.latency_s for call in run.calls()] == [
        late_s if call in unlucky else 2.0 for call in (1, 2, 3)
    ]


async def test_same_words_after_an_answer_are_a_new_call(sim: Sim, bench: Any) -> None:
    client = anthropic.AsyncAnthropic()
    await ask(client)
    await ask(client)
    assert attempts_of(sim.so_far()) == [1, 1]


async def test_retry_that_the_program_makes_itself_is_a_call_of_its_own(
    sim: Sim, bench: Any
) -> None:
    sim.fault("overloaded", call=1)
    client = anthropic.AsyncAnthropic(max_retries=0)
    with suppress(anthropic.OverloadedError):
        await ask(client)
    await asyncio.sleep(60)
    await asyncio.wait_for(ask(client), 30)
    assert [call.status for call in sim.so_far().calls()][1:] == ["ok"]
    assert attempts_of(sim.so_far()) == [1, 1]


async def test_repetition_by_a_client_that_says_nothing_of_retries_is_one(
    sim: Sim, bench: Any
) -> None:
    sim.fault("overloaded", attempt=1)
    body = {
        "model": "claude-sonnet-5",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}],
    }
    headers = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
    async with httpx2.AsyncClient(timeout=60) as client:
        status = 0
        for _ in range(2):
            posting = client.post(
                "https://api.anthropic.com/v1/messages", json=body, headers=headers
            )
            status = (await asyncio.wait_for(posting, 50)).status_code
    assert status == 200
    assert attempts_of(sim.so_far()) == [2]


async def test_other_task_that_asks_the_same_makes_a_call_of_its_own(sim: Sim, bench: Any) -> None:
    sim.fault("status", status=400, call=1)
    client = anthropic.AsyncAnthropic()
    with suppress(anthropic.BadRequestError):
        await ask(client)
    await asyncio.create_task(ask(client))
    assert [call.status for call in sim.so_far().calls()][1:] == ["ok"]
    assert attempts_of(sim.so_far()) == [1, 1]


def test_call_that_is_given_up_ends_with_its_last_attempt(bench: Any) -> None:
    async def program() -> None:
        client = anthropic.AsyncAnthropic(max_retries=1)
        with suppress(anthropic.OverloadedError):
            await ask(client)
        await asyncio.sleep(100)

    bench.sim.fault("overloaded")
    run = bench.sim.run(program)
    (call,) = run.calls()
    assert (call.status, call.error) == ("error", "overloaded_error")
    assert call.end_s == call.attempts[1].end_s < 1.0
    assert run.latency_s > 100


def test_retries_of_a_blocking_program_are_grouped_too(bench: Any) -> None:
    def program() -> None:
        client = anthropic.Anthropic()
        for _ in range(2):
            client.messages.create(
                model=MODEL, max_tokens=100, messages=[{"role": "user", "content": "hi"}]
            )

    bench.sim.fault("overloaded", attempt=1)
    assert attempts_of(bench.sim.run(program)) == [2, 2]


def test_retry_says_what_the_first_try_would_have_said() -> None:
    sim = Sim(1)
    sim.agent("agent", reply=["one", "two"])
    sim.fault("truncated_json", attempt=1)

    async def program() -> list[str]:
        client = anthropic.AsyncAnthropic()
        return [(await ask(client)).content[0].text for _ in range(2)]

    assert sim.run(program).output == ["one", "two"]


def test_rejected_request_is_no_call(bench: Any) -> None:
    async def program() -> None:
        client = anthropic.AsyncAnthropic()
        with pytest.raises(anthropic.BadRequestError):
            await client.messages.create(model=MODEL, max_tokens=100, messages=[])
        await ask(client)

    run = bench.sim.run(program)
    assert (run.calls(), run.latency_s) == (1, REFUSAL_S + 2.0)


# -- tools ------------------------------------------------------------------------------------------------------------


async def use_tools(client: Any, *, fail: bool = False, again: bool = False) -> None:
    """One turn with tools: ask, work for three seconds, bring the results."""
    messages: list[Any] = [{"role": "user", "content": "go"}]
    said = await client.messages.create(model=MODEL, max_tokens=500, messages=messages, tools=TOOLS)
    await asyncio.sleep(3)
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": "done", "is_error": fail}
        for block in said.content
        if block.type == "tool_use"
    ]
    messages += [
        {"role": "assistant", "content": said.content},
        {"role": "user", "content": results},
    ]
    last = await client.messages.create(model=MODEL, max_tokens=500, messages=messages, tools=TOOLS)
    if again:
        messages += [
            {"role": "assistant", "content": last.content},
            {"role": "user", "content": "and now?"},
        ]
        await client.messages.create(model=MODEL, max_tokens=500, messages=messages, tools=TOOLS)


def tools_of(run: ProgramRun) -> list[tuple[Any, ...]]:
    columns = ("kind", "name", "agent", "arrival_s", "end_s", "status")
    return [row[1:] for row in run.spans_table.rows(*columns) if row[0] == "tool"]


def tool_user(*tools: str) -> Sim:
    sim = Sim(1)
    sim.agent("clerk", tool_calls=[(tool, {}) for tool in tools], reply="so", latency_s=1.0)
    return sim


def test_work_of_a_tool_lies_between_the_wish_and_the_result() -> None:
    run = tool_user("look").run(use_tools(anthropic.AsyncAnthropic(api_key="key")))
    assert tools_of(run) == [("look", "clerk", 1.0, 4.0, "ok")]
    assert [(call.start_s, call.end_s) for call in run.calls()] == [(0.0, 1.0), (4.0, 5.0)]
    assert tree(run, "tool") == [("tool look", "task program")]


def test_tools_that_are_wished_for_together_have_a_span_each() -> None:
    run = tool_user("look", "add", "look").run(use_tools(anthropic.AsyncAnthropic(api_key="key")))
    assert sorted(tools_of(run)) == [
        ("add", "clerk", 1.0, 4.0, "ok"),
        ("look", "clerk", 1.0, 4.0, "ok"),
        ("look", "clerk", 1.0, 4.0, "ok"),
    ]


def test_tool_that_failed_is_an_error() -> None:
    client = anthropic.AsyncAnthropic(api_key="key")
    run = tool_user("look").run(use_tools(client, fail=True))
    assert tools_of(run) == [("look", "clerk", 1.0, 4.0, "error")]


def test_results_that_stay_in_the_conversation_are_not_counted_again() -> None:
    sim = Sim(1)
    sim.agent("clerk", reply=[ToolCall("look", {}), "so", "done"], latency_s=1.0)
    run = sim.run(use_tools(anthropic.AsyncAnthropic(api_key="key"), again=True))
    assert run.calls() == 3
    assert [name for name, *_ in tools_of(run)] == ["look"]


def test_retry_of_the_call_that_brings_results_counts_them_once() -> None:
    sim = tool_user("look")
    sim.fault("overloaded", call=2, attempt=1)
    run = sim.run(use_tools(anthropic.AsyncAnthropic(api_key="key")))
    assert (attempts_of(run), len(tools_of(run))) == ([1, 2], 1)


def test_work_of_a_tool_at_openai() -> None:
    async def program() -> None:
        client = openai.AsyncOpenAI()
        tools: Any = [
            {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
        ]
        messages: list[Any] = [{"role": "user", "content": "go"}]
        said = await client.chat.completions.create(model="gpt-5.5", messages=messages, tools=tools)
        message = said.choices[0].message
        assert message.tool_calls
        assert json.loads(message.tool_calls[0].function.arguments) == {}  # type: ignore[union-attr]
        await asyncio.sleep(3)
        messages += [
            message,
            {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "done"},
        ]
        await client.chat.completions.create(model="gpt-5.5", messages=messages, tools=tools)

    assert tools_of(tool_user("look").run(program)) == [("look", "clerk", 1.0, 4.0, "ok")]


# -- what belongs to what ---------------------------------------------------------------------------------------------


@pytest.mark.sim(allow_unmatched=True)
def test_scope_is_a_turn_of_the_agent_and_holds_its_calls(bench: Any) -> None:
    async def program() -> None:
        client = anthropic.AsyncAnthropic()
        await ask(client, "first")
        with bench.sim.agent_scope("writer"):
            await ask(client, "second")
            await ask(client, "third")

    run = bench.sim.run(program)
    assert tree(run, "agent", "call") == [
        ("call agent 1", "task program"),
        ("agent writer", "task program"),
        ("call writer 1", "agent writer"),
        ("call writer 2", "agent writer"),
    ]
    assert run.agents == ["agent", "writer"]


def start_gather(client: Any) -> Any:
    return asyncio.gather(ask(client, "a"), ask(client, "b"))


async def start_task(client: Any) -> None:
    one, two = asyncio.create_task(ask(client, "a")), asyncio.create_task(ask(client, "b"))
    await one
    await two


async def start_group(client: Any) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(ask(client, "a"))
        group.create_task(ask(client, "b"))


async def start_timeout(client: Any) -> None:
    await asyncio.wait_for(ask(client, "a"), 60)
    await asyncio.shield(ask(client, "b"))


@pytest.mark.sim(allow_unmatched=True)
@pytest.mark.parametrize("start", [start_gather, start_task, start_group, start_timeout])
def test_scope_follows_the_tasks_that_are_begun_in_it(bench: Any, start: Any) -> None:
    async def program() -> None:
        client = anthropic.AsyncAnthropic()
        with bench.sim.agent_scope("lead"):
            await start(client)

    assert tree(bench.sim.run(program), "call") == [
        ("call lead 1", "agent lead"),
        ("call lead 2", "agent lead"),
    ]


@pytest.mark.sim(allow_unmatched=True)
def test_scopes_nest(bench: Any) -> None:
    async def program() -> None:
        client = anthropic.AsyncAnthropic()
        with bench.sim.agent_scope("lead"):
            with bench.sim.agent_scope("worker"):
                await ask(client)
            await ask(client)
        await ask(client)

    assert tree(bench.sim.run(program), "agent", "call") == [
        ("agent lead", "task program"),
        ("agent worker", "agent lead"),
        ("call worker 1", "agent worker"),
        ("call lead 1", "agent lead"),
        ("call agent 1", "task program"),
    ]


@pytest.mark.sim(allow_unmatched=True)
def test_scopes_of_concurrent_tasks_do_not_mix(bench: Any) -> None:
    async def work(client: Any, name: str, pause_s: float) -> None:
        with bench.sim.agent_scope(name):
            await asyncio.sleep(pause_s)
            await ask(client, f"I am {name}")
            await asyncio.sleep(pause_s)
            await ask(client, f"I am still {name}")

    async def program() -> None:
        client = anthropic.AsyncAnthropic()
        await asyncio.gather(*(work(client, name, n / 10) for n, name in enumerate("abc", 1)))
        await ask(client)

    run = bench.sim.run(program)
    for name in "abc":
        assert [call.prompt for call in run.calls(name)] == [f"I am {name}", f"I am still {name}"]
    assert run.calls("agent") == 1


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError, "error"), (asyncio.CancelledError, "cancelled")]
)
def test_scope_ends_as_its_block_does(bench: Any, error: type[BaseException], status: str) -> None:
    async def program() -> None:
        with suppress(error), bench.sim.agent_scope("lead"):
            await asyncio.sleep(5)
            raise error
        await ask(anthropic.AsyncAnthropic())

    run = bench.sim.run(program)
    columns = ("kind", "arrival_s", "end_s", "status")
    assert [row for row in run.spans_table.rows(*columns) if row[0] == "agent"] == [
        ("agent", 0.0, 5.0, status)
    ]


def test_scope_outside_of_a_run_is_refused() -> None:
    with pytest.raises(HarnessError, match="there is no run"):
        Sim(1).agent_scope("lead")


@pytest.mark.sim(allow_unmatched=True)
@pytest.mark.parametrize("by_aiohttp", [False, True], ids=["httpx2", "aiohttp"])
def test_scope_reaches_the_server_by_every_client(bench: Any, *, by_aiohttp: bool) -> None:
    async def program() -> None:
        http: Any = anthropic.DefaultAioHttpClient() if by_aiohttp else None
        async with anthropic.AsyncAnthropic(http_client=http) as client:
            with bench.sim.agent_scope("lead"):
                await ask(client)
            with bench.sim.agent_scope("worker"):
                await ask(client)  # over the same connection
            await ask(client)

    assert bench.sim.run(program).agents == ["lead", "worker", "agent"]

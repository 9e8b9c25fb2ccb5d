"""Programs whose calls only repeat what was asked and answered before are stopped, and the repeating calls are named."""

from __future__ import annotations

import asyncio
import contextlib
import time  # noqa: TID251 - as the programs under test do
from collections.abc import Callable
from typing import Any

import pytest

from harness.errors import NoProgress
from harness.kernel.kernel import DEFAULT_REPEATS_PER_TASK
from harness.models import ToolCall
from harness.sim import Sim
from harness.wire.progress import Progress

anthropic = pytest.importorskip("anthropic")

RESULT = {"type": "tool_result", "content": "no such file"}


def team(**bounds: Any) -> Sim:  # noqa: ANN401 - of `Sim`
    sim = Sim(1, **bounds)
    sim.agent("writer", system="*writer*", reply="The draft of Ulm.", allow_unused=True)
    sim.agent("critic", system="*critic*", reply="Not good enough.", allow_unused=True)
    sim.agent("reader", system="*reader*", reply=ToolCall("read", {"path": "a"}), allow_unused=True)
    return sim


class Asking:
    """A client, as programs make one."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - of the SDK
        self.client = anthropic.AsyncAnthropic(**options)

    async def __call__(self, agent: str, text: str) -> str:
        message = await self.say(agent, [{"role": "user", "content": text}])
        return str(message.content[0].text)

    async def say(self, agent: str, messages: list[Any], **more: Any) -> Any:  # noqa: ANN401 - of the SDK
        return await self.client.messages.create(
            model="claude-sonnet-4-6",
            max_tokens=99,
            system=f"You are the {agent}.",
            messages=messages,
            **more,
        )


# -- planted ----------------------------------------------------------------------------------------------------------


async def critics_that_revise_for_ever() -> None:
    ask = Asking()
    text = "Write on Ulm."
    while True:
        draft = await ask("writer", text)
        text = await ask("critic", draft)


async def agents_with_mailboxes() -> None:
    ask = Asking()
    mail: dict[str, asyncio.Queue[str]] = {"writer": asyncio.Queue(), "critic": asyncio.Queue()}

    async def agent(name: str, other: str) -> None:
        while True:
            await mail[other].put(await ask(name, await mail[name].get()))

    await mail["writer"].put("Write on Ulm.")
    await asyncio.gather(agent("writer", "critic"), agent("critic", "writer"))


async def a_conversation_that_grows_by_the_same_words() -> None:
    ask = Asking()
    history: list[Any] = [{"role": "user", "content": "Write on Ulm."}]
    while True:
        for agent in ("writer", "critic"):
            said = await ask.say(agent, history)
            history += [
                {"role": "assistant", "content": said.content[0].text},
                {"role": "user", "content": "Go on."},
            ]


async def a_transcript_in_one_message() -> None:
    ask = Asking()
    said = ["Write on Ulm."]
    while True:
        for agent in ("writer", "critic"):
            said.append(f"{agent}: {await ask(agent, chr(10).join(said))}")


async def a_tool_that_always_says_the_same() -> None:
    ask = Asking()
    tools = [{"name": "read", "description": "read", "input_schema": {"type": "object"}}]
    history: list[Any] = [{"role": "user", "content": "Read a."}]
    while True:
        said = await ask.say("reader", history, tools=tools)
        used = [block for block in said.content if block.type == "tool_use"]
        history.append({"role": "assistant", "content": said.content})
        history.append({"role": "user", "content": [{**RESULT, "tool_use_id": used[0].id}]})


async def a_retry_without_an_end() -> None:
    ask = Asking(max_retries=0)
    while True:
        with contextlib.suppress(anthropic.APIError):
            await ask("writer", "Write on Paris.")
            return
        await asyncio.sleep(1)


async def an_sdk_that_retries_without_an_end() -> None:
    await Asking(max_retries=10**6)("writer", "Write on Paris.")


def a_blocking_loop() -> None:
    client = anthropic.Anthropic()
    while True:
        client.messages.create(
            model="claude-sonnet-4-6",
            max_tokens=9,
            system="You are the writer.",
            messages=[{"role": "user", "content": "Write on Ulm."}],
        )


async def a_request_that_is_always_rejected() -> None:
    ask = Asking()
    while True:
        with contextlib.suppress(anthropic.APIError):
            await ask.say("writer", [{"role": "nobody", "content": "x"}])


PING_PONG = 'writer > critic: "The draft of Ulm." -> "Not good enough."'

PLANTED: list[tuple[Callable[[], Any], str]] = [
    (critics_that_revise_for_ever, PING_PONG),
    (agents_with_mailboxes, PING_PONG),
    (a_conversation_that_grows_by_the_same_words, '> critic: "Go on." -> "Not good enough."'),
    (a_transcript_in_one_message, 'critic: "'),
    (a_tool_that_always_says_the_same, 'reader: "no such file" -> '),
    (a_retry_without_an_end, 'program > writer: "Write on Paris." -> failed: overloaded_error'),
    (an_sdk_that_retries_without_an_end, '"Write on Paris." -> failed: overloaded_error'),
    (a_blocking_loop, 'program > writer: "Write on Ulm." -> "The draft of Ulm."'),
    (a_request_that_is_always_rejected, "program > anthropic: 400 /v1/messages"),
]


@pytest.mark.parametrize(
    ("program", "named"), PLANTED, ids=[program.__name__ for program, _ in PLANTED]
)
def test_what_goes_round_is_stopped_and_named(program: Callable[[], Any], named: str) -> None:
    sim = team()
    if "retr" in program.__name__:
        sim.fault("overloaded", agent="writer")
    with pytest.raises(NoProgress) as caught:
        sim.run(program)
    assert named in str(caught.value).splitlines()[0]
    assert "raise `repeats_per_task`" in str(caught.value)
    assert len(sim.last_run.calls()) < DEFAULT_REPEATS_PER_TASK + 10
    told = [
        row for row in sim.last_run.events_table.rows("name", "detail") if row[0] == "no_progress"
    ]
    assert len(told) == 1
    assert named in told[0][1]


def test_it_is_stopped_at_once() -> None:
    # On a machine that does nothing else it takes less than half a second, most of which are the SDK's calls.
    team().run(Asking, max_retries=0)  # imports of the SDK are not the detector's
    took_s = []
    for _ in range(3):
        began_s = time.process_time()
        with pytest.raises(NoProgress):
            team().run(agents_with_mailboxes)
        took_s.append(time.process_time() - began_s)
    assert min(took_s) < 2


# -- healthy ----------------------------------------------------------------------------------------------------------


async def a_poll() -> None:
    ask = Asking()
    for _ in range(120):
        await ask("writer", "Is it done?")
        await asyncio.sleep(10)


async def a_batch_whose_answers_are_alike() -> None:
    ask = Asking()
    for number in range(200):
        await ask("writer", f"Label row {number}.")


async def a_batch_in_the_system_prompt() -> None:
    client = anthropic.AsyncAnthropic()
    for number in range(200):
        await client.messages.create(
            model="claude-sonnet-4-6",
            max_tokens=9,
            system=f"You are the writer. The document: {number}",
            messages=[{"role": "user", "content": "Go."}],
        )


async def a_vote_side_by_side() -> None:
    ask = Asking()
    await asyncio.gather(*(ask("writer", "Yes or no?") for _ in range(400)))


async def a_load_of_equal_calls() -> None:
    ask = Asking()

    async def one_after_the_other() -> None:
        for _ in range(40):
            await ask("writer", "Hello.")

    await asyncio.gather(*(one_after_the_other() for _ in range(10)))


@pytest.mark.parametrize(
    "program",
    [
        a_poll,
        a_batch_whose_answers_are_alike,
        a_batch_in_the_system_prompt,
        a_vote_side_by_side,
        a_load_of_equal_calls,
    ],
)
def test_what_only_looks_alike_is_left_alone(program: Callable[[], Any]) -> None:
    run = team().run(program)
    assert run.error is None
    assert "no_progress" not in run.events_table.texts


@pytest.mark.parametrize("path", ["a", "a{}"])
def test_simulated_tool_makes_progress_with_other_arguments_alone(path: str) -> None:
    sim = team()
    read = sim.tool("read", result="no such file")

    async def program() -> None:
        ask = Asking()
        for number in range(200):
            await read(path=path.format(number))
            await ask("writer", "The file is not there.")

    if path == "a":
        with pytest.raises(NoProgress, match="The file is not there"):
            sim.run(program)
        assert len(read.uses) < DEFAULT_REPEATS_PER_TASK + 5
    else:
        assert sim.run(program).error is None


def test_more_repeats_may_be_allowed() -> None:
    async def long_poll() -> None:
        ask = Asking()
        for _ in range(200):
            await ask("writer", "Is it done?")

    assert team(repeats_per_task=500).run(long_poll).error is None
    with pytest.raises(NoProgress):
        team(repeats_per_task=20).run(long_poll)


def noted(progress: Progress, outcomes: str, task: int = 1) -> None:
    for outcome in outcomes:
        progress.note(task, "a", outcome, lambda: b"", progress.asked(), lambda it=outcome: it)  # type: ignore[misc]


def test_something_new_begins_the_count_anew() -> None:
    progress = Progress(30)
    noted(progress, "ab" * 15 + "c" + "ab" * 14)
    assert progress.cycle(1) == ""
    noted(progress, "abab")
    assert progress.cycle(1) == "a; b"
    assert progress.cycle(2) == ""


# -- failures that end ------------------------------------------------------------------------------------------------


async def try_each_second() -> str:
    ask = Asking(max_retries=0)
    while True:
        try:
            return await ask("writer", "Write on Ulm.")
        except anthropic.APIError:
            await asyncio.sleep(1)


@pytest.mark.parametrize(
    "plan",
    [
        lambda sim: sim.provider("anthropic", outages=[{"at_s": 0, "for_s": 300}]),
        lambda sim: sim.fault("status", status=529, until_s=300),
        lambda sim: sim.fault("down", agents=["writer"], until_s=300),
        lambda sim: sim.fault("crash", agent="writer", call=1, restart_after_s=300),
    ],
)
def test_client_that_outlasts_a_failure_makes_progress(plan: Callable[[Sim], object]) -> None:
    sim = team()
    plan(sim)
    assert sim.run(try_each_second).output == "The draft of Ulm."
    assert 300 < sim.last_run.latency_s < 303


def test_failure_without_an_end_is_no_progress_after_one_that_ended() -> None:
    sim = team()
    sim.fault("status", status=529, until_s=300)
    sim.fault("status", status=500, from_s=300)
    with pytest.raises(NoProgress, match="failed: api_error"):
        sim.run(try_each_second)
    assert 300 < sim.last_run.latency_s < 500

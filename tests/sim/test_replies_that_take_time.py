"""Functions that say what an agent replies: async ones, and ones that block; what they take is time at the provider."""

# ruff: noqa: ANN401 - the fixture of another file

from __future__ import annotations

import asyncio
import sys
import threading
import time  # noqa: TID251 - what a reply blocks with
import uuid  # noqa: TID251 - what a reply draws follows from the seed
from pathlib import Path
from typing import Any

import anthropic
import pytest

from harness.errors import Deadlock, HarnessError, StubError
from harness.models import Reply, Request
from harness.sim import Sim

PROVIDER_S = 1.0


def sim_with(reply: Any, **settings: Any) -> Sim:
    """One agent whose calls take a second at the provider, beside what the reply takes."""
    sim = Sim(1)
    sim.agent("a", reply=reply, latency_s=PROVIDER_S, **settings)
    return sim


def blocking(request: Request) -> str:
    time.sleep(2)
    return f"to {request.prompt}"


async def awaiting(request: Request) -> str:
    await asyncio.sleep(2)
    return f"to {request.prompt}"


class Slow:
    """A model of the user's."""

    async def reply(self, request: Request) -> Reply:
        await asyncio.sleep(2)
        return Reply(f"to {request.prompt}")


KINDS = [
    pytest.param(reply, id=name)
    for name, reply in {"blocks": blocking, "awaits": awaiting, "model": Slow()}.items()
]


@pytest.mark.parametrize("reply", KINDS)
def test_what_a_reply_takes_is_time_before_the_first_token(ask: Any, reply: Any) -> None:
    run = sim_with(reply).run(ask)
    assert (run.output, run.latency_s) == ("to hi", 2 + PROVIDER_S)
    attempt = run.calls()[0].attempts[0]
    assert (attempt.arrival_s, attempt.start_s, attempt.first_token_s) == (0.0, 0.0, 3.0)


@pytest.mark.parametrize("reply", KINDS)
def test_replies_take_their_time_side_by_side(ask: Any, reply: Any) -> None:
    async def program() -> Any:
        return await asyncio.gather(*[ask(f"{n}") for n in range(20)])

    run = sim_with(reply).run(program)
    assert (run.output, run.latency_s) == ([f"to {n}" for n in range(20)], 2 + PROVIDER_S)


def test_reply_holds_its_slot_while_it_is_made(ask: Any) -> None:
    async def program() -> None:
        await asyncio.gather(ask("1"), ask("2"))

    sim = sim_with(awaiting)
    sim.provider("anthropic", concurrency=1)
    assert sim.run(program).latency_s == 2 * (2 + PROVIDER_S)


def test_refused_attempt_asks_for_no_reply(ask: Any) -> None:
    asked = []

    async def reply(request: Request) -> str:
        asked.append(request.attempt)
        return "yes"

    sim = sim_with(reply)
    sim.provider("anthropic", outages=[{"at_s": 0, "for_s": 0.1}])
    with pytest.raises(anthropic.InternalServerError):
        sim.run(ask)
    assert asked == []


def test_program_that_blocks_its_loop_does_not_hold_up_a_reply(ask: Any) -> None:
    async def program() -> float:
        calling = asyncio.create_task(ask())
        await asyncio.sleep(0.5)
        time.sleep(10)  # noqa: ASYNC251 - it blocks its loop
        await calling
        return time.monotonic()

    run = sim_with(awaiting).run(program)
    assert run.calls()[0].attempts[0].end_s == 2 + PROVIDER_S


def test_reply_that_blocks_is_not_a_blocked_loop_of_the_program(ask: Any) -> None:
    async def reply(request: Request) -> str:
        time.sleep(2)  # noqa: ASYNC251 - likewise
        return "so"

    run = sim_with(reply).run(ask)
    assert run.latency_s == 2 + PROVIDER_S
    assert list(run.findings) == []


@pytest.mark.parametrize("kind", ["async", "thread"])
def test_replies_share_a_lock(ask: Any, kind: str) -> None:
    async_lock, thread_lock = asyncio.Lock(), threading.Lock()

    async def awaits(_: Request) -> str:
        async with async_lock:
            await asyncio.sleep(2)
        return "so"

    def blocks(_: Request) -> str:
        with thread_lock:
            time.sleep(2)
        return "so"

    async def program() -> None:
        await asyncio.gather(ask("1"), ask("2"), ask("3"))

    run = sim_with(awaits if kind == "async" else blocks).run(program)
    assert run.latency_s == 6 + PROVIDER_S


@pytest.mark.parametrize("kind", ["async", "blocking"])
def test_reply_calls_another_simulated_agent(ask: Any, kind: str) -> None:
    question: Any = {
        "model": "claude-haiku-4-5",
        "max_tokens": 100,
        "system": "inner",
        "messages": [{"role": "user", "content": "deep"}],
    }

    async def awaits(_: Request) -> Any:
        async with anthropic.AsyncAnthropic() as client:
            return "heard " + (await client.messages.create(**question)).content[0].text

    def blocks(_: Request) -> Any:
        return "heard " + anthropic.Anthropic().messages.create(**question).content[0].text

    sim = Sim(1)
    sim.agent("inner", system="inner", reply=blocking, latency_s=PROVIDER_S)
    sim.agent("outer", reply=awaits if kind == "async" else blocks, latency_s=PROVIDER_S)
    run = sim.run(ask)
    assert run.output == "heard to deep"
    assert run.latency_s == 2 + 2 * PROVIDER_S
    assert [call.agent for call in run.calls()] == ["outer", "inner"]


@pytest.mark.parametrize("when", ["at once", "after a wait"])
@pytest.mark.parametrize("kind", ["async", "blocking"])
def test_error_of_a_reply_is_the_users_with_its_own_line(ask: Any, kind: str, when: str) -> None:
    def blocks(_: Request) -> str:
        if when == "after a wait":
            time.sleep(2)
        raise KeyError("city")

    async def awaits(_: Request) -> str:
        if when == "after a wait":
            await asyncio.sleep(2)
        raise KeyError("city")

    reply = awaits if kind == "async" else blocks
    with pytest.raises(KeyError, match="city") as raised:
        sim_with(reply).run(ask)
    assert raised.traceback[-1].frame.code.name == reply.__name__


def test_reply_that_gives_no_reply_is_told(ask: Any) -> None:
    async def reply(_: Request) -> Any:
        return 42

    with pytest.raises(StubError, match="agent 'a': expected a reply"):
        sim_with(reply).run(ask)


def test_client_that_hangs_up_lets_the_server_go_on(ask: Any) -> None:
    done = []

    async def reply(request: Request) -> str:
        await asyncio.sleep(10 if request.attempt == 1 else 0)
        done.append((request.prompt, time.monotonic()))
        return "so"

    async def program() -> str:
        client = anthropic.AsyncAnthropic(timeout=3.0, max_retries=1)
        message: Any = {"role": "user", "content": "hi"}
        said = await client.messages.create(
            model="claude-haiku-4-5", max_tokens=9, messages=[message]
        )
        await asyncio.sleep(20)
        return str(said.content[0].text)  # type: ignore[union-attr]

    run = sim_with(reply).run(program)
    assert run.output == "so"
    assert len(done) == 2
    first = run.calls()[0].attempts[0]
    assert (first.status, first.end_s) == ("cancelled", 3.0)


@pytest.mark.parametrize("kind", ["async", "blocking"])
def test_exit_of_a_reply_is_the_end_of_the_program(ask: Any, kind: str) -> None:
    async def awaits(_: Request) -> str:
        await asyncio.sleep(1)
        sys.exit(3)

    def blocks(_: Request) -> str:
        time.sleep(1)
        sys.exit(3)

    with pytest.raises(SystemExit):
        sim_with(awaits if kind == "async" else blocks).run(ask)


def test_reply_that_cancels_itself_is_an_error(ask: Any) -> None:
    async def reply(_: Request) -> str:
        me = asyncio.current_task()
        assert me is not None
        me.cancel()
        await asyncio.sleep(1)
        return "never"

    with pytest.raises(HarnessError, match=r"reply of 'a' .* cancelled by itself"):
        sim_with(reply).run(ask)


@pytest.mark.parametrize("kind", ["async", "blocking"])
def test_error_of_a_reply_whose_client_has_hung_up_is_not_lost(ask: Any, kind: str) -> None:
    async def awaits(_: Request) -> str:
        await asyncio.sleep(10)
        raise KeyError("late")

    def blocks(_: Request) -> str:
        time.sleep(10)
        raise KeyError("late")

    async def program() -> None:
        with pytest.raises(anthropic.APITimeoutError):
            await ask(timeout=3.0)
        await asyncio.sleep(20)

    with pytest.raises(KeyError, match="late"):
        sim_with(awaits if kind == "async" else blocks).run(program)


def test_reply_that_never_comes_is_named_in_the_deadlock(ask: Any) -> None:
    never: Any = None

    async def reply(_: Request) -> str:
        nonlocal never
        never = asyncio.Event()
        await never.wait()
        return "so"

    with pytest.raises(Deadlock, match="reply of 'a'"):
        sim_with(reply).run(ask, timeout=None)


@pytest.mark.parametrize("reply", KINDS)
def test_run_that_ends_before_a_reply_leaves_nothing_behind(ask: Any, reply: Any) -> None:
    async def program() -> None:
        calling = asyncio.create_task(ask())
        await asyncio.sleep(1)
        calling.cancel()

    before = threading.enumerate()
    for _ in range(2):
        assert sim_with(reply).run(program).latency_s == 1.0
    assert [thread for thread in threading.enumerate() if thread not in before] == []


def test_what_a_reply_draws_follows_from_the_seed_and_its_call(ask: Any) -> None:
    async def awaits(_: Request) -> str:
        await asyncio.sleep(1)
        return str(uuid.uuid4())

    def blocks(_: Request) -> str:
        time.sleep(1)
        return str(uuid.uuid4())

    async def program() -> Any:
        return await asyncio.gather(*[ask(f"{n}") for n in range(5)])

    for reply in (awaits, blocks):
        outputs = [sim_with(reply).run(program).output for _ in range(2)]
        assert outputs[0] == outputs[1]
        assert len(set(outputs[0])) == 5


def test_replies_of_a_batch_take_their_time_too() -> None:
    async def program() -> str:
        client = anthropic.AsyncAnthropic()
        message: Any = {"role": "user", "content": "hi"}
        params: Any = {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": [message]}
        batch = await client.messages.batches.create(
            requests=[{"custom_id": "x", "params": params}]
        )
        while batch.processing_status != "ended":
            await asyncio.sleep(60)
            batch = await client.messages.batches.retrieve(batch.id)
        async for result in await client.messages.batches.results(batch.id):
            return str(result.result.message.content[0].text)  # type: ignore[union-attr]
        return ""

    for reply in (blocking, awaiting):
        assert sim_with(reply).run(program).output == "to hi"


STUBS = """
import asyncio, time

def blocks(request):
    time.sleep(2)
    import words
    return words.SAID

async def awaits(request):
    await asyncio.sleep(2)
    import words
    return words.SAID

def fails(request):
    time.sleep(2)
    return 1 / 0
"""

PATTERN = """
scenario: team
workload: {tasks: 2, arrivals: {at_s: [0, 0]}}
providers: {p: {}}
models: {m: {provider: p, name: claude-sonnet-5, latency: {ttft_s: 1, itl_s: 0}}}
agents: {a: {model: m, system: s, stub: "stubs:NAME"}}
pattern: {pipeline: {stages: [a]}}
"""


@pytest.fixture
def stubs(tmp_path: Path) -> Path:
    tmp_path.joinpath("stubs.py").write_text(STUBS)
    tmp_path.joinpath("words.py").write_text("SAID = 'so'")
    return tmp_path


@pytest.mark.parametrize("name", ["blocks", "awaits"])
def test_stub_of_a_pattern_takes_virtual_time(stubs: Path, name: str) -> None:
    from harness.run import Simulation

    file = stubs / "team.yaml"
    file.write_text(PATTERN.replace("NAME", name))
    for _ in range(2):
        spans = Simulation(file).run(1).spans
        rows = list(spans.rows("kind", "arrival_s", "start_s", "first_token_s", "end_s"))
        attempts = [row[1:] for row in rows if row[0] == "attempt"]
        assert attempts == [(0.0, 0.0, 3.0, 3.0)] * 2


def test_stub_of_a_pattern_that_fails_says_where(stubs: Path) -> None:
    from harness.run import Simulation

    file = stubs / "team.yaml"
    file.write_text(PATTERN.replace("NAME", "fails"))
    with pytest.raises(HarnessError, match=r"stubs\.py.*in fails: return 1 / 0"):
        Simulation(file).run(1)


@pytest.mark.parametrize("name", ["blocks", "awaits"])
def test_stubs_of_a_scenario_take_their_time_side_by_side_in_a_test(
    ask: Any, stubs: Path, name: str
) -> None:
    async def program() -> Any:
        return await asyncio.gather(ask("1", system="s"), ask("2", system="s"))

    file = stubs / "team.yaml"
    file.write_text(PATTERN.replace("NAME", name))
    sim = Sim(1)
    sim.use_scenario(file)
    run = sim.run(program)
    assert run.output == ["so", "so"]
    assert run.latency_s == 3.0

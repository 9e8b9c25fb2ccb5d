"""Programs that never end are ended, and the error says what they were doing."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import subprocess
import sys
import textwrap
import time  # noqa: TID251 - as the programs under test do
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from harness.errors import HarnessError, LimitExceeded, NotSimulated
from harness.kernel.kernel import DEFAULT_CALLS_PER_TASK, DEFAULT_HORIZON_S
from harness.run import program_world
from harness.sim import Sim
from harness.sim.program_run import ProgramRun
from harness.wire.rounds import report_of_calls

anthropic = pytest.importorskip("anthropic")

Ask = Callable[..., Coroutine[Any, Any, str]]

DAY_S = 86_400


def stopped(
    program: Callable[[], Any],
    sim: Sim | None = None,
    **bounds: Any,  # noqa: ANN401 - of `sim.run`
) -> tuple[LimitExceeded, ProgramRun]:
    sim = sim or Sim(1)
    with pytest.raises(LimitExceeded) as caught:
        sim.run(program, **bounds)
    return caught.value, sim.last_run


def line_of(program: Callable[..., Any], text: str) -> str:
    """Where a line of a function stands, as `file:line`."""
    lines, first = inspect.getsourcelines(program)
    return f"{__file__}:{first + next(n for n, line in enumerate(lines) if text in line)} in "


def two_agents() -> Sim:
    sim = Sim(1)
    sim.agent("planner", system="*planner*", reply="a plan")
    sim.agent("worker", system="*worker*", reply="some work")
    return sim


def handing_over(ask: Ask) -> Callable[[], Coroutine[Any, Any, None]]:
    async def hand_over() -> None:
        text = await ask("first", system="You are the planner.")
        while True:
            text = await ask(text, system="You are the planner.")
            text = await ask(text, system="You are the worker.")

    return hand_over


# -- calls ------------------------------------------------------------------------------------------------------------


def test_agents_that_hand_over_for_ever_are_stopped_and_named(ask: Ask) -> None:
    error, run = stopped(handing_over(ask), two_agents(), calls_per_task=101)
    assert (error.limit, error.value) == ("calls_per_task", 101)
    text = str(error)
    assert "task 1 made 101 calls: planner -> worker repeated 50 times" in text
    assert "Task-1 (hand_over) waits" in text
    assert "raise `calls_per_task`" in text
    assert run.calls() == 101
    assert run.tasks == error.report


def test_as_many_calls_as_are_allowed_may_be_made(ask: Ask) -> None:
    async def program() -> None:
        for _ in range(5):
            await ask("hi", system="You are the planner.")

    assert two_agents().run(program, calls_per_task=5).calls() == 5


def test_blocking_program_that_swallows_all_errors_is_stopped() -> None:
    def program() -> None:
        client = anthropic.Anthropic()
        while True:
            with contextlib.suppress(Exception):
                client.messages.create(
                    model="claude-sonnet-5",
                    max_tokens=9,
                    messages=[{"role": "user", "content": "x"}],
                )

    error, _ = stopped(program, calls_per_task=20)
    assert error.limit == "calls_per_task"
    assert line_of(program, "client.messages.create") in str(error)


def test_requests_that_the_api_rejects_count() -> None:
    async def program() -> None:
        client = anthropic.AsyncAnthropic()
        while True:
            with contextlib.suppress(anthropic.APIError):
                await client.messages.create(
                    model="gpt-4", max_tokens=9, messages=[{"role": "user", "content": "x"}]
                )

    assert stopped(program, calls_per_task=20)[0].limit == "calls_per_task"


def test_client_that_sends_one_request_again_for_ever_is_stopped() -> None:
    httpx = pytest.importorskip("httpx")
    body = {
        "model": "claude-sonnet-5",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "x"}],
    }

    async def program() -> None:
        async with httpx.AsyncClient() as client:
            while True:
                await client.post(
                    "https://api.anthropic.com/v1/messages",
                    json=body,
                    headers={"x-api-key": "k", "anthropic-version": "2023-06-01"},
                )

    sim = Sim(1)
    sim.fault("overloaded")
    assert stopped(program, sim, calls_per_task=20)[0].limit == "calls_per_task"


class _Scoped:
    """A call, as far as its report looks at it."""

    def __init__(self, agent: str, task: int = 1) -> None:
        self.agent = agent
        self.scope = type("Scope", (), {"span": type("Span", (), {"task": task})})


@pytest.mark.parametrize(
    ("agents", "said"),
    [
        ("aaaaa", "a repeated 5 times"),
        ("xabab" + "ab" * 10, "a -> b repeated 12 times"),
        ("babababa" + "b", "b -> a repeated 4 times"),
        ("abcabcabc", "a -> b -> c repeated 3 times"),
        ("aabaabaab", "a -> a -> b repeated 3 times"),
        ("abab", "a 2, b 2"),
        ("a", "a 1"),
    ],
)
def test_calls_that_repeat_are_found(agents: str, said: str) -> None:
    calls: Any = [*map(_Scoped, agents), _Scoped("z", task=2)]
    assert report_of_calls(calls).endswith(f": {said}")


def test_no_calls_are_not_reported() -> None:
    assert report_of_calls([]) == ""


# -- time -------------------------------------------------------------------------------------------------------------


async def beat() -> None:
    while True:  # noqa: ASYNC110 - what goes on for ever
        await asyncio.sleep(5)


async def wait_beside_a_heartbeat() -> None:
    beating = asyncio.create_task(beat())
    await asyncio.Event().wait()
    await beating


def test_a_run_lasts_a_week_at_most() -> None:
    assert (DEFAULT_HORIZON_S, DEFAULT_CALLS_PER_TASK) == (7 * DAY_S, 10_000)
    assert Sim(1).run(lambda: time.sleep(7 * DAY_S)).latency_s == 7 * DAY_S
    assert stopped(lambda: time.sleep(7 * DAY_S + 1))[0].value == 7 * DAY_S
    assert Sim(1).run(lambda: time.sleep(9 * DAY_S), horizon_s=10 * DAY_S).error is None


def test_report_has_the_waiter_beside_the_heartbeat() -> None:
    error, run = stopped(wait_beside_a_heartbeat, horizon_s=100)
    text = str(error)
    assert "Task-1 (wait_beside_a_heartbeat) waits for an Event that was never set" in text
    assert line_of(wait_beside_a_heartbeat, "Event().wait()") in text
    assert "Task-2 (beat) waits" in text
    assert "virtual time 105.000000 s" in text
    assert "CancelledError" not in run.tasks


def test_report_names_the_calls_that_were_made(ask: Ask) -> None:
    async def program() -> None:
        await ask("hi", system="You are the planner.")
        await wait_beside_a_heartbeat()

    error, _ = stopped(program, two_agents(), horizon_s=100)
    assert "task 1 made 1 call: planner 1" in str(error)


def test_polling_is_stopped_before_the_week_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_world, "INSTANTS_WITHOUT_CALL", 1000)

    async def poll() -> None:
        while True:  # noqa: ASYNC110 - what is to be stopped
            await asyncio.sleep(0.01)

    error, run = stopped(poll)
    assert error.limit == "instants_without_call"
    assert run.latency_s == pytest.approx(10.0)


def test_polling_between_calls_is_no_endless_polling(
    monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    monkeypatch.setattr(program_world, "INSTANTS_WITHOUT_CALL", 1000)

    async def program() -> None:
        for _ in range(3):
            for _ in range(900):
                await asyncio.sleep(0.01)
            await ask("hi", system="You are the planner.")

    assert two_agents().run(program).calls() == 3


# -- programs that swallow their end ----------------------------------------------------------------------------------


async def never_mind() -> None:
    while True:
        with contextlib.suppress(BaseException):
            await asyncio.sleep(5)


def with_a_loop_of_its_own() -> None:
    with asyncio.Runner() as runner:
        runner.run(never_mind())


@pytest.mark.parametrize("program", [never_mind, with_a_loop_of_its_own])
def test_program_that_swallows_its_cancellation_ends(program: Callable[[], Any]) -> None:
    error, _ = stopped(program, horizon_s=1000)
    assert (error.limit, error.value) == ("horizon_s", 1000)
    assert line_of(never_mind, "asyncio.sleep(5)") in str(error)


def test_task_left_behind_that_swallows_its_cancellation_ends() -> None:
    async def program() -> str:
        left = asyncio.create_task(never_mind())
        await asyncio.sleep(1)
        return str(left.done())

    error, _ = stopped(program)
    assert error.limit == "cleanup_s"
    assert "Task-2 (never_mind)" in str(error)


def test_blocking_program_that_swallows_the_horizon_ends() -> None:
    def program() -> None:
        while True:
            with contextlib.suppress(Exception):
                time.sleep(30)

    error, _ = stopped(program, horizon_s=1000)
    assert line_of(program, "time.sleep(30)") in str(error)


def test_program_that_swallows_a_bound_and_returns_has_failed_all_the_same() -> None:
    def program() -> str:
        with contextlib.suppress(Exception):
            time.sleep(2000)
        return "well"

    error, run = stopped(program, horizon_s=1000)
    assert error.limit == "horizon_s"
    assert run.output is None


def test_last_words_after_a_bound_may_take_time(ask: Ask) -> None:
    said = []

    async def program() -> None:
        try:
            await wait_beside_a_heartbeat()
        finally:
            said.append(await ask("good bye", system="You are the planner."))

    stopped(program, two_agents(), horizon_s=100)
    assert said == ["a plan"]


def test_interpreter_ends_after_a_program_that_swallows_everything() -> None:
    script = """
        import asyncio, contextlib
        from harness.errors import LimitExceeded
        from harness.sim import Sim

        async def never_mind():
            while True:
                with contextlib.suppress(BaseException):
                    await asyncio.sleep(5)

        with contextlib.suppress(LimitExceeded):
            Sim(1).run(never_mind, horizon_s=100)
        print("ended")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("ended\n", "")


# -- what the program may not go on after -----------------------------------------------------------------------------


def ask_for_ever() -> str:
    client = anthropic.Anthropic(max_retries=0)
    while True:
        try:
            message = client.messages.create(
                model="claude-sonnet-4-6",
                max_tokens=5,
                system="You are a worker.",
                messages=[{"role": "user", "content": "Hello"}],
            )
        except Exception:  # noqa: BLE001 - as such programs do
            time.sleep(1)
        else:
            return str(message)


def test_blocking_program_that_swallows_an_error_of_the_test_is_ended() -> None:
    sim = Sim(1)
    sim.agent("worker", system="*wroker*", reply="done", allow_unused=True)
    with pytest.raises(HarnessError, match="no described agent matches this call"):
        sim.run(ask_for_ever)
    assert sim.last_run.latency_s < 1


def test_program_that_is_refused_again_and_again_is_ended() -> None:
    def push_for_ever() -> None:
        while True:
            try:
                subprocess.run(["git", "push"], check=True)
            except Exception:  # noqa: BLE001 - as such programs do
                time.sleep(1)

    sim = Sim(1)
    with pytest.raises(NotSimulated, match="git push"):
        sim.run(push_for_ever)
    assert sim.last_run.latency_s < 1000

"""What can be run, what comes of it, and that the same seed gives the same."""

# ruff: noqa: ANN401 - the fixture of another file
from __future__ import annotations

import asyncio
import functools
import gc
import os
import random  # noqa: TID251 - a program draws from it
import time  # noqa: TID251 - a program reads its own clock
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from harness.errors import Deadlock, HarnessError, LimitExceeded, NotSimulated
from harness.sim import ProgramRun, Sim
from harness.spans import as_json_lines


def written(run: ProgramRun) -> str:
    return as_json_lines(run.spans_table) + as_json_lines(run.events_table)


# -- programs ---------------------------------------------------------------------------------------------------------


class Callable_:  # noqa: N801 - an object that is called
    def __init__(self, ask: Any) -> None:
        self._ask = ask

    async def __call__(self, text: str) -> Any:
        return await self._ask(text)


@pytest.mark.parametrize(
    "form", ["coroutine", "function", "partial", "lambda", "object", "asyncio.run", "method"]
)
def test_everything_that_can_be_awaited_or_called_is_a_program(ask: Any, form: str) -> None:
    sim = Sim(1)
    sim.agent("agent", reply=lambda call: f"heard {call.prompt}", latency_s=1.5)
    run = {
        "coroutine": lambda: sim.run(ask("this")),
        "function": lambda: sim.run(ask, "this"),
        "partial": lambda: sim.run(functools.partial(ask, "this")),
        "lambda": lambda: sim.run(lambda: ask("this")),
        "object": lambda: sim.run(Callable_(ask), "this"),
        "asyncio.run": lambda: sim.run(
            lambda: asyncio.run(ask("this"))  # noqa: TID251 - as programs begin
        ),
        "method": lambda: sim.run(Callable_(ask).__call__, text="this"),
    }[form]()
    assert (run.output, run.latency_s, run.error) == ("heard this", 1.5, None)
    assert run is sim.last_run


async def _stream() -> AsyncIterator[str]:
    yield "a part"


def _parts() -> Iterator[str]:
    yield "a part"


async def _ask() -> str:
    return "an answer"


async def _forgets_await() -> object:
    return _ask()


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (_stream, r"the async generator '_stream', whose code did not run\n  How to fix: run an"),
        (_parts, "the generator '_parts'"),
        (_forgets_await, "the coroutine '_ask', whose code did not run\n  How to fix: await it"),
        (lambda: [_ask(), _ask()], r"the coroutine '_ask'.*\n.*gather"),
        (lambda: {"a": _ask()}, "the coroutine '_ask'"),
    ],
    ids=["stream", "parts", "coroutine", "list", "dictionary"],
)
def test_code_that_the_program_returns_and_did_not_run_is_refused(
    program: Callable[..., object], message: str
) -> None:
    sim = Sim(1)
    with pytest.raises(HarnessError, match=message):
        sim.run(program)
    assert sim.last_run.error is not None


def test_generator_that_has_begun_and_an_expression_may_be_returned() -> None:
    begun = _parts()
    assert next(begun)
    assert Sim(1).run(lambda: begun).output is begun
    assert list(Sim(1).run(lambda: (n for n in [1, 2])).output) == [1, 2]


def test_program_without_calls_runs_too() -> None:
    run = Sim(1).run(lambda: 42)
    assert (run.output, run.latency_s, run.attempts, run.cost_usd) == (42, 0.0, 0, 0.0)
    assert (run.calls() == 0, run.agents, run.timeline()) == (True, [], "")


@pytest.mark.parametrize("error", [ValueError("no"), KeyError("x"), KeyboardInterrupt()])
def test_what_the_program_raises_is_raised_and_its_run_can_be_read(
    ask: Any, error: BaseException
) -> None:
    async def program() -> None:
        await ask()
        raise error

    sim = Sim(1)
    sim.agent("agent", latency_s=1.0)
    with pytest.raises(type(error)) as caught:
        sim.run(program)
    assert caught.value is error
    run = sim.last_run
    assert run is not None
    assert (run.error, run.output, run.latency_s, len(run.calls())) == (error, None, 1.0, 1)
    assert type(error).__name__ in run.explain()
    assert "Task-1" in run.tasks


def test_group_of_errors_comes_as_it_is(ask: Any) -> None:
    async def program() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(ask())
            group.create_task(asyncio.sleep(0.5, group.create_task(fail())))

    async def fail() -> None:
        raise ValueError("no")

    sim = Sim(1)
    with pytest.raises(ExceptionGroup) as caught:
        sim.run(program)
    assert [str(error) for error in caught.value.exceptions] == ["no"]


def test_program_that_waits_for_ever_is_told_where() -> None:
    async def program() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="an Event that was never set"):
        Sim(1).run(program)


def test_program_may_not_pass_its_horizon(ask: Any) -> None:
    sim = Sim(1)
    sim.agent("agent", latency_s=50.0)
    with pytest.raises(LimitExceeded, match="horizon_s exceeded: more than 20"):
        sim.run(ask, horizon_s=20)
    assert sim.run(ask, horizon_s=60).latency_s == 50.0


def test_tasks_that_are_left_behind_are_cancelled(ask: Any) -> None:
    ended = []

    async def linger() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append(asyncio.get_running_loop().time())

    async def program() -> None:
        task = asyncio.create_task(linger())
        await ask()
        assert not task.done()

    sim = Sim(1)
    sim.agent("agent", latency_s=2.0)
    assert sim.run(program).latency_s == 2.0
    assert ended == [2.0]


def test_run_in_a_run_is_refused_and_leaves_the_outer_one_alone(ask: Any) -> None:
    sim = Sim(1)
    sim.agent("agent", reply="still here")

    async def program() -> str:
        for inner in (sim, Sim(2)):
            with pytest.raises(NotSimulated, match="a run inside a run"):
                inner.run(ask)
            with pytest.raises(NotSimulated, match="a run inside a run"):
                inner.run(ask())
        return await ask()  # type: ignore[no-any-return]

    assert sim.run(program).output == "still here"
    assert len(sim.runs) == 1


def test_run_inside_a_running_loop_is_refused(ask: Any) -> None:
    async def outer() -> None:
        with pytest.raises(NotSimulated, match="inside a running event loop"):
            Sim(1).run(ask)

    with asyncio.Runner() as runner:
        runner.run(outer())


@pytest.mark.parametrize("wrong", [5, None, "main", [1]])
def test_what_is_no_program_is_refused(wrong: Any) -> None:
    sim = Sim(1)
    with pytest.raises(HarnessError, match="is not a program"):
        sim.run(wrong)
    assert sim.run(lambda: 1).output == 1


def test_coroutine_that_never_begins_leaves_no_warning(ask: Any) -> None:
    sim = Sim(1)
    sim.tool("nothing", replaces="json:nothing")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for program in (ask, ask()):
            with pytest.raises(HarnessError, match="no 'json:nothing' to replace"):
                sim.run(program)
        gc.collect()
    told = [str(warning.message) for warning in caught]
    assert [message for message in told if "never awaited" in message] == []


# -- what a program finds ---------------------------------------------------------------------------------------------


def test_program_finds_virtual_time_and_the_keys_of_its_sdks() -> None:
    async def program() -> tuple[float, float, str | None]:
        began_s = time.monotonic()
        await asyncio.sleep(1000)
        time.sleep(500)  # noqa: ASYNC251 - what a careless program does
        return time.monotonic() - began_s, time.time() % 60, os.environ.get("ANTHROPIC_API_KEY")

    before = os.environ.get("ANTHROPIC_API_KEY")
    run = Sim(1).run(program)
    assert run.output == (1500.0, 0.0, "sk-ant-simulated")
    assert run.wall_s < 5
    assert os.environ.get("ANTHROPIC_API_KEY") == before


def test_settings_that_lead_elsewhere_are_out_of_reach(
    ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    sim = Sim(1)
    sim.agent("agent", reply="hello")
    assert sim.run(ask).output == "hello"
    assert os.environ["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:9"


# -- one seed, one execution ------------------------------------------------------------------------------------------


async def team(ask: Any) -> list[str]:
    """Draws from everything that is random, and asks side by side."""

    async def one(name: str) -> str:
        await asyncio.sleep(random.random())
        return await ask(f"{name} {random.randrange(1000)}", system=f"You are {name}.")  # type: ignore[no-any-return]

    return await asyncio.gather(*(one(name) for name in ("alpha", "beta", "gamma")))


def surroundings(seed: int, order: int = 1) -> Sim:
    sim = Sim(seed)
    declarations: list[Callable[[], object]] = [
        lambda: sim.agent("alpha", system="*alpha*", accuracy=0.5),
        lambda: sim.agent(
            "beta", system="*beta*", output_tokens={"lognormal": {"median": 50, "sigma": 1}}
        ),
        lambda: sim.agent("gamma", system="*gamma*", latency_s={"exponential": {"mean": 2}}),
        lambda: sim.provider("anthropic", concurrency=2, requests_per_min=1000),
        lambda: sim.fault("latency", agent="alpha", factor=3, probability=0.5, allow_unmet=True),
        lambda: sim.fault("latency", agent="beta", factor=2, probability=0.5, allow_unmet=True),
        lambda: sim.tool("search", latency_s=1.0),
    ]
    for declare in declarations[::order]:
        declare()
    return sim


def test_same_seed_gives_the_same_bytes(ask: Any) -> None:
    first = written(surroundings(7).run(team, ask))
    again = surroundings(7)
    assert [written(again.run(team, ask)) for _ in range(3)] == [first] * 3
    assert len(first) > 1000


def test_order_in_which_things_are_said_does_not_matter(ask: Any) -> None:
    for seed in range(1, 6):
        assert written(surroundings(seed).run(team, ask)) == written(
            surroundings(seed, order=-1).run(team, ask)
        )


def test_other_seeds_are_other_runs(ask: Any) -> None:
    sim = surroundings(1)
    texts = {written(sim.run(team, ask, seed=seed)) for seed in range(1, 9)}
    assert len(texts) == 8
    assert [run.seed for run in sim.runs] == list(range(1, 9))


def test_one_more_agent_that_nobody_calls_changes_nothing(ask: Any) -> None:
    sim = surroundings(3)
    sim.agent("delta", system="*delta*", latency_s={"exponential": {"mean": 2}})
    assert written(sim.run(team, ask)) == written(surroundings(3).run(team, ask))


@pytest.mark.parametrize("wrong", [-1, 1.5, "1", None, True])
def test_seeds_are_whole_numbers_from_0(wrong: Any) -> None:
    with pytest.raises(HarnessError, match="a seed is a whole number from 0"):
        Sim(wrong)
    if wrong is not None:
        with pytest.raises(HarnessError, match="a seed is a whole number from 0"):
            Sim(1).run(lambda: 1, seed=wrong)

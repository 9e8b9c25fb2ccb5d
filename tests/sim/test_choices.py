"""What happens in a program is chosen by keys that do not depend on what else runs."""

from __future__ import annotations

import asyncio
import threading
import time  # noqa: TID251 - a program's
from typing import Any

import anthropic
import pytest

from harness import Choices
from harness.faults import FAULTS
from harness.faults.stated import StatedEnd
from harness.sim import Sim


@pytest.fixture
def sim() -> Sim:
    one = Sim()
    one.agent("writer", system="You write*", reply="a draft", latency_s=2.0)
    return one


async def ask(client: anthropic.AsyncAnthropic, text: str) -> str:
    answer: Any = await client.messages.create(
        model="claude-haiku-4-5",
        max_tokens=100,
        system="You write.",
        messages=[{"role": "user", "content": text}],
    )
    return str(answer.content[0].text)


async def program(extra: int = 0) -> list[str]:
    async with anthropic.AsyncAnthropic(api_key="k", max_retries=0) as client:
        others = [
            asyncio.create_task(ask(client, "other"), name=f"other {n}") for n in range(extra)
        ]
        answers = await asyncio.gather(ask(client, "a"), ask(client, "b"), return_exceptions=True)
        await asyncio.gather(*others)
        return [
            str(answer) if isinstance(answer, str) else type(answer).__name__ for answer in answers
        ]


def addresses(sim: Sim, extra: int) -> dict[str, str]:
    run = sim.run(program, extra)
    return {call.prompt: call.address for call in run.calls() if call.prompt != "other"}


def test_the_address_of_a_call_does_not_depend_on_what_else_runs(sim: Sim) -> None:
    alone = addresses(sim, 0)
    assert addresses(sim, 3) == alone
    assert [address.split()[0] for address in alone.values()] == ["program/ask", "program/ask#2"]


def test_one_attempt_fails_whatever_else_runs(sim: Sim) -> None:
    key = ("attempt", addresses(sim, 0)["b"], "1")
    for extra in (0, 3):
        choices = Choices({key: [FAULTS["overloaded"]()]})
        assert sim.run(program, extra, choices=choices).output == ["a draft", "OverloadedError"]
        assert not choices.unmet


def test_a_reply_ends_at_the_very_instant_that_is_chosen(sim: Sim) -> None:
    key = ("attempt", addresses(sim, 0)["a"], "1")
    run = sim.run(program, choices=Choices({key: [StatedEnd(at_s=5.3)]}))
    assert [call.end_s for call in run.calls()] == [5.3, run.calls()[1].end_s]


def test_a_watched_program_is_the_program_that_nobody_watches(sim: Sim) -> None:
    plain = sim.run(program, 2)
    watched = sim.run(program, 2, choices=Choices())
    assert list(watched.spans_table.rows("name", "arrival_s", "end_s")) == list(
        plain.spans_table.rows("name", "arrival_s", "end_s")
    )


async def tie() -> list[str]:
    order: list[str] = []

    async def sleeper(name: str) -> None:
        await asyncio.sleep(1)
        order.append(name)

    await asyncio.gather(sleeper("first"), sleeper("second"))
    return order


def test_the_order_at_one_instant_is_a_choice(sim: Sim) -> None:
    seen = Choices()
    assert sim.run(tie, choices=seen).output == ["first", "second"]
    first = seen.timers[0]
    assert (first.task, first.kind, first.due_s, first.fired_s) == (
        "tie/sleeper",
        "sleep",
        1.0,
        1.0,
    )
    assert sim.run(tie, choices=Choices({first.key: 1e-9})).output == ["second", "first"]


async def limited() -> str:
    try:
        async with asyncio.timeout(3):
            await asyncio.sleep(1)
        async with asyncio.timeout(3):
            await asyncio.sleep(9)
    except TimeoutError:
        return "late"
    return "in time"


def test_timers_are_on_record_whether_they_fired_or_not(sim: Sim) -> None:
    seen = Choices()
    assert sim.run(limited, choices=seen).output == "late"
    assert [(timer.kind, timer.due_s, timer.fired_s) for timer in seen.timers] == [
        ("timer", 3.0, None),
        ("sleep", 1.0, 1.0),
        ("timer", 4.0, 4.0),
        ("sleep", 10.0, None),
    ]
    assert sim.run(limited, choices=Choices({seen.timers[2].key: 7.0})).output == "in time"


async def cancellable() -> str:
    async def work() -> str:
        await asyncio.sleep(5)
        return "done"

    task = asyncio.create_task(work(), name="work")
    try:
        return await task
    except asyncio.CancelledError:
        return f"cancelled at {asyncio.get_running_loop().time()}"


def test_a_named_task_is_cancelled_from_outside(sim: Sim) -> None:
    seen = Choices()
    assert sim.run(cancellable, choices=seen).output == "done"
    assert [(task.path, task.began_s, task.ended_s) for task in seen.tasks[:2]] == [
        ("cancellable", 0.0, 5.0),
        ("cancellable/work", 0.0, 5.0),
    ]
    choices = Choices({("cancel", "cancellable/work"): 2.5})
    assert sim.run(cancellable, choices=choices).output == "cancelled at 2.5"
    assert not choices.unmet
    late = Choices({("cancel", "cancellable/work"): 7.0})
    assert sim.run(cancellable, choices=late).output == "done"
    assert late.unmet


def threads() -> list[str]:
    order: list[str] = []

    def work(name: str) -> None:
        time.sleep(1)
        order.append(name)

    started = [threading.Thread(target=work, args=(name,), name=name) for name in ("a", "b")]
    for one in started:
        one.start()
    for one in started:
        one.join()
    return order


def test_which_thread_goes_next_is_a_choice(sim: Sim) -> None:
    seen = Choices()
    order = sim.run(threads, order="random", choices=seen).output
    others = [
        Choices({key: name})
        for key, chosen in seen.made.items()
        if key[0] == "thread"
        for name in key[1].split(" | ")
        if name != chosen
    ]
    orders = [sim.run(threads, order="random", choices=other).output for other in others]
    assert order in (["a", "b"], ["b", "a"])
    assert order[::-1] in orders
    assert not any(other.unmet for other in others)


def test_sleeps_of_threads_are_on_record(sim: Sim) -> None:
    seen = Choices()
    sim.run(threads, choices=seen)
    sleeps = {timer.task: timer for timer in seen.timers if timer.kind == "sleep"}
    assert sleeps.keys() == {"a", "b"}
    assert sim.run(threads, choices=Choices({sleeps["a"].key: 0.5})).output == ["b", "a"]


def test_a_live_override_of_entropy_reaches_the_program(sim: Sim) -> None:
    import os

    seen = Choices()
    sim.run(lambda: os.urandom(4), choices=seen)
    key = next(key for key in seen.made if key[:2] == ("bytes", "os.urandom"))
    assert sim.run(lambda: os.urandom(4), choices=Choices({key: b"same"})).output == b"same"

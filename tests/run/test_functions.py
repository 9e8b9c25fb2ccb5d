"""What a `target` may be: an async function, or a plain one, which may start loops of its own and may block."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from harness.run import Simulation
from harness.spans import TASK, Table

WriteProgram = Callable[..., Path]
Cli = Callable[..., CompletedProcess[str]]

PROGRAM = """
import asyncio, functools, time
import anthropic

def asked(text="hello"):
    return {"model": "claude-sonnet-4-6", "max_tokens": 50, "messages": [{"role": "user", "content": text}]}

async def with_async_client(question):
    async with anthropic.AsyncAnthropic() as client:
        await client.messages.create(**asked(question))

def plain_with_loop(question):
    asyncio.run(with_async_client(question))

def plain_with_loop_by_hand(question):
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(with_async_client(question))
    finally:
        loop.close()

def plain_with_runner(question):
    with asyncio.Runner() as runner:
        runner.run(with_async_client(question))

def plain(question):
    with anthropic.Anthropic() as client:
        client.messages.create(**asked(question))

def gives_a_coroutine(question):
    return with_async_client(question)

class Team:
    async def __call__(self, question):
        await with_async_client(question)

team = Team()
partly = functools.partial(plain_with_loop)

def decorated(function):
    @functools.wraps(function)
    def call(*args):
        return asyncio.ensure_future(function(*args))
    return call

wrapped = decorated(with_async_client)

def blocks(question):
    time.sleep(10)

async def blocks_its_loop(question):
    time.sleep(10)

async def sleeps(question):
    await asyncio.sleep(10)
"""


def tasks(spans: Table) -> list[tuple[float, float, float]]:
    """Arrival, start and end of each task [s], in the order of their numbers."""
    rows = spans.rows("task", "kind", "arrival_s", "start_s", "end_s")
    return [row[2:] for row in sorted(rows) if row[1] == TASK]


@pytest.mark.parametrize(
    "function",
    [
        "with_async_client", "plain_with_loop", "plain_with_loop_by_hand", "plain_with_runner", "plain",
        "gives_a_coroutine", "team", "partly", "wrapped",
    ],
)  # fmt: skip
def test_every_kind_of_function_is_a_target(program: WriteProgram, function: str) -> None:
    file = program(PROGRAM, target=f"prog:{function}", tasks=2, arrivals="{every_s: 1000}")
    result = Simulation(file).run()
    assert result.tracebacks == {}
    kinds = result.spans.values("kind")
    assert (kinds.count("call"), kinds.count("task")) == (2, 2)
    calls = [task for task, kind in result.spans.rows("task", "kind") if kind == "call"]
    assert sorted(calls) == [1, 2]
    assert not [one for one in result.findings if one.kind == "blocked_arrivals"]


def test_async_functions_are_worked_on_side_by_side(program: WriteProgram) -> None:
    file = program(PROGRAM, target="prog:sleeps", tasks=20, arrivals="{every_s: 0.5}")
    result = Simulation(file).run()
    assert list(tasks(result.spans))[-1] == (9.5, 9.5, 19.5)
    assert result.findings == ()


def test_plain_functions_are_worked_on_side_by_side(program: WriteProgram) -> None:
    file = program(PROGRAM, target="prog:blocks", tasks=20, arrivals="{every_s: 0.5}")
    result = Simulation(file).run()
    assert list(tasks(result.spans))[-1] == (9.5, 9.5, 19.5)
    assert result.findings == ()


def test_arrivals_that_blocking_work_holds_up_are_a_finding_with_their_delays(
    program: WriteProgram, harness: Cli
) -> None:
    file = program(PROGRAM, target="prog:blocks_its_loop", tasks=20, arrivals="{every_s: 0.5}")
    result = Simulation(file).run()
    assert tasks(result.spans) == [
        (0.5 * number, 10.0 * number, 10.0 * number + 10) for number in range(20)
    ]
    delays = [
        (task, detail)
        for task, name, detail in result.events.rows("task", "name", "detail")
        if name == "blocked"
    ]
    assert delays == [(number + 1, str(9.5 * number)) for number in range(1, 20)]
    (finding,) = result.findings
    assert (finding.kind, finding.severity) == ("blocked_arrivals", "serious")
    assert finding.message.startswith("19 of 20 tasks began late")
    assert "(at prog.py:" in finding.message
    assert "task 2 by 9.5 s, task 3 by 19 s" in finding.message
    assert finding.message.endswith("and 14 more, at most by 3 min 0 s (task 20)")
    said = harness("simulate", file, "--runs", "1")
    assert "note: Serious, in 1 of 1 runs: 19 of 20 tasks began late" in said.stdout
    told = json.loads(harness("simulate", file, "--runs", "1", "--format", "json").stdout)
    assert any("19 of 20 tasks began late" in note for note in told["notes"])
    assert told["metrics"]["latency_s_max"] == 190.5


def test_users_of_a_closed_workload_are_held_up_too(program: WriteProgram) -> None:
    file = program(
        PROGRAM,
        target="prog:blocks_its_loop",
        tasks=4,
        arrivals="{closed: {users: 2, think_s: 3}}",
    )
    result = Simulation(file).run()
    # Users 1 and 2 come at 3 s; each thinks for 3 s after its task has ended, at 13 and at 23 s.
    assert tasks(result.spans) == [(3, 3, 13), (3, 13, 23), (16, 23, 33), (26, 33, 43)]
    (finding,) = result.findings
    assert finding.message.startswith("3 of 4 tasks began late")


def test_users_who_block_nobody_are_not_found(program: WriteProgram) -> None:
    file = program(
        PROGRAM,
        target="prog:blocks",
        tasks=3,
        arrivals="{closed: {users: 1, think_s: {exponential: {mean: 3}}}}",
    )
    assert Simulation(file).run().findings == ()

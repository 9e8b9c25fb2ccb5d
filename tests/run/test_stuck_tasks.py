"""Tasks of a workload whose agents wait for one another, or that make no progress, end with an error; the others go on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.run import RunResult, Simulation
from harness.spans import as_json_lines

pytest.importorskip("anthropic")

PROGRAM = """
import asyncio
import anthropic

NEXT = {"analyst": "critic", "critic": "writer", "writer": "analyst"}


async def think(agent, text):
    message = await anthropic.AsyncAnthropic(api_key="unused").messages.create(
        model="claude-sonnet-5", max_tokens=99, system=f"You are the {agent}.",
        messages=[{"role": "user", "content": text}],
    )
    return message.content[0].text


async def team(text, ticking):
    inbox = {name: asyncio.Queue() for name in NEXT}

    async def agent(name):
        question = text if name == "analyst" else (await inbox[name].get())[0]
        await think(name, question)
        reply = asyncio.get_running_loop().create_future()
        if text.endswith("2"):
            await inbox[NEXT[name]].put(("help me", reply))
            return await reply
        await inbox[NEXT[name]].put((f"{name} is done", None))

    async def beat():
        while ticking:
            await asyncio.sleep(10)

    beating = asyncio.create_task(beat())
    await asyncio.gather(*(agent(name) for name in NEXT))
    beating.cancel()
    return text


async def waits(text):
    return await team(text, False)


async def ticks(text):
    return await team(text, True)


async def goes_round(text):
    for number in range(1000):
        await think("writer", "Write on Ulm." if text.endswith("2") else f"{text} {number}")
        if number == 3 and not text.endswith("2"):
            return text


def blocks(text):
    client = anthropic.Anthropic(api_key="unused")
    for number in range(1000):
        client.messages.create(
            model="claude-sonnet-5", max_tokens=99, system="You are the writer.",
            messages=[{"role": "user", "content": "Write on Ulm."}],
        )
        if number == 3 and not text.endswith("2"):
            return text
"""

SCENARIO = """
scenario: stuck
workload: {tasks: 3, arrivals: {every_s: 2}, kinds: [{kind: task}]}
target: stuck_program_of_the_tests:FUNCTION
agents:
  analyst: {match: {system: "*analyst*"}, latency: {ttft_s: 1, itl_s: 0}}
  critic: {match: {system: "*critic*"}, latency: {ttft_s: 1, itl_s: 0}}
  writer: {match: {system: "*writer*"}, latency: {ttft_s: 1, itl_s: 0}}
"""

CIRCLE = (
    "analyst waits for critic's reply since 3.000000 s, critic for writer's since 4.000000 s, "
    "writer for analyst's since 5.000000 s"
)


@pytest.fixture
def run_of(tmp_path: Path) -> Iterator[Callable[[str], RunResult]]:
    """Run a scenario whose target is one of the functions."""
    tmp_path.joinpath("stuck_program_of_the_tests.py").write_text(PROGRAM, encoding="utf-8")

    def run(function: str) -> RunResult:
        path = tmp_path / "scenario.yaml"
        path.write_text(SCENARIO.replace("FUNCTION", function), encoding="utf-8")
        return Simulation(path).run()

    yield run
    sys.modules.pop("stuck_program_of_the_tests", None)


def endings(result: RunResult) -> list[tuple[int, str, str]]:
    rows = result.spans.rows("kind", "task", "status", "error")
    return sorted((task, status, error) for kind, task, status, error in rows if kind == "task")


def events(result: RunResult, name: str) -> list[tuple[int, str]]:
    return [(task, detail) for it, task, detail in result.events.rows("name", "task", "detail") if it == name]  # fmt: skip


@pytest.mark.parametrize("function", ["waits", "ticks"])
def test_task_whose_agents_wait_for_one_another_ends_with_a_deadlock(
    function: str, run_of: Callable[[str], RunResult]
) -> None:
    result = run_of(function)
    assert result.status == "done"
    assert endings(result) == [(1, "ok", ""), (2, "error", "deadlock"), (3, "ok", "")]
    assert events(result, "deadlock") == [(2, CIRCLE)]
    assert result.failures == {"deadlock": 1}


@pytest.mark.parametrize("function", ["goes_round", "blocks"])
def test_task_that_goes_round_ends_without_progress(
    function: str, run_of: Callable[[str], RunResult]
) -> None:
    result = run_of(function)
    assert result.status == "done"
    assert endings(result) == [(1, "ok", ""), (2, "error", "no_progress"), (3, "ok", "")]
    ((task, words),) = events(result, "no_progress")
    assert task == 2
    assert words.startswith('program > writer: "Write on Ulm." -> "')
    assert result.failures == {"no_progress": 1}


# -- patterns -----------------------------------------------------------------------------------------------------------

CIRCLE_OF_A_PATTERN = Path(__file__).parents[2] / "scenarios" / "waiting_in_a_circle.yaml"


def reports(result: RunResult) -> set[int]:
    """The tasks in which members ask one another."""
    rows = result.spans.rows("kind", "task", "name")
    return {task for kind, task, name in rows if kind == "task" and name == "report"}


def test_members_of_a_pattern_that_wait_for_one_another_are_named() -> None:
    result = Simulation(CIRCLE_OF_A_PATTERN).run(1)
    stuck = reports(result)
    assert stuck
    assert endings(result) == [
        (task, "error", "deadlock") if task in stuck else (task, "ok", "") for task in range(1, 21)
    ]
    told = events(result, "deadlock")
    assert {task for task, _ in told} == stuck
    assert all("analyst waits for critic's reply since " in words for _, words in told)
    assert [seen.kind for seen in result.stood_out] == ["deadlock"] * len(stuck)


def test_members_that_give_up_waiting_are_in_no_circle() -> None:
    cure = "pattern.circle:Circle.patience_s=60"
    result = Simulation(CIRCLE_OF_A_PATTERN, overrides=[cure]).run(1)
    assert {status for _, status, _ in endings(result)} == {"ok"}
    assert result.stood_out == ()


def test_two_runs_of_stuck_tasks_are_the_same() -> None:
    first, second = (Simulation(CIRCLE_OF_A_PATTERN).run(3) for _ in range(2))
    assert as_json_lines(first.spans) == as_json_lines(second.spans)
    assert as_json_lines(first.events) == as_json_lines(second.events)

"""A `target:` that never ends is ended, by its horizon or by its number of calls."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from harness.errors import LimitExceeded
from harness.run import Simulation
from harness.scenario import TargetScenario, load_scenario

pytest.importorskip("anthropic")

PROGRAM = """
import asyncio
import contextlib
import time

import anthropic


async def beats():
    while True:
        await asyncio.sleep(5)


async def never_minds():
    while True:
        with contextlib.suppress(BaseException):
            await asyncio.sleep(5)


def blocks():
    while True:
        with contextlib.suppress(Exception):
            time.sleep(30)


async def hands_over(text):
    client = anthropic.AsyncAnthropic(api_key="unused")
    while True:
        for who in ("planner", "worker"):
            await client.messages.create(
                model="claude-sonnet-5", max_tokens=99, system=f"You are the {who}.",
                messages=[{"role": "user", "content": text}],
            )
"""

SCENARIO = """
scenario: endless
workload: {tasks: 2, arrivals: {every_s: 2}}
target: endless_program_of_the_tests:FUNCTION
agents: {planner: {match: {system: "*planner*"}}, worker: {match: {system: "*worker*"}}}
"""


@pytest.fixture
def scenario_of(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """A scenario file whose target is one of the functions, with more lines."""
    tmp_path.joinpath("endless_program_of_the_tests.py").write_text(PROGRAM, encoding="utf-8")

    def write(function: str, *lines: str) -> Path:
        text = "\n".join([SCENARIO.replace("FUNCTION", function), *lines, ""])
        path = tmp_path / "scenario.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    yield write
    sys.modules.pop("endless_program_of_the_tests", None)


def test_bounds_of_a_target_are_a_week_and_ten_thousand_calls(
    scenario_of: Callable[..., Path],
) -> None:
    spec = load_scenario(scenario_of("beats")).spec
    assert isinstance(spec, TargetScenario)
    assert (spec.horizon_s, spec.calls_per_task) == (7 * 86_400, 10_000)


def test_program_that_ends_when_it_is_cancelled_is_cut_at_the_horizon(
    scenario_of: Callable[..., Path],
) -> None:
    result = Simulation(scenario_of("beats", "horizon_s: 1000")).run()
    assert result.status == "horizon"


def test_program_that_swallows_its_end_is_named(scenario_of: Callable[..., Path]) -> None:
    with pytest.raises(LimitExceeded) as caught:
        Simulation(scenario_of("never_minds", "horizon_s: 1000")).run()
    text = str(caught.value)
    assert text.startswith("horizon_s exceeded: more than 1000\n")
    assert "in never_minds: await asyncio.sleep(5)" in text


def test_function_that_blocks_for_ever_is_ended_in_its_thread(
    scenario_of: Callable[..., Path],
) -> None:
    assert Simulation(scenario_of("blocks", "horizon_s: 1000")).run().status == "horizon"


def test_program_that_hands_over_for_ever_is_an_error_of_one_message(
    scenario_of: Callable[..., Path], harness: Callable[..., CompletedProcess[str]]
) -> None:
    done = harness("simulate", scenario_of("hands_over", "calls_per_task: 30"), "--quiet")
    assert done.returncode == 2
    assert "calls_per_task exceeded: more than 30" in done.stderr
    assert "made 30 calls: planner -> worker repeated 15 times" in done.stderr
    assert "Traceback" not in done.stderr

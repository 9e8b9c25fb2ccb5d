# ruff: noqa: ASYNC110 - programs as their authors write them
"""Limits of a task as properties: a program that breaks one is found and shrunk, and its mended twin is clean."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import anthropic
import pytest

from harness.cli import run as run_cli
from harness.errors import HarnessError
from harness.explore.deviation import Down, Heal
from harness.explore.exploration import Exploration
from harness.sim import Sim

SCENARIOS = Path(__file__).parents[2] / "scenarios"
SMALL, LARGE = "claude-haiku-4-5", "claude-opus-4-1"


async def ask(who: str, text: str = "Go.", model: str = SMALL, timeout_s: float = 600.0) -> str:
    """The answer; empty if there is none."""
    async with anthropic.AsyncAnthropic(api_key="test", max_retries=0, timeout=timeout_s) as client:
        try:
            answer = await client.messages.create(
                model=model,
                max_tokens=100,
                system=f"You are the {who}.",
                messages=[{"role": "user", "content": text}],
            )
        except (anthropic.APIError, ValueError):
            return ""
    return "".join(block.text for block in answer.content if block.type == "text")


async def asks_again(broken: bool) -> None:
    """An answer that fails is asked for up to eight times, where two would do."""
    for number in range(8 if broken else 2):
        if await ask("oracle", f"Try {number}."):
            return


async def sends_everything(broken: bool) -> None:
    """What was not answered is sent again with all there is."""
    if not await ask("oracle"):
        await ask("oracle", "Again, with all of it. " * (200 if broken else 1))


async def takes_the_dearest(broken: bool) -> None:
    """What the small model does not answer goes to the large one."""
    if not await ask("oracle"):
        await ask("deputy", model=LARGE if broken else SMALL)


async def waits_long(broken: bool) -> None:
    """A call has no time-out of its own."""
    await ask("oracle", timeout_s=600.0 if broken else 20.0)


async def backs_off(broken: bool) -> None:
    """A pause doubles with every failure, without a longest one."""
    pause_s = 1.0
    while not await ask("oracle", timeout_s=30.0):
        await asyncio.sleep(pause_s)
        pause_s = pause_s * 2 if broken else min(pause_s * 2, 60.0)


Program = Callable[[bool], Awaitable[None]]

PROGRAMS: dict[str, tuple[Program, dict[str, float]]] = {
    "calls": (asks_again, {"calls": 3}),
    "tokens": (sends_everything, {"tokens": 300}),
    "cost_usd": (takes_the_dearest, {"cost_usd": 0.0003}),
    "latency_s": (waits_long, {"latency_s": 60.0}),
    "recovery_s": (backs_off, {"recovery_s": 120.0}),
}


LEAST = {"calls": 3, "tokens": 1, "cost_usd": 1, "latency_s": 1, "recovery_s": 2}
"""How many deviations each takes."""


def explored(
    program: Program, limits: dict[str, float], *, broken: bool, runs: int = 12
) -> Exploration:
    sim = Sim(1)
    for who in ("oracle", "deputy"):
        sim.agent(who, system=f"*{who}*", reply="So it is.", latency_s=2.0, allow_unused=True)
    return sim.explore(partial(program, broken), limits=limits, runs=runs)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_breaks_a_limit_is_found_and_its_mended_twin_is_clean(name: str) -> None:
    found = explored(*PROGRAMS[name], broken=True)
    (finding,) = found.findings
    assert finding.kind == ("recovery" if name == "recovery_s" else "limit")
    assert len(finding.overrides) == LEAST[name]
    assert not found.not_reproducible
    mended = explored(*PROGRAMS[name], broken=False)
    assert not mended.findings, str(mended)


def test_without_limits_such_programs_are_clean() -> None:
    for name in ("calls", "tokens", "cost_usd", "latency_s"):
        assert not explored(PROGRAMS[name][0], {}, broken=True).findings


def test_what_waits_too_long_after_healing_is_told_with_when_it_heals() -> None:
    (finding,) = explored(*PROGRAMS["recovery_s"], broken=True).findings
    down, heals = finding.overrides
    assert isinstance(down, Down)
    assert isinstance(heals, Heal)
    assert "nothing fails any more from" in finding.story
    assert "after the last fault, more than its limit of 2 min 0 s" in finding.message


def test_a_program_may_go_on_for_as_long_as_a_fault_lasts_only_with_a_limit_of_recovery() -> None:
    (finding,) = explored(backs_off, {}, broken=False, runs=6).findings
    assert finding.kind == "livelock"


def test_a_program_that_never_notices_that_all_works_again_is_found() -> None:
    async def gives_up_silently(broken: bool) -> None:
        done = asyncio.Event()

        async def work() -> None:
            if await ask("oracle") or not broken:
                done.set()

        working = asyncio.create_task(work())
        while not done.is_set():
            await asyncio.sleep(5)
        await working

    found = explored(gives_up_silently, {"recovery_s": 120.0}, broken=True)
    assert [one.kind for one in found.findings] == ["recovery"]
    assert len(found.findings[0].overrides) == 1
    assert not explored(gives_up_silently, {"recovery_s": 120.0}, broken=False).findings


def test_a_limit_that_the_passing_run_breaks_is_the_finding() -> None:
    (finding,) = explored(waits_long, {"latency_s": 1.0}, broken=False).findings
    assert (finding.kind, finding.overrides) == ("limit", ())
    (finding,) = explored(waits_long, {"recovery_s": 1.0}, broken=False).findings
    assert (finding.kind, finding.overrides) == ("recovery", ())


def test_a_token_holds_the_limits() -> None:
    sim = Sim(1)
    sim.agent("oracle", system="*oracle*", reply="So it is.", latency_s=2.0)
    (finding,) = sim.explore(asks_again, True, limits={"calls": 3}, runs=20).findings
    again = sim.replay_finding(finding.token, asks_again, True)
    assert [one.message for one in again.findings] == [finding.message]
    assert not sim.replay_finding(finding.token, asks_again, False).findings


@pytest.mark.parametrize(
    "limits", [{"call": 3}, {"calls": 0}, {"cost_usd": float("nan")}, {"latency_s": "60"}]
)
def test_what_is_no_limit_is_told_in_one_message(limits: dict[str, float]) -> None:
    with pytest.raises(HarnessError, match="limits: "):
        explored(waits_long, limits, broken=False)


def test_a_scenario_states_limits_in_its_file_or_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["explore", str(SCENARIOS / "code_review.yaml"), "--runs", "12", "--format", "json"]
    assert run_cli(words) == 0
    capsys.readouterr()
    assert run_cli([*words, "--limit", "latency_s=30"]) == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["kind"], len(finding["deviations"])) == ("limit", 1)
    replay = ["explore", str(SCENARIOS / "code_review.yaml"), "--replay", finding["token"]]
    assert run_cli(replay) == 1
    assert finding["message"] in capsys.readouterr().out

    assert run_cli([*words, "--limit", "call=6"]) == 2
    assert "explore.limits.call" in capsys.readouterr().err
    assert run_cli([*words, "--set", "explore={limits: {latency_s: 1}}"]) == 1
    assert "more than its limit of 1" in capsys.readouterr().out


def test_a_limit_that_the_passing_run_breaks_takes_no_deviation() -> None:
    sim = Sim(1)
    sim.agent("planner", reply="a plan")

    async def main() -> None:
        for _ in range(3):
            await ask("planner")

    found = sim.explore(main, limits={"calls": 2}, runs=5)
    (finding,) = found.findings
    assert "It takes no deviation: the run fails as it is." in str(finding)

"""Messages of a pattern that are lost or come twice, tools whose answer is lost, agents that crash, tools that are used twice."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

import anthropic
import pytest

from harness.explore import portfolio
from harness.explore.budget import Budget
from harness.explore.deviation import Meets, ToolDropped, ToolTwice
from harness.explore.exploration import Exploration
from harness.explore.portfolio import Portfolio
from harness.explore.scenario import ExploredScenario, properties
from harness.explore.search import Search
from harness.scenario import load_scenario
from harness.sim import Sim

SCENARIOS = Path(__file__).parents[2] / "scenarios"


@pytest.fixture(autouse=True)
def mishaps_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portfolio, "FIRST", ())
    monkeypatch.setattr(portfolio, "ROUND", ("mishaps", "tools"))


DELIVERIES = """
scenario: deliveries
workload: {tasks: 1, kinds: [{kind: order, text: Send it.}]}
providers: {openai: {}}
models: {small: {provider: openai, name: gpt-4o-mini}}
tools:
  ship: {latency_s: 1.0, result: shipped}
agents:
  planner: {model: small}
  clerk: {model: small, stub: clerk.yaml, tools: [ship]}
  desk: {pattern: {react: {agent: clerk, max_iterations: 3}}}
pattern: {pipeline: {stages: [planner, desk]}}
"""
CLERK = """
agents:
  clerk:
    rules:
      - {prompt: "shipped", reply: Sent.}
      - {reply: {text: "I ship it.", tool_calls: [{tool: ship, arguments: {order: 7}}]}}
"""
"""It ships as often as it is told to."""


def searched(scenario: Path, faults: Sequence[str]) -> tuple[Search, Exploration]:
    loaded = load_scenario(scenario, overrides=["workload.tasks=2"])
    search = Search(ExploredScenario(loaded, 1), properties(), Budget(60, math.inf), faults)
    return search, Portfolio(search).run()


@pytest.mark.parametrize("fault", ["reply_lost", "message_duplicated"])
def test_an_effect_is_repeated_by_a_lost_reply_or_a_second_copy(fault: str, tmp_path: Path) -> None:
    scenario = SCENARIOS / "refund_twice.yaml"
    if fault == "message_duplicated":
        scenario = tmp_path / "deliveries.yaml"
        scenario.write_text(DELIVERIES)
        (tmp_path / "clerk.yaml").write_text(CLERK)
    _, found = searched(scenario, [fault])
    (finding,) = found.findings
    assert finding.kind == "repeated_effect"
    (meets,) = finding.overrides
    assert isinstance(meets, Meets)
    assert meets.name == fault
    assert not found.not_reproducible


def test_every_message_and_every_call_of_a_pattern_is_tried() -> None:
    search, found = searched(
        SCENARIOS / "pipeline.yaml", ["message_lost", "message_delayed", "crash"]
    )
    tried = {one for trial in search.trials.values() for one in trial.deviations}
    assert found.runs == len(tried) + 1 == 6 + 6 + 6 + 1
    met = {one for trial in search.trials.values() for one in trial.seen.applied}
    assert met == tried


async def ask(client: anthropic.AsyncAnthropic, text: str) -> bool:
    try:
        await client.messages.create(
            model="claude-haiku-4-5", max_tokens=50, messages=[{"role": "user", "content": text}]
        )
    except anthropic.APIError:
        return False
    return True


async def booking() -> bool:
    """Whether a trip is booked as a whole or not at all; a part that fails is cancelled by the same clerk."""
    async with anthropic.AsyncAnthropic(api_key="test", max_retries=0) as client:
        hotel = await ask(client, "Book the hotel.")
        if hotel and not await ask(client, "Book the flight."):
            return await ask(client, "Cancel the hotel.")
    return True


def clerk() -> Sim:
    sim = Sim(1)
    sim.agent("clerk", reply="done", latency_s=2.0)
    return sim


def test_an_agent_that_crashes_fails_in_the_calls_that_follow_too() -> None:
    sim = clerk()
    (finding,) = sim.explore(booking, check=bool, runs=10).findings
    (crash,) = finding.overrides
    assert isinstance(crash, Meets)
    assert (crash.sort, crash.name) == ("agent", "crash")
    assert "call 2 of clerk (booking, begun at 2.000 s) meets crash" in finding.story
    again = sim.replay_finding(finding.token)
    assert len(again.findings) == 1
    assert not again.not_reproducible


@pytest.mark.parametrize(("key", "times"), [(None, 1), ("order", 0)])
def test_a_tool_is_used_twice_unless_its_key_tells(key: str | None, times: int) -> None:
    boxes: list[int] = []

    async def ships() -> int:
        boxes.clear()
        await ship(order=7)
        return len(boxes)

    def send(order: int) -> None:
        boxes.append(order)

    sim = Sim(1)
    ship = sim.tool("ship", result=send, idempotency_key=key)

    def check(sent: int) -> bool:
        return sent == 1

    found = sim.explore(ships, check=check, runs=10, faults=["effect_twice"])
    assert not sim.explore(ships, check=check, runs=10).findings
    assert [one.overrides for one in found.findings] == [(ToolTwice("ships ship"),)] * times


def ships_by_bus(waits: float | None) -> tuple[Sim, Callable[[], Coroutine[object, None, bool]]]:
    """A parcel is sent, and somebody waits for it, at most for a time; the check of its outcome is not asked."""
    sim = Sim(1)
    arrived: list[asyncio.Event] = []
    ship = sim.tool("ship", result=lambda order: arrived[0].set())

    async def ships() -> bool:
        arrived[:] = [asyncio.Event()]
        await ship(order=7)
        try:
            await asyncio.wait_for(arrived[0].wait(), waits)
        except TimeoutError:
            return False
        return True

    return sim, ships


def test_who_waits_for_a_message_without_an_end_is_told_that_it_can_be_lost() -> None:
    sim, ships = ships_by_bus(None)
    (finding,) = sim.explore(ships, check=bool, runs=20).findings
    assert finding.kind == "deadlock"
    assert finding.overrides == (ToolDropped("ships ship"),)
    assert "use 1 of ship (ships, begun at 0.000 s) is answered, and has no effect" in finding.story
    assert len(sim.replay_finding(finding.token).findings) == 1


def test_a_check_does_not_blame_a_program_that_was_told_that_its_message_is_sent() -> None:
    sim, ships = ships_by_bus(60.0)
    assert not sim.explore(ships, check=bool, runs=20).findings


def test_tools_fail_only_if_that_is_among_the_faults() -> None:
    sim, ships = ships_by_bus(None)
    found = sim.explore(ships, check=bool, runs=30, faults=[])
    assert not found.findings
    assert found.coverage.pairs == 0

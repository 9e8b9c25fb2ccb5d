"""Policies on the agents of every pattern: without anything to do they change nothing, and on a program of one's own they work by hand."""

from __future__ import annotations

import asyncio

import anthropic
import pytest

from harness.resilience import Breaker, CircuitBreaker, CircuitOpen, Hedge, hedged
from harness.scenario import load_scenario
from harness.sim import Sim
from harness.spans import as_json_lines
from tests.patterns.simulated import SCENARIOS, simulated

IDLE = (
    "policies.default={deadline_s: 1000000, task_deadline_s: 1000000, queue: {max_in_flight: 100000, shared: all}, "
    "token_bucket: {tokens_per_min: 1000000000, shared: all}, hedge: {after_s: 1000000}, circuit_breaker: {failures: 1000000}, "
    "budget: {calls: 1000000, turns: 1000000, tokens: 1000000000}, escalate: {}}"
)

FEW = "workload.tasks=3"

NAMES = (
    "blackboard", "bus", "consensus", "debate", "handoff", "hierarchical", "hybrid", "market", "mesh", "nested",
    "orchestrator_worker", "parallel", "pipeline", "react_loop", "refine", "router", "tool_agent",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_policies_that_have_nothing_to_do_change_no_span_of_a_pattern(name: str) -> None:
    stated = load_scenario(SCENARIOS / f"{name}.yaml").of_pattern
    few = FEW if stated.workload.tasks is not None else "seed=1"
    warmup = "workload.warmup_tasks=0"
    alone = simulated(name, few, warmup, "policies={}", "faults=[]")
    held = simulated(name, few, warmup, "policies={}", "faults=[]", IDLE)
    assert as_json_lines(held.spans) == as_json_lines(alone.spans)
    assert as_json_lines(held.events) == as_json_lines(alone.events)


def test_program_of_ones_own_uses_policies_by_hand(sim: Sim) -> None:
    sim.provider("anthropic")
    sim.agent("writer", reply="hello")
    sim.fault("hang", call=1, for_s=100.0)

    async def program() -> tuple[str, float]:
        async with anthropic.AsyncAnthropic(max_retries=0) as client:

            async def ask(number: int) -> str:
                message = await client.messages.create(
                    model="claude-haiku-4-5",
                    max_tokens=9,
                    messages=[{"role": "user", "content": f"hi {number}"}],
                )
                block = message.content[0]
                assert block.type == "text"
                return block.text

            breaker = Breaker(CircuitBreaker(failures=1))
            text = await breaker.call(lambda: hedged(ask, Hedge(after_s=5)))
            return text, asyncio.get_running_loop().time()

    text, took_s = sim.run(program).output
    assert text == "hello"
    assert 5.0 < took_s < 30.0


@pytest.mark.parametrize(
    ("status", "seen"),
    [(529, ["OverloadedError"] * 2 + ["CircuitOpen"]), (400, ["BadRequestError"] * 3)],
)
def test_breaker_by_hand_counts_the_errors_of_a_real_client_that_a_retry_could_help(
    sim: Sim, status: int, seen: list[str]
) -> None:
    sim.provider("anthropic")
    sim.agent("writer", reply="hello")
    sim.fault("status", status=status)

    async def program() -> list[str]:
        breaker = Breaker(CircuitBreaker(failures=2))
        found = []
        async with anthropic.AsyncAnthropic(max_retries=0) as client:
            for _ in range(3):
                try:
                    await breaker.call(
                        lambda: client.messages.create(
                            model="claude-haiku-4-5",
                            max_tokens=9,
                            messages=[{"role": "user", "content": "hi"}],
                        )
                    )
                except (anthropic.APIError, CircuitOpen) as error:
                    found.append(type(error).__name__)
        return found

    assert sim.run(program).output == seen

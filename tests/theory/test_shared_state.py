"""Shared state against closed forms: tries of optimistic updates, and updates a second under a pessimistic lock."""

from __future__ import annotations

import asyncio
import math

import pytest

from harness.chance import Draws
from harness.kernel import Kernel, run
from harness.spans import STATE_CONFLICT, WAIT, SpanLog
from harness.state import Optimistic, Pessimistic, SharedState, StateConflict


async def _nothing(_value: str) -> str:
    return ""


def conflicts_and_failures(
    conflict_probability: float, retries: int, updates: int = 4000
) -> tuple[float, float]:
    """Conflicts of an update, and share of those that fail; others write at the times of a Poisson process.

    An update that thinks for 1 s meets no write with probability exp(-rate), so that the rate follows from the conflict
    probability; and the tries are independent, because the process has no memory.
    """
    rate_per_s = -math.log(1 - conflict_probability)
    kernel, draws = Kernel(steps_per_instant=10**9), Draws(1)
    log = SpanLog(kernel.now_s)
    state: SharedState = Optimistic(retries=retries).open(log, log.open_task("task", 1))

    async def others() -> None:
        number = 0
        while True:
            number += 1
            await asyncio.sleep(-math.log(draws.uniform("gap", number)) / rate_per_s)
            await state.update("plan", "others", _nothing)

    async def think(_value: str) -> str:
        await asyncio.sleep(1.0)
        return ""

    async def play() -> int:
        writing = asyncio.ensure_future(others())
        failed = 0
        for _ in range(updates):
            try:
                await state.update("plan", "slow", think)
            except StateConflict:
                failed += 1
        writing.cancel()
        return failed

    failed = run(kernel, play())
    conflicts = log.events.values("name").count(STATE_CONFLICT)
    return conflicts / updates, failed / updates


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("retries", [0, 1, 4])
def test_tries_of_an_optimistic_update_follow_a_geometric_law(p: float, retries: int) -> None:
    conflicts, failed = conflicts_and_failures(p, retries)
    # Conflicts: one of each try that fails, of at most retries + 1 tries.
    expected = sum(p**number for number in range(1, retries + 2))
    assert conflicts == pytest.approx(expected, rel=0.06, abs=0.01)
    assert failed == pytest.approx(p ** (retries + 1), rel=0.06, abs=0.01)


def updates_per_s(agents: int, between_s: float, think_s: float, updates: int = 200) -> float:
    """Updates a second of agents that each think under the lock, and do something else between."""
    kernel = Kernel()
    log = SpanLog(kernel.now_s)
    state: SharedState = Pessimistic().open(log, log.open_task("task", 1))

    async def think(_value: str) -> str:
        await asyncio.sleep(think_s)
        return ""

    async def agent(name: str) -> None:
        for _ in range(updates):
            await asyncio.sleep(between_s)
            await state.update("plan", name, think)

    async def play() -> None:
        await asyncio.gather(*(agent(f"agent{number}") for number in range(agents)))

    run(kernel, play())
    assert (WAIT in log.spans.values("kind")) == (agents > 1)
    return agents * updates / kernel.now_s()


@pytest.mark.parametrize("agents", [1, 2, 4, 5, 8, 20])
def test_updates_a_second_under_a_lock_are_bounded_by_the_time_that_it_is_held(agents: int) -> None:
    between_s, think_s = 6.0, 2.0
    bound = min(agents / (between_s + think_s), 1 / think_s)
    assert updates_per_s(agents, between_s, think_s) == pytest.approx(bound, rel=0.02)


@pytest.mark.parametrize("agents", [1, 3, 10])
def test_agents_that_only_think_under_the_lock_are_as_fast_as_one(agents: int) -> None:
    assert updates_per_s(agents, 0.0, 2.0) == 0.5

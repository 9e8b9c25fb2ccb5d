"""How much of its prompts a program reads from a cache, and what an hour in the cache costs."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import HarnessError
from harness.sim import Sim

anthropic = pytest.importorskip("anthropic")

LONG = "You know every rule of the house. " * 300


async def rounds(number: int, ttl: str = "5m", mark: bool = True) -> None:
    client = anthropic.AsyncAnthropic()
    part: dict[str, Any] = {"type": "text", "text": LONG}
    if mark:
        part["cache_control"] = {"type": "ephemeral", "ttl": ttl}
    for question in range(number):
        await client.messages.create(
            model="claude-sonnet-4-6",
            max_tokens=10,
            system=[part],
            messages=[{"role": "user", "content": f"question {question}"}],
        )


def test_a_cache_that_is_used_passes() -> None:
    run = Sim(1).run(rounds, 4)
    run.assert_cache_read_share(above=0.7)


def test_a_share_that_is_too_small_is_told_with_its_tokens() -> None:
    sim = Sim(1)
    sim.agent("clerk", reply="yes")
    run = sim.run(rounds, 4)
    with pytest.raises(
        AssertionError,
        match=r"^74\.\d% of the prompt tokens of agent 'clerk' came from .*: 7,650 of ",
    ):
        run.assert_cache_read_share(above=0.8, agent="clerk")


def test_without_a_cache_nothing_is_read_from_it() -> None:
    run = Sim(1).run(rounds, 2, mark=False)
    with pytest.raises(AssertionError, match=r"^0.0% of the prompt tokens came"):
        run.assert_cache_read_share(above=0.0)


def test_no_reply_is_no_share() -> None:
    run = Sim(1).run(rounds, 0)
    with pytest.raises(AssertionError, match=r"^no call got a reply"):
        run.assert_cache_read_share(above=0.5)


@pytest.mark.parametrize("above", [-0.1, 50])
def test_a_share_is_between_0_and_1(above: float) -> None:
    run = Sim(1).run(rounds, 1)
    with pytest.raises(HarnessError, match=r"^above: "):
        run.assert_cache_read_share(above=above)


def test_an_hour_in_the_cache_costs_twice_the_price_of_input() -> None:
    def cost(ttl: str) -> float:
        sim = Sim(1)
        sim.agent("clerk", reply="yes", output_tokens=1)
        return sim.run(rounds, 1, ttl).cost_usd

    written = 2550 * 3e-6
    assert cost("1h") - cost("5m") == pytest.approx(written * (2.0 - 1.25))

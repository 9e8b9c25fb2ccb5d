"""What a debate costs against one call, as a closed form of sizes and prices; exact, since nothing is drawn.

With P proponents, C critics, R rounds, a task of t tokens, replies of o tokens and questions of q tokens each, the calls
read and write

    proposals   P calls        t                    o
    critiques   R C calls      t + P o + q          o
    answers     R P calls      t + o + C o + q      o
    verdict     1 call         t + P o + q          o

against t and o of a single call.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from harness.metrics import Metrics, summarise
from harness.patterns.debate import CRITICISE, DEFEND, JUDGE
from harness.provider.tokens import count_tokens
from harness.run import Simulation

DEBATE = Path(__file__).parents[2] / "scenarios" / "debate.yaml"
TASK_TOKENS, REPLY_TOKENS = 400, 300
IN_USD, OUT_USD = 3e-6, 15e-6


def metrics(pattern: str) -> Metrics:
    sizes = [f"agents.{name}.output_tokens={REPLY_TOKENS}" for name in ("alice", "bob", "carol")]
    simulation = Simulation(
        DEBATE,
        overrides=[
            *sizes,
            f"agents.judge.output_tokens={REPLY_TOKENS}",
            "models.deep.prices={input_usd_per_mtok: 3, output_usd_per_mtok: 15}",
            f"pattern={pattern}",
        ],
    )
    return summarise([simulation.run(1).tally])[0]


def cost_usd(proponents: int, critics: int, rounds: int) -> float:
    t, o = TASK_TOKENS, REPLY_TOKENS
    read = (
        proponents * t
        + rounds * critics * (t + proponents * o + count_tokens(CRITICISE))
        + rounds * proponents * (t + o + critics * o + count_tokens(DEFEND))
        + (t + proponents * o + count_tokens(JUDGE))
    )
    calls = proponents + rounds * (critics + proponents) + 1
    return read * IN_USD + calls * o * OUT_USD


@pytest.mark.parametrize(
    ("proponents", "critics", "rounds"), [(1, 1, 1), (1, 1, 3), (2, 1, 1), (2, 2, 2), (1, 3, 1)]
)
def test_cost_of_a_debate(proponents: int, critics: int, rounds: int) -> None:
    who = f"proponents: {['alice'] * proponents}, critics: {['carol'] * critics}, judge: judge"
    found = metrics(f"{{debate: {{{who}, rounds: {rounds}}}}}")
    assert found["calls_mean"] == proponents + rounds * (critics + proponents) + 1
    assert math.isclose(
        found["cost_usd_mean"], cost_usd(proponents, critics, rounds), rel_tol=1e-12
    )


def test_smallest_debate_costs_between_three_and_six_single_calls() -> None:
    """One proponent, one critic, one round: four calls instead of one, which read more than one does."""
    single = metrics("{single: {agent: alice}}")["cost_usd_mean"]
    assert math.isclose(single, TASK_TOKENS * IN_USD + REPLY_TOKENS * OUT_USD, rel_tol=1e-12)
    assert 3 < cost_usd(1, 1, 1) / single < 6

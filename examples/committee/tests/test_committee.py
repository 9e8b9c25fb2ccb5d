"""How votes are counted when all are there, when some are not, and when some are not what they seem."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from committee import CONCERNS, Decision, decide

from harness.sim import Sim

PROPOSAL = "Move the session store to the new cluster on Friday afternoon."
REASONS = {
    "security": "The new cluster encrypts what it stores.",
    "cost": "It saves a third of the monthly bill.",
    "users": "Nobody will notice but for one logout.",
    "operations": "Nobody is on call on Friday night.",
}


@pytest.fixture
def seat(sim: Sim) -> Callable[..., None]:
    """Seats the members with the votes given, each known by its concern."""

    def seat_members(**choices: str) -> None:
        for concern, choice in choices.items():
            sim.agent(
                concern,
                system=f"*concern is {concern}*",
                reply={"choice": choice, "reason": REASONS[concern]},
            )

    return seat_members


def test_three_against_one_decide_at_once_and_without_the_chair(
    sim: Sim, seat: Callable[..., None]
) -> None:
    seat(security="approve", cost="approve", users="approve", operations="reject")

    run = sim.run(decide, PROPOSAL)

    assert run.output.choice == "approve"
    assert run.output.votes["operations"].reason == REASONS["operations"]
    assert not run.output.by_chair
    run.assert_parallel(*CONCERNS)
    run.assert_cost_below(0.005)


def test_a_tie_goes_to_the_chair_who_hears_the_reasons_of_both_sides(
    sim: Sim, seat: Callable[..., None]
) -> None:
    seat(security="approve", cost="approve", users="reject", operations="reject")
    sim.agent(
        "chair", system="You chair*", reply={"choice": "reject", "reason": "Not on a Friday."}
    )

    run = sim.run(decide, PROPOSAL)

    assert run.output.choice == "reject"
    assert run.output.by_chair
    for concern in CONCERNS:
        run.assert_called_with_output_of("chair", concern)


@pytest.mark.parametrize(
    ("fault", "fields"),
    [
        ("overloaded", {}),
        ("status", {"status": 500}),
        ("hang", {}),
        ("truncated", {"keep": 0.3}),
        ("refused", {}),
    ],
)
def test_a_member_who_fails_is_absent_and_the_others_decide(
    sim: Sim, seat: Callable[..., None], fault: str, fields: dict[str, Any]
) -> None:
    seat(security="approve", cost="approve", users="approve", operations="reject")
    sim.fault(fault, agent="users", **fields)

    run = sim.run(decide, PROPOSAL)

    assert run.output.choice == "approve"
    assert run.output.absent == ["users"]


def test_a_single_voter_decides_for_all_when_the_others_are_absent(
    sim: Sim, seat: Callable[..., None]
) -> None:
    """A weakness, written down: nobody asks for a quorum."""
    seat(security="approve", cost="approve", users="approve", operations="reject")
    for concern in ("security", "cost", "users"):
        sim.fault("overloaded", agent=concern)

    run = sim.run(decide, PROPOSAL)

    assert run.output.choice == "reject"
    assert list(run.output.votes) == ["operations"]


def test_one_liar_turns_a_decision_round_when_it_is_close(
    sim: Sim, seat: Callable[..., None]
) -> None:
    seat(security="approve", cost="approve", users="reject")
    sim.agent(
        "operations",
        system="*concern is operations*",
        reply={"choice": "approve", "reason": "Nobody is on call on Friday night, which is bad."},
    )

    run = sim.run(decide, PROPOSAL)

    assert run.output.choice == "approve"


@pytest.mark.sim(scenario="../scenario.yaml", runs=3)
def test_the_committee_of_the_scenario_reaches_a_decision_in_ten_seconds(sim: Sim) -> None:
    run = sim.run(decide, PROPOSAL)

    assert run.output.choice in {"approve", "reject"}
    run.assert_latency_below(10)


async def test_two_committees_that_sit_at_once_count_their_own_votes(sim: Sim) -> None:
    async def sit(name: str, choice: str) -> Decision:
        sim.agent(name, reply={"choice": choice, "reason": f"{name} says so"})
        with sim.agent_scope(name):
            return await decide(PROPOSAL)

    left, right = await asyncio.gather(sit("left", "approve"), sit("right", "reject"))

    assert (left.choice, right.choice) == ("approve", "reject")
    sim.so_far().assert_called("left", times=len(CONCERNS))

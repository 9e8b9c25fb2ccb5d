"""What a gate does for a crowd in a quota, what the crowd does without one, and what a single bad reviewer does."""

from __future__ import annotations

import asyncio

import pytest
from crowd import AT_ONCE, ROUNDS, review_all

from harness.sim import Sim

TEXTS = [
    f"Chapter {number} begins with the weather and ends with a list." for number in range(1, 21)
]
CALLS = len(TEXTS) * (1 + 2 * ROUNDS)
CALL_S = 2


@pytest.fixture
def crowd(sim: Sim) -> None:
    """Twenty reviewers and their critic, at a provider that takes two seconds for each call."""
    sim.provider("anthropic", latency=CALL_S)
    sim.agent(
        "reviewer",
        system="You are reviewer*",
        reply=lambda call: f"The list of {call.prompt[:10]} is dull.",
    )
    sim.agent(
        "critic", system="*critic of reviews*", reply="Nobody has asked whether the list is funny."
    )


@pytest.mark.usefixtures("crowd")
def test_without_a_quota_five_at_once_are_four_times_slower_than_all_at_once(sim: Sim) -> None:
    gated = sim.run(review_all, TEXTS)
    at_once = sim.run(review_all, TEXTS, at_once=len(TEXTS))

    gated.assert_parallel(at_least=AT_ONCE)
    with pytest.raises(AssertionError, match=f"at most {AT_ONCE} of 100 calls"):
        gated.assert_parallel(at_least=AT_ONCE + 1)
    assert gated.latency_s == pytest.approx(CALLS * CALL_S / AT_ONCE)
    assert at_once.latency_s == pytest.approx(gated.latency_s / 4)


@pytest.mark.usefixtures("crowd")
def test_criticism_reaches_the_reviewer_and_reviews_reach_the_critic(sim: Sim) -> None:
    run = sim.run(review_all, TEXTS[:2])

    run.assert_called_with_output_of("critic", "reviewer")
    run.assert_called_with_output_of("reviewer", "critic")
    assert run.output.reviews == {
        1: "The list of Chapter 1  is dull.",
        2: "The list of Chapter 2  is dull.",
    }


@pytest.mark.usefixtures("crowd")
@pytest.mark.sim(runs=3)
def test_in_sixty_requests_a_minute_five_at_once_finish_in_a_minute_and_nobody_is_lost(
    sim: Sim,
) -> None:
    sim.provider("anthropic", latency=CALL_S, requests_per_min=60)

    run = sim.run(review_all, TEXTS)

    assert len(run.output.reviews) == len(TEXTS)
    assert not run.output.failures
    assert 0 < run.rate_limited <= 10
    assert (
        CALLS / run.latency_s > 2
    )  # requests a second: a full bucket carries the crowd beyond its quota
    run.assert_latency_below(60)
    run.assert_cost_below(0.02)


@pytest.mark.usefixtures("crowd")
def test_in_the_same_quota_all_at_once_lose_most_of_their_reviews_though_everyone_retries(
    sim: Sim,
) -> None:
    """Why there is a gate: all are told to come back after the same second, and come back together."""
    sim.provider("anthropic", latency=CALL_S, requests_per_min=60)

    run = sim.run(review_all, TEXTS, at_once=len(TEXTS))

    assert len(run.output.failures) > len(TEXTS) / 2
    assert run.rate_limited > 50
    assert {type(error).__name__ for error in run.output.failures.values()} == {"RateLimitError"}


@pytest.mark.usefixtures("crowd")
def test_an_outage_of_ten_seconds_burns_through_the_whole_crowd_unless_it_is_patient(
    sim: Sim,
) -> None:
    """A weakness, written down: who fails makes place for the next, who fails as well."""
    sim.provider("anthropic", latency=CALL_S, outages=[{"at_s": 5, "for_s": 10}])

    hasty = sim.run(review_all, TEXTS, max_retries=2)
    patient = sim.run(review_all, TEXTS, max_retries=6)

    assert len(hasty.output.failures) == len(TEXTS)
    assert hasty.latency_s < 15  # over before the outage is
    assert not patient.output.failures


@pytest.mark.usefixtures("crowd")
def test_reviewers_who_hang_keep_their_places_at_the_gate(sim: Sim) -> None:
    """A weakness, written down: who waits for an answer that never comes holds a fifth of all there is."""
    usual = sim.run(review_all, TEXTS)
    sim.fault("hang", agent="reviewer", call=1)

    run = sim.run(review_all, TEXTS, max_retries=1)

    assert list(run.output.failures) == [1]
    assert run.latency_s > 2 * usual.latency_s


@pytest.mark.usefixtures("crowd")
def test_the_same_seed_is_the_same_run_down_to_the_last_retry(sim: Sim) -> None:
    sim.provider(
        "anthropic", requests_per_min=30, overload={"calm_s": 20, "overloaded_s": 2, "refuse": 0.5}
    )

    first, again = (sim.run(review_all, TEXTS, seed=11) for _ in range(2))

    assert first.timeline() == again.timeline()
    assert first.retries == again.retries > 0


async def test_two_crowds_of_one_account_share_its_quota(sim: Sim) -> None:
    sim.provider("anthropic", latency=CALL_S, requests_per_min=60)

    async def crowd(name: str) -> None:
        with sim.agent_scope(name):
            await review_all(TEXTS[:10])

    await asyncio.gather(crowd("left"), crowd("right"))

    run = sim.so_far()
    assert run.agents == ["left", "right"]
    assert run.rate_limited > 0
    assert len(run.calls("left")) + len(run.calls("right")) <= CALLS

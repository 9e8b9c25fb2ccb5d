"""What agreement costs, and the votes that a threshold cannot cope with."""

from __future__ import annotations

import pytest
from consensus_coordinator import ConsensusCoordinator, VotingAgent, decide

from harness.sim import Sim

LATENCY_S = {"security": 2.0, "cost": 3.0, "operations": 4.0}
PROPOSAL = "Move the sessions on Friday."


def describe(sim: Sim, **votes: str) -> None:
    """Experts that vote as their words say, one a round; the last word is never used up."""
    for name, words in votes.items():
        said = [{"vote": word, "reason": f"{name} says so"} for word in words.split()]
        sim.agent(
            name,
            system=f"*{name} expert*",
            reply=said if len(said) > 1 else said[0],
            latency_s=LATENCY_S[name],
        )


def test_a_clear_majority_takes_one_round(sim: Sim, capsys: pytest.CaptureFixture[str]) -> None:
    describe(sim, security="agree", cost="agree", operations="disagree")

    run = sim.run(decide, PROPOSAL)

    assert run.output is True
    assert capsys.readouterr().out == "[00:00:09] round 1: 67% agree\n"


def test_in_the_second_round_agents_know_the_reasons_of_the_first(sim: Sim) -> None:
    describe(sim, security="disagree agree", cost="abstain agree", operations="agree agree")

    run = sim.run(decide, PROPOSAL)

    assert run.output is True
    run.assert_called_with_output_of(
        "operations",
        "security",
    )
    assert "security: disagree, security says so" in run.calls("cost")[1].prompt


def test_abstentions_do_not_count_for_the_threshold(sim: Sim) -> None:
    describe(sim, security="agree", cost="abstain", operations="abstain")

    assert sim.run(decide, PROPOSAL).output is True


def test_agents_vote_one_after_the_other_in_every_round(sim: Sim) -> None:
    """A weakness: it is slow. Three rounds of nine seconds end without a decision."""
    describe(sim, security="agree", cost="disagree", operations="abstain")

    run = sim.run(decide, PROPOSAL)

    assert run.output is None
    assert run.latency_s == 3 * (2.0 + 3.0 + 4.0)
    assert len(run.calls()) == 9


def test_when_all_abstain_the_share_is_a_division_by_zero(sim: Sim) -> None:
    """A weakness: nobody has thought of a vote without votes."""
    describe(sim, security="abstain", cost="abstain", operations="abstain")

    with pytest.raises(ZeroDivisionError):
        sim.run(decide, PROPOSAL)


def test_one_agent_that_cannot_be_asked_ends_the_vote_of_all(sim: Sim) -> None:
    """A weakness: two votes would have been enough, and one error loses them."""
    describe(sim, security="agree", cost="agree", operations="agree")
    sim.fault("status", status=400, agent="operations")

    with pytest.raises(Exception, match="400"):
        sim.run(decide, PROPOSAL)

    assert sim.last_run.agents == ["security", "cost", "operations"]


def test_agents_that_are_wrong_together_defeat_the_vote(sim: Sim) -> None:
    """A weakness: a vote helps against independent errors. Here all experts repeat the same false sentence."""
    rumour = {"vote": "agree", "reason": "The vendor says that it is safe."}
    for name in LATENCY_S:
        sim.agent(name, system=f"*{name} expert*", reply=rumour)

    def program() -> tuple[bool | None, set[str]]:
        coordinator = ConsensusCoordinator([VotingAgent(name) for name in LATENCY_S])
        decision = coordinator.reach_consensus(PROPOSAL)
        return decision, {vote.reason for vote in coordinator.history[0]}

    assert sim.run(program).output == (True, {"The vendor says that it is safe."})


@pytest.mark.parametrize("said", ["I agree.", '{"vote": "yes", "reason": "Why not."}'])
def test_a_vote_in_other_words_ends_the_vote_of_all(sim: Sim, said: str) -> None:
    """A weakness: a model that talks, or that says yes instead of agree."""
    describe(sim, cost="agree")
    sim.agent("security", system="*security expert*", reply=said)

    with pytest.raises(ValueError, match=r"Expecting value|not a valid VoteType"):
        sim.run(
            ConsensusCoordinator([VotingAgent("cost"), VotingAgent("security")]).reach_consensus,
            PROPOSAL,
        )

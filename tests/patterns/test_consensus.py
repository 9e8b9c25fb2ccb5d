"""A vote: who must agree, what silence means, how ties end, and what errors that all voters share do to it."""

from __future__ import annotations

from typing import Any

import pytest

from harness.models import ModelError
from harness.patterns.consensus import (
    REVISE,
    VOTE,
    Consensus,
    ProposalRejected,
    QuorumMissed,
)
from harness.patterns.decisions import DecisionUnreadable
from harness.spans import CALL, TASK
from tests.patterns.simulated import metrics_of, rows, simulated
from tests.patterns.stage import FAILURE, Answer, Speaker, Stage

SAID: dict[str, Answer] = {
    "+": "Agree: fine",
    "-": "**disagree**, too dear",
    "0": '{"vote": "abstain"}',
    "x": FAILURE,
}


def voting(votes: str, **settings: Any) -> str:  # noqa: ANN401 - fields of the pattern
    """How a vote ends, one sign a voter: the answer's text, or the error."""
    names = [chr(ord("a") + place) for place in range(len(votes))]
    stage = Stage(
        **{name: Speaker(1.0, SAID[sign]) for name, sign in zip(names, votes, strict=True)}
    )
    try:
        return stage.play(Consensus(voters=tuple(names), **settings)).text
    except (ProposalRejected, QuorumMissed) as error:
        return f"{type(error).__name__}: {error}"


ACCEPTED = "the task"


def rejected(agree: int, disagree: int, abstain: int = 0) -> str:
    return f"ProposalRejected: {agree} agree, {disagree} disagree, {abstain} abstain"


def missed(agree: int, disagree: int, abstain: int) -> str:
    return f"QuorumMissed: {agree} agree, {disagree} disagree, {abstain} abstain"


# -- counting -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("votes", "settings", "outcome"),
    [
        ("+++", {}, ACCEPTED),
        ("++-", {}, ACCEPTED),
        ("+--", {}, rejected(1, 2)),
        ("++-", {"threshold": 2 / 3}, ACCEPTED),
        ("++-", {"threshold": 0.7}, rejected(2, 1)),
        ("+++", {"threshold": 1.0}, ACCEPTED),
        ("++-", {"threshold": 1.0}, rejected(2, 1)),
        ("++0", {"threshold": 1.0}, ACCEPTED),  # who abstains is not counted
    ],
)
def test_threshold_is_the_share_of_those_who_agree_or_disagree(
    votes: str, settings: dict[str, Any], outcome: str
) -> None:
    assert voting(votes, **settings) == outcome


@pytest.mark.parametrize(
    ("votes", "settings", "outcome"),
    [
        ("++00", {}, ACCEPTED),
        ("+000", {}, missed(1, 0, 3)),
        ("+000", {"quorum": 0.25}, ACCEPTED),
        ("+++0", {"quorum": 1.0}, missed(3, 0, 1)),
        ("000", {}, missed(0, 0, 3)),
        ("000", {"quorum": 0.0}, missed(0, 0, 3)),
        ("+xx", {}, missed(1, 0, 2)),
        ("++x", {}, ACCEPTED),
        ("xxx", {"quorum": 0.0}, missed(0, 0, 3)),
    ],
)
def test_quorum_is_the_share_that_does_not_abstain_or_fail(
    votes: str, settings: dict[str, Any], outcome: str
) -> None:
    assert voting(votes, **settings) == outcome


@pytest.mark.parametrize(
    ("votes", "tie", "outcome"),
    [
        ("+-", "reject", rejected(1, 1)),
        ("+-", "accept", ACCEPTED),
        ("+-", "first", ACCEPTED),
        ("-+", "first", rejected(1, 1)),
        ("0-+", "first", rejected(1, 1, 1)),
        ("x+-", "first", ACCEPTED),
        ("++-", "reject", ACCEPTED),
    ],
)
def test_tie_ends_by_its_rule(votes: str, tie: str, outcome: str) -> None:
    assert voting(votes, tie=tie) == outcome


@pytest.mark.parametrize(
    ("votes", "weights", "outcome"),
    [
        ("+--", {"a": 3.0}, ACCEPTED),
        ("+--", {"a": 2.0}, rejected(1, 2)),  # a tie
        ("+--", {"a": 0.3, "b": 0.1, "c": 0.2}, rejected(1, 2)),  # a tie too
        ("+00", {"a": 2.0}, ACCEPTED),  # half of all votes
        ("+00", {"a": 1.9}, missed(1, 0, 2)),
    ],
)
def test_votes_have_weights(votes: str, weights: dict[str, float], outcome: str) -> None:
    assert voting(votes, weights=weights) == outcome


def test_weight_of_somebody_who_does_not_vote_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^z has a weight and no vote$"):
        Consensus(voters=("a",), weights={"z": 2.0})


# -- proposing ----------------------------------------------------------------------------------------------------


def committee(*proposals: str, votes: tuple[Answer, ...]) -> Stage:
    return Stage(
        chair=Speaker(1.0, *proposals), a=Speaker(2.0, *votes), b=Speaker(3.0, "agree: why not")
    )


def test_voters_read_the_task_and_the_proposal() -> None:
    stage = committee("plan", votes=("agree",))
    answer = stage.play(Consensus(proposer="chair", voters=("a", "b")))
    assert (answer.sender, answer.text) == ("chair", "plan")
    assert stage.speakers["a"].prompts == [f"the task\n\nplan\n\n{VOTE}"]
    assert stage.kernel.now_s() == 4.0  # the slowest voter


def test_rejected_proposal_is_revised_with_the_reasons_of_the_voters() -> None:
    stage = committee("plan", "better", votes=("disagree: dear", "agree"))
    answer = stage.play(Consensus(proposer="chair", voters=("a", "b"), rounds=2))
    assert answer.text == "better"
    assert stage.speakers["chair"].prompts[1] == (
        f"the task\n\nplan\n\ndisagree: dear\n\nagree: why not\n\n{REVISE}"
    )


def test_no_proposal_is_written_after_the_last_vote() -> None:
    stage = committee("plan", votes=("disagree",))
    with pytest.raises(ProposalRejected):
        stage.play(Consensus(proposer="chair", voters=("a", "b"), rounds=3))
    assert len(stage.speakers["chair"].prompts) == len(stage.speakers["a"].prompts) == 3


def test_second_round_without_a_proposer_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^without a proposer nobody writes a second proposal$"):
        Consensus(voters=("a",), rounds=2)


def test_failure_of_the_proposer_ends_the_task() -> None:
    stage = Stage(chair=Speaker(1.0, FAILURE), a=Speaker(1.0, "agree"))
    with pytest.raises(ModelError):
        stage.play(Consensus(proposer="chair", voters=("a",)))


@pytest.mark.parametrize("reply", ["it depends", "agree or disagree?", "", "I do not agree"])
def test_reply_that_is_no_vote_fails_the_task_or_abstains(reply: str) -> None:
    stage = Stage(a=Speaker(1.0, reply), b=Speaker(1.0, "agree"))
    if not reply.startswith("agree"):
        with pytest.raises(DecisionUnreadable, match=r"^a chose none of agree, disagree, abstain"):
            stage.play(Consensus(voters=("a", "b")))
    stage.play(Consensus(voters=("a", "b"), on_unreadable="abstain"))


# -- scenarios ----------------------------------------------------------------------------------------------------


def outcomes(name: str) -> dict[str, tuple[str, str]]:
    """How the tasks of each kind ended; all of one kind end in the same way."""
    found: dict[str, tuple[str, str]] = {}
    for kind, *ending in rows(simulated(name), TASK, "name", "status", "error"):
        assert found.setdefault(kind, tuple(ending)) == tuple(ending)
    return found


def test_vote_corrects_voters_that_err_on_different_proposals() -> None:
    """Each voter overlooks one of three flaws, and the two others outvote it."""
    flaws = ("flaw_in_code", "flaw_in_data", "flaw_in_cost")
    assert outcomes("consensus") == {"sound": ("ok", "")} | dict.fromkeys(
        flaws, ("error", "ProposalRejected")
    )


def test_error_that_all_voters_share_defeats_the_vote() -> None:
    """The flaw that none of them knows is accepted; where all abstain, there is no result at all."""
    assert outcomes("consensus_correlated") == {
        "sound": ("ok", ""),
        "unknown_flaw": ("ok", ""),
        "unfamiliar": ("error", "QuorumMissed"),
    }


def test_vote_is_slower_and_dearer_than_one_opinion() -> None:
    found = metrics_of(simulated("consensus"))
    alone = metrics_of(simulated("consensus", "pattern={single: {agent: coder}}"))
    assert len(rows(simulated("consensus"), CALL)) == 3 * 60
    assert found["latency_s_mean"] > alone["latency_s_mean"]
    assert found["cost_usd_mean"] > 2.5 * alone["cost_usd_mean"]

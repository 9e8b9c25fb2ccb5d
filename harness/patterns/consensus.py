"""A proposal is put to the vote, and counts only if enough members agree."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Gt, MinLen

from harness.agents import Message
from harness.agents.reading import choice
from harness.errors import did_you_mean
from harness.patterns.api import PatternError, Team
from harness.patterns.decisions import ask, decision
from harness.patterns.nested import MemberName
from harness.patterns.side_by_side import Outcome, messages, side_by_side
from harness.units import Count, Probability

VOTE = "Do you agree? Begin with agree, disagree or abstain, and give your reasons."
REVISE = "The proposal was rejected. Write a better one."
VOTES = ("agree", "disagree", "abstain")
DIGITS = 9
"""Weights are added up to this many digits, so that 0.1 and 0.2 are as much as 0.3."""


class ProposalRejected(PatternError):  # noqa: N818 - names the condition
    """Too few voters agree."""


class QuorumMissed(PatternError):  # noqa: N818 - names the condition
    """Too many voters abstain or fail."""


Votes = list[tuple[str, str]]
"""Voter and vote, in the order in which the voters are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consensus:
    """Propose, vote side by side, count; a rejected proposal may be revised."""

    voters: Annotated[tuple[MemberName, ...], MinLen(1)]
    """Who votes; each gets the task and the proposal, and answers `agree`, `disagree` or `abstain` with reasons, at the
    beginning or in a field `vote`. A voter that fails abstains."""
    proposer: MemberName | None = None
    """Who makes the proposal; absent means that the task is the proposal."""
    threshold: Probability = 0.5
    """At least this share of the votes that agree or disagree must agree; a tie is decided by `tie`."""
    quorum: Probability = 0.5
    """At least this share of all votes must agree or disagree; at least one must in any case."""
    tie: Literal["reject", "accept", "first"] = "reject"
    """When as many agree as disagree: the proposal is rejected, accepted, or the voter that is listed first and does not
    abstain decides."""
    weights: dict[str, Annotated[float, Gt(0)]] = field(default_factory=dict)
    """What the vote of a voter counts; absent means 1."""
    rounds: Count = 1
    """Most proposals: a proposer whose proposal is rejected reads the votes and writes another."""
    on_unreadable: Literal["fail", "abstain"] = "fail"
    """When a reply is no vote: the task fails, or the voter abstains."""

    def __post_init__(self) -> None:
        for name in self.weights:
            if name not in self.voters:
                raise ValueError(
                    f"{name} has a weight and no vote{did_you_mean(name, self.voters)}"
                )
        if self.proposer is None and self.rounds > 1:
            raise ValueError("without a proposer nobody writes a second proposal")

    async def run(self, task: Message, team: Team) -> Message:
        """Propose and vote.

        Returns:
            The proposal that was accepted.

        Raises:
            ProposalRejected: The last proposal was rejected.
            QuorumMissed: Too few agreed or disagreed.
            DecisionUnreadable: A reply is no vote.
        """
        proposal = task if self.proposer is None else await team[self.proposer].handle(task)
        votes: Votes = []
        for number in range(1, self.rounds + 1):
            seen = (task,) if self.proposer is None else (task, proposal)
            question = ask(task, VOTE)
            outcomes = await side_by_side(
                [team[voter].handle(*seen, question) for voter in self.voters]
            )
            votes = self._votes(outcomes)
            if self._accepts(votes):
                return proposal
            if self.proposer is not None and number < self.rounds:
                again = ask(task, REVISE)
                proposal = await team[self.proposer].handle(
                    task, proposal, *messages(outcomes), again
                )
        raise ProposalRejected(_tally(votes))

    def _votes(self, outcomes: Mapping[int, Outcome]) -> Votes:
        votes = []
        for place, voter in enumerate(self.voters):
            reply, vote = outcomes[place], "abstain"
            if isinstance(reply, Message):
                lenient = self.on_unreadable == "abstain"
                vote = (choice(reply.text, VOTES) or vote) if lenient else decision(reply, VOTES)
            votes.append((voter, vote))
        return votes

    def _accepts(self, votes: Votes) -> bool:
        cast = [(voter, vote) for voter, vote in votes if vote != "abstain"]
        agree = self._weight(voter for voter, vote in cast if vote == "agree")
        total = self._weight(voter for voter, _ in cast)
        if not cast or total < round(self.quorum * self._weight(self.voters), DIGITS):
            raise QuorumMissed(_tally(votes))
        if round(2 * agree, DIGITS) == total:
            return cast[0][1] == "agree" if self.tie == "first" else self.tie == "accept"
        return agree >= round(self.threshold * total, DIGITS)

    def _weight(self, voters: Iterable[str]) -> float:
        return round(math.fsum(self.weights.get(voter, 1.0) for voter in voters), DIGITS)


def _tally(votes: Votes) -> str:
    """How many voters voted what."""
    return ", ".join(f"{sum(vote == one for _, vote in votes)} {one}" for one in VOTES)

"""A coordinator that lets agents vote on a proposal, in rounds, until enough of them agree."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from openai import OpenAI

MODEL = "gpt-4o-mini"


class VoteType(Enum):
    """What an agent may say of a proposal."""

    AGREE = "agree"
    DISAGREE = "disagree"
    ABSTAIN = "abstain"


@dataclass
class Vote:
    """What one agent said, and why."""

    agent: str
    vote: VoteType
    reason: str
    timestamp: datetime = field(default_factory=datetime.now)


class VotingAgent:
    """Evaluates proposals from one point of view."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.client = OpenAI()

    def evaluate(self, proposal: str, previous: list[Vote]) -> Vote:
        """Vote, knowing what was said in the round before."""
        said = "\n".join(f"{vote.agent}: {vote.vote.value}, {vote.reason}" for vote in previous)
        completion = self.client.chat.completions.create(
            model=MODEL,
            messages=[
                {
                    "role": "system",
                    "content": f"You are the {self.name} expert. Reply with JSON: vote (agree, disagree, abstain), reason.",
                },
                {"role": "user", "content": f"{proposal}\n{said}".strip()},
            ],
        )
        answer = json.loads(completion.choices[0].message.content or "")
        return Vote(self.name, VoteType(answer["vote"]), answer["reason"])


class ConsensusCoordinator:
    """Asks all agents, round after round."""

    def __init__(
        self, agents: list[VotingAgent], threshold: float = 0.66, max_rounds: int = 3
    ) -> None:
        self.agents = agents
        self.threshold = threshold
        self.max_rounds = max_rounds
        self.history: list[list[Vote]] = []

    def reach_consensus(self, proposal: str) -> bool | None:
        """Return whether the agents agree; None if they never reach the threshold."""
        votes: list[Vote] = []
        for round_number in range(1, self.max_rounds + 1):
            votes = [agent.evaluate(proposal, votes) for agent in self.agents]
            self.history.append(votes)
            agree = sum(vote.vote is VoteType.AGREE for vote in votes)
            disagree = sum(vote.vote is VoteType.DISAGREE for vote in votes)
            share = agree / (agree + disagree)
            print(f"[{datetime.now():%H:%M:%S}] round {round_number}: {share:.0%} agree")
            if share >= self.threshold:
                return True
            if 1 - share >= self.threshold:
                return False
        return None


def decide(proposal: str) -> bool | None:
    """Let three experts decide."""
    experts = [VotingAgent(name) for name in ("security", "cost", "operations")]
    return ConsensusCoordinator(experts).reach_consensus(proposal)


if __name__ == "__main__":
    print(decide(" ".join(sys.argv[1:])))

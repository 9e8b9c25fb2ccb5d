"""A committee: its members vote in a fixed form, the majority decides, and a chair breaks ties."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from typing import Literal

from anthropic import APIError, AsyncAnthropic
from pydantic import BaseModel

Choice = Literal["approve", "reject"]

MEMBER_MODEL = "claude-haiku-4-5"
CHAIR_MODEL = "claude-sonnet-4-6"
CONCERNS = ("security", "cost", "users", "operations")
MEMBER = "You sit on a change committee, and your concern is {concern}. Vote on the proposal."
CHAIR = (
    "You chair a change committee whose votes are tied. Decide, and answer the members' reasons."
)


class Vote(BaseModel):
    """What a member says."""

    choice: Choice
    reason: str


class Decision(BaseModel):
    """What the committee says."""

    choice: Choice
    votes: dict[str, Vote]
    """The votes that were cast, by concern."""
    absent: list[str]
    """Whose votes are missing."""
    by_chair: bool = False


async def decide(proposal: str) -> Decision:
    """Let all members vote at once, and count; who fails to vote is absent."""
    async with AsyncAnthropic(timeout=30, max_retries=1) as client:
        cast = await asyncio.gather(*(_vote(client, concern, proposal) for concern in CONCERNS))
        votes = {concern: vote for concern, vote in zip(CONCERNS, cast, strict=True) if vote}
        absent = [concern for concern in CONCERNS if concern not in votes]
        counted = Counter(vote.choice for vote in votes.values())
        if counted["approve"] == counted["reject"]:
            reasons = "\n".join(f"{vote.choice}: {vote.reason}" for vote in votes.values())
            verdict = await _ask(client, CHAIR_MODEL, CHAIR, f"{proposal}\n\n{reasons}")
            return Decision(choice=verdict.choice, votes=votes, absent=absent, by_chair=True)
        winner = max(votes.values(), key=lambda vote: counted[vote.choice]).choice
        return Decision(choice=winner, votes=votes, absent=absent)


async def _vote(client: AsyncAnthropic, concern: str, proposal: str) -> Vote | None:
    try:
        return await _ask(client, MEMBER_MODEL, MEMBER.format(concern=concern), proposal)
    except (APIError, ValueError):  # no answer, or one that is no vote
        return None


async def _ask(client: AsyncAnthropic, model: str, system: str, prompt: str) -> Vote:
    message = await client.messages.parse(
        model=model,
        max_tokens=512,
        system=system,
        messages=[{"role": "user", "content": prompt}],
        output_format=Vote,
    )
    if message.parsed_output is None:
        raise ValueError(f"no vote in a reply that ended with {message.stop_reason}")
    return message.parsed_output


if __name__ == "__main__":
    print(asyncio.run(decide(sys.argv[1])).model_dump_json(indent=2))

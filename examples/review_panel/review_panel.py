"""Reviewers with the blocking client inside an async program, each in a thread of `asyncio.to_thread`."""

from __future__ import annotations

import asyncio
import sys

from anthropic import Anthropic, APIError

MODEL = "claude-haiku-4-5"
REVIEWER = "You are a reviewer for {subject}. Say what is wrong with the change, in one sentence."
SUBJECTS = ("security", "style", "tests")


async def review(change: str) -> dict[str, str]:
    """What each reviewer says of a change; who cannot be asked says nothing."""
    client = Anthropic(timeout=30, max_retries=1)
    said = await asyncio.gather(
        *(asyncio.to_thread(review_one, client, subject, change) for subject in SUBJECTS),
        return_exceptions=True,
    )
    unexpected = [one for one in said if isinstance(one, BaseException) and not is_api(one)]
    if unexpected:
        raise unexpected[0]
    return {s: one for s, one in zip(SUBJECTS, said, strict=True) if isinstance(one, str)}


def review_one(client: Anthropic, subject: str, change: str) -> str:
    """Ask one reviewer, and wait."""
    message = client.messages.create(
        model=MODEL,
        max_tokens=200,
        system=REVIEWER.format(subject=subject),
        messages=[{"role": "user", "content": change}],
    )
    return "".join(block.text for block in message.content if block.type == "text")


def is_api(error: BaseException) -> bool:
    """Whether an error is one of the provider's."""
    return isinstance(error, APIError)


if __name__ == "__main__":
    print(asyncio.run(review(sys.stdin.read())))

"""A crowd: many agents review one text each, through a gate that lets only a few ask the API at once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from anthropic import AnthropicError, AsyncAnthropic

MODEL = "claude-haiku-4-5"
REVIEWER = "You are reviewer {number} of a crowd. Name the weakest sentence, and say why."
CRITIC = "You are a critic of reviews. Say in one sentence what is unfair in this one."

AT_ONCE = 5
ROUNDS = 2
"""How often a review is criticised and written again."""


@dataclass(slots=True)
class Harvest:
    """What a crowd has brought in."""

    reviews: dict[int, str] = field(default_factory=dict)
    """By the number of the reviewer."""
    failures: dict[int, AnthropicError] = field(default_factory=dict)
    """Likewise."""


async def review_all(
    texts: Sequence[str], *, at_once: int = AT_ONCE, max_retries: int = 4
) -> Harvest:
    """Let one reviewer read each text; who fails does not keep the others from their work."""
    harvest = Harvest()
    gate = asyncio.Semaphore(at_once)
    async with AsyncAnthropic(max_retries=max_retries, timeout=60) as client:

        async def work(number: int, text: str) -> None:
            async with gate:
                try:
                    harvest.reviews[number] = await _review(client, number, text)
                except AnthropicError as error:
                    harvest.failures[number] = error

        async with asyncio.TaskGroup() as group:
            for number, text in enumerate(texts, 1):
                group.create_task(work(number, text))
    return harvest


async def _review(client: AsyncAnthropic, number: int, text: str) -> str:
    reviewer = REVIEWER.format(number=number)
    review = await _ask(client, reviewer, text)
    for _ in range(ROUNDS):
        criticism = await _ask(client, CRITIC, review)
        review = await _ask(
            client, reviewer, f"{text}\n\nYour review: {review}\n\nA critic says: {criticism}"
        )
    return review


async def _ask(client: AsyncAnthropic, system: str, prompt: str) -> str:
    message = await client.messages.create(
        model=MODEL,
        max_tokens=300,
        system=system,
        messages=[{"role": "user", "content": prompt}],
    )
    return "".join(block.text for block in message.content if block.type == "text")


if __name__ == "__main__":
    for number, review in asyncio.run(review_all(sys.stdin.read().split("\n\n"))).reviews.items():
        print(f"{number}: {review}")

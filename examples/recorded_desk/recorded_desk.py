"""A support desk: a triage decides, two specialists answer side by side, and an editor writes the reply."""

from __future__ import annotations

import asyncio
import sys

from anthropic import AsyncAnthropic

ROLES = {
    "triage": "You are the triage of a support desk. Say in a few words what the customer wants.",
    "refunds": "You are the refunds specialist of a support desk.",
    "shipping": "You are the shipping specialist of a support desk.",
    "editor": "You are the editor of a support desk. Write one reply to the customer.",
}


async def ask(client: AsyncAnthropic, role: str, text: str) -> str:
    async with client.messages.stream(
        model="claude-haiku-4-5",
        max_tokens=300,
        system=ROLES[role],
        messages=[{"role": "user", "content": text}],
        extra_headers={"x-harness-agent": role},
    ) as stream:
        return await stream.get_final_text()


async def answer(question: str) -> str:
    async with AsyncAnthropic() as client:
        wish = await ask(client, "triage", question)
        opinions = await asyncio.gather(
            ask(client, "refunds", wish),
            ask(client, "shipping", wish),
        )
        return await ask(client, "editor", "\n".join([question, *opinions]))


if __name__ == "__main__":
    print(asyncio.run(answer(" ".join(sys.argv[1:]))))

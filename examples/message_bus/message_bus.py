"""A message bus: agents are tasks with an inbox each, and an orchestrator sends them work and waits for the results."""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from dataclasses import dataclass
from itertools import count

from openai import AsyncOpenAI

MODEL = "gpt-4o-mini"
ORCHESTRATOR = "orchestrator"
INSTRUCTIONS = {
    "researcher": "You are a market researcher. Give the three facts that matter most.",
    "writer": "You are a copywriter. Write a product description from the notes.",
    "critic": "You are a critic. Say APPROVED, or what to change.",
}
MAX_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Message:
    """What goes over the bus."""

    sender: str
    to: str
    body: str
    task: int
    """Which request it belongs to."""


class Bus:
    """Brings each message to the inbox of its addressee."""

    def __init__(self) -> None:
        self._inboxes: defaultdict[str, asyncio.Queue[Message]] = defaultdict(asyncio.Queue)
        self._tasks = count(1)

    def send(self, message: Message) -> None:
        """Put a message into an inbox."""
        self._inboxes[message.to].put_nowait(message)

    async def receive(self, name: str) -> Message:
        """Wait for the next message to somebody."""
        return await self._inboxes[name].get()

    async def request(self, to: str, body: str, timeout_s: float | None = None) -> str:
        """Give an agent work and wait for the result."""
        task = next(self._tasks)
        self.send(Message(ORCHESTRATOR, to, body, task))
        async with asyncio.timeout(timeout_s):
            while (reply := await self.receive(ORCHESTRATOR)).task != task:
                pass  # late: whoever asked has given up
        return reply.body


async def agent(name: str, bus: Bus, client: AsyncOpenAI) -> None:
    """Work on one message after the other, for ever."""
    while True:
        order = await bus.receive(name)
        response = await client.responses.create(
            model=MODEL, instructions=INSTRUCTIONS[name], input=order.body
        )
        bus.send(Message(name, order.sender, response.output_text, order.task))


async def describe(product: str, timeout_s: float | None = None) -> str:
    """Describe a product: research, then drafts until the critic approves or has spoken `MAX_ROUNDS` times."""
    bus = Bus()
    async with AsyncOpenAI() as client:
        team = [asyncio.create_task(agent(name, bus, client), name=name) for name in INSTRUCTIONS]
        try:
            notes = await bus.request("researcher", product, timeout_s)
            draft = await bus.request("writer", notes, timeout_s)
            for _ in range(MAX_ROUNDS):
                verdict = await bus.request("critic", draft, timeout_s)
                if "APPROVED" in verdict:
                    break
                draft = await bus.request(
                    "writer", f"{notes}\n\n{draft}\n\nChange this: {verdict}", timeout_s
                )
            return draft
        finally:
            for task in team:
                task.cancel()
            await asyncio.gather(*team, return_exceptions=True)


if __name__ == "__main__":
    print(asyncio.run(describe(" ".join(sys.argv[1:]))))

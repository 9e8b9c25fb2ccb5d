"""A pattern: members with a mailbox each; for a long text every one asks the next before it answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from harness.agents import Message
from harness.patterns import MemberName, Team


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """Every member drafts its part; of a report it asks the next one about it, before it reads its own mail."""

    members: tuple[MemberName, ...]
    """Who takes part; each asks the one after it, and the last the first."""
    patience_s: float | None = None
    """How long a member waits for an answer before it goes on without one [s]; absent means for ever."""

    async def run(self, task: Message, team: Team) -> Message:
        """Let all members work, and give the answer of the first."""
        mail: dict[str, asyncio.Queue[tuple[Message, asyncio.Future[Message]]]]
        mail = {name: asyncio.Queue() for name in self.members}

        async def take_part(name: str, other: str) -> Message:
            draft = await team[name].handle(task)
            if not task.text.startswith("report"):
                return draft
            asked = asyncio.get_running_loop().create_future()
            await mail[other].put((draft, asked))
            try:
                async with asyncio.timeout(self.patience_s):
                    heard = [await asked]
            except TimeoutError:
                heard = []
            question, answer = await mail[name].get()
            mine = await team[name].handle(question, *heard)
            if not answer.done():
                answer.set_result(mine)
            return mine

        others = (*self.members[1:], self.members[0])
        answers = await asyncio.gather(*map(take_part, self.members, others))
        return answers[0]

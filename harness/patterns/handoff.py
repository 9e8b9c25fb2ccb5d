"""One agent at a time is in control, and passes it on to another that can do more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import MinLen

from harness.agents import Message
from harness.agents.reading import choice, fields
from harness.patterns.api import PatternError, Team
from harness.patterns.decisions import DecisionUnreadable, ask, beginning
from harness.patterns.nested import MemberName
from harness.units import Count

FIELD = "handoff"
NOBODY = ("", "none", "nobody")


class TooManyHandoffs(PatternError):  # noqa: N818 - names the condition
    """Control was passed on more often than is allowed, as between two agents that each want the other to act."""


class UnknownRecipient(DecisionUnreadable):
    """Control was handed over to an unknown agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """Answer, or hand over with a line `handoff: NAME`; the agent that gets control does the same."""

    start: MemberName
    """Who has control first."""
    agents: Annotated[tuple[MemberName, ...], MinLen(1)]
    """Who else can have it."""
    carry: Literal["full", "summary", "last"] = "full"
    """What is handed over: the task and all that was said; a summary of that; or only what the agent that hands over
    has said."""
    summarizer: MemberName | None = None
    """Who writes the summary."""
    max_handoffs: Count = 5
    """Most handoffs in a task."""

    def __post_init__(self) -> None:
        if (self.carry == "summary") != (self.summarizer is not None):
            raise ValueError("`carry: summary` and `summarizer` need each other")

    async def run(self, task: Message, team: Team) -> Message:
        """Pass control on until there is an answer.

        Returns:
            The first reply without a handover.

        Raises:
            TooManyHandoffs: There is no answer after `max_handoffs` handoffs.
            UnknownRecipient: Somebody hands over to an agent that is not in `start` or `agents`.
        """
        everybody = tuple(dict.fromkeys((self.start, *self.agents)))
        path, said, context = [self.start], [task], [task]
        while True:
            others = ", ".join(name for name in everybody if name != path[-1])
            question = ask(
                task, f"Answer, or hand over with a line `{FIELD}: NAME` to one of: {others}."
            )
            reply = await team[path[-1]].handle(*context, question)
            recipient = _recipient(reply, everybody)
            if recipient is None:
                return reply
            path.append(recipient)
            if len(path) > self.max_handoffs + 1:
                raise TooManyHandoffs(f"more than {self.max_handoffs} handoffs: {' > '.join(path)}")
            said.append(reply)
            context = await self._context(task, said, recipient, team)

    async def _context(
        self, task: Message, said: list[Message], recipient: str, team: Team
    ) -> list[Message]:
        """What the recipient of a handoff is told."""
        if self.carry == "last":
            return said[-1:]
        if self.summarizer is None:
            return said
        question = ask(task, f"Summarise this for {recipient}.")
        return [await team[self.summarizer].handle(*said, question)]


def _recipient(reply: Message, everybody: Sequence[str]) -> str | None:
    """Who gets control; None if the reply is an answer."""
    stated = str(fields(reply.text).get(FIELD) or "").strip()
    if stated.lower() in NOBODY:
        return None
    recipient = choice(stated, everybody)
    if recipient is None:
        raise UnknownRecipient(
            f"{reply.sender} hands over to {beginning(stated)!r}, who is not there"
        )
    return recipient

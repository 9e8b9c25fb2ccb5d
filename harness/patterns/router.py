"""One agent, or a list of words, says which specialist a task is for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, MinLen

from harness.agents import Message
from harness.agents.reading import choice, fields
from harness.patterns.api import PatternError, Team
from harness.patterns.decisions import DecisionUnreadable, ask, beginning
from harness.patterns.nested import MemberName
from harness.patterns.pool import Assignment, instance

FIELDS = ("route", "capability", "specialist", "decision")
"""Fields of a reply that name a capability, by precedence."""
DECLINES = "decline"
ASKS = "ask"


class NobodyCan(PatternError):  # noqa: N818 - names the condition
    """Every specialist to whom the task was sent has declined it."""


class TooManyDirectMessages(PatternError):  # noqa: N818 - names the condition
    """A specialist asks another one more question than it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """Choose a capability, and let a specialist who has it answer."""

    specialists: Annotated[Mapping[str, tuple[MemberName, ...]], MinLen(1)]
    """Who has which capability, such as `{billing: [clerk-1, clerk-2], shipping: [carrier]}`; several are instances."""
    router: MemberName | None = None
    """Who names the capability, at the beginning of the reply or as `route: NAME`; absent means that words decide."""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Without a router: words of the task that mean a capability; its own name always does. The first capability counts."""
    otherwise: str | None = None
    """The capability where none can be read; absent means that the task fails."""
    assign: Assignment = "round_robin"
    """Which instance gets a task: the next in turn, by the task's number, or the one with the fewest turns open."""
    max_reroutes: Annotated[int, Ge(0)] = 0
    """How often a task may go back to the router when a specialist begins the reply with `decline`; at most once to each
    capability. With 0, a reply that declines is an answer like others."""
    max_direct: Annotated[int, Ge(0)] = 0
    """How many questions specialists may send one another for a task, with a line `ask: NAME, and the question`. With 0, such a
    line means nothing."""

    def __post_init__(self) -> None:
        for capability, members in self.specialists.items():
            if not members:
                raise ValueError(f"there is nobody with the capability {capability!r}")
        for named in (*self.words, *([self.otherwise] if self.otherwise else [])):
            if named not in self.specialists:
                raise ValueError(
                    f"there is no capability {named!r}; known are {', '.join(self.specialists)}"
                )
        if self.words and self.router is not None:
            raise ValueError("give one of `router` and `words`")

    async def run(self, task: Message, team: Team) -> Message:
        """Route, and let a specialist answer.

        Raises:
            DecisionUnreadable: No capability can be read, and there is no `otherwise`.
            NobodyCan: The task was declined, and cannot be sent on.
            TooManyDirectMessages: There are more questions than `max_direct`.
        """
        left, told = list(self.specialists), [task]
        while True:
            capability = await self._capability(told, left, team)
            name = instance(self.specialists[capability], self.assign, task.task.number, team)
            answer = await self._answer(task, name, team)
            if not self.max_reroutes or choice(answer.text, [DECLINES], FIELDS) is None:
                return answer
            left.remove(capability)
            told.append(answer)
            if not left or len(self.specialists) - len(left) > self.max_reroutes:
                raise NobodyCan(f"{name} declines the task, and it cannot be sent on")

    async def _capability(self, told: Sequence[Message], left: Sequence[str], team: Team) -> str:
        if self.router is None:
            text = told[0].text
            for capability in left:
                if any(_has(text, word) for word in (capability, *self.words.get(capability, ()))):
                    return capability
            said = text
        else:
            question = ask(told[0], f"Which of these is it for: {', '.join(left)}?")
            reply = await team[self.router].handle(*told, question)
            chosen = choice(reply.text, left, FIELDS)
            if chosen is not None:
                return chosen
            said = reply.text
        if self.otherwise is not None and self.otherwise in left:
            return self.otherwise
        raise DecisionUnreadable(f"none of {', '.join(left)} can be read: {beginning(said)!r}")

    async def _answer(self, task: Message, name: str, team: Team) -> Message:
        """Let a specialist answer, who may ask others."""
        told = [task]
        everybody = dict.fromkeys(it for members in self.specialists.values() for it in members)
        asked = 0
        while True:
            reply = await team[name].handle(*told)
            line = str(fields(reply.text).get(ASKS) or "") if self.max_direct else ""
            other = choice(line, [it for it in everybody if it != name])
            if other is None:
                return reply
            asked += 1
            if asked > self.max_direct:
                raise TooManyDirectMessages(f"{name} asks more than {self.max_direct} questions")
            question = reply._replace(type="request", recipient=other)
            told += [reply, await team[other].handle(task, question)]


def _has(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None

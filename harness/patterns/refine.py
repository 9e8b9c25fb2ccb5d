"""A generator writes, a critic reads, and the generator writes again until the critic accepts.

Madaan et al., "Self-Refine: Iterative refinement with self-feedback", NeurIPS 2023.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.agents import Message
from harness.agents.reading import choice
from harness.patterns.api import PatternError, Team
from harness.patterns.decisions import ask
from harness.patterns.nested import MemberName
from harness.units import Count

JUDGE = "Begin with accept if nothing is to be changed, or say what is."
REWRITE = "Write it again, with these changes."


class NeverAccepted(PatternError):  # noqa: N818 - names the condition
    """The critic has accepted none of the drafts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refine:
    """Write, criticise, write again; until the critic accepts, or for so many drafts."""

    generator: MemberName
    """Who writes; it gets the task, and from the second draft on also the last draft and what the critic said of it."""
    critic: MemberName
    """Who gets the task and the draft. A reply that begins with `accept`, or whose field `decision` or `verdict` says so,
    accepts it; any other is criticism."""
    max_drafts: Count = 3
    """Most drafts."""
    on_exhausted: Literal["fail", "last"] = "fail"
    """When no draft was accepted: the task fails, or the last draft is the answer."""

    async def run(self, task: Message, team: Team) -> Message:
        """Write until it is accepted.

        Raises:
            NeverAccepted: No draft was accepted.
        """
        draft = await team[self.generator].handle(task)
        for number in range(1, self.max_drafts + 1):
            verdict = await team[self.critic].handle(task, draft, ask(task, JUDGE))
            if choice(verdict.text, ["accept"]) is not None:
                return draft
            if number < self.max_drafts:
                again = ask(task, REWRITE)
                draft = await team[self.generator].handle(task, draft, verdict, again)
        if self.on_exhausted == "last":
            return draft
        raise NeverAccepted(f"{self.critic} accepted none of {self.max_drafts} drafts")

"""Proponents propose, critics object, proponents defend or revise, and a judge decides.

Du et al., "Improving factuality and reasoning in language models through multiagent debate", ICML 2024.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import MinLen

from harness.agents import Message
from harness.agents.reading import choice
from harness.patterns.api import PatternError, Team
from harness.patterns.decisions import ask, decision
from harness.patterns.nested import MemberName
from harness.patterns.side_by_side import all_of
from harness.units import Count

CRITICISE = "Do you agree? Begin with agree, or say what is wrong."
DEFEND = "Begin with defend and say why your proposal stands, or write a better one."
JUDGE = "Which proposal do you accept? Begin with its number, or with none."
NONE = "none"


class NoProposalAccepted(PatternError):  # noqa: N818 - names the condition
    """The judge accepts none of the proposals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Debate:
    """Propose; then, round by round, criticise and defend or revise; judge. A round without an objection is the last."""

    proponents: Annotated[tuple[MemberName, ...], MinLen(1)]
    """Who proposes, side by side; each gets the task."""
    critics: tuple[MemberName, ...] = ()
    """Who criticises all proposals; absent means that each proponent criticises those of the others. A reply that does not
    begin with `agree` is an objection."""
    judge: MemberName
    """Who gets the task and the last proposals, and names one by its number, or `none`."""
    rounds: Count = 1
    """Most rounds."""
    on_unreadable: Literal["fail", "first"] = "fail"
    """When the judge names none of these: the task fails, or the proposal that is listed first is taken."""

    def __post_init__(self) -> None:
        if not self.critics and len(self.proponents) == 1:
            raise ValueError("one proponent alone needs critics")

    async def run(self, task: Message, team: Team) -> Message:
        """Debate.

        Returns:
            The proposal that the judge accepts.

        Raises:
            NoProposalAccepted: The judge accepts none.
            DecisionUnreadable: The judge names neither a proposal nor `none`.
        """
        proposals = await all_of([team[name].handle(task) for name in self.proponents])
        for _ in range(self.rounds):
            objections = await self._objections(task, proposals, team)
            if not objections:
                break
            proposals = await self._answer(task, proposals, objections, team)
        return await self._judge(task, proposals, team)

    async def _objections(
        self, task: Message, proposals: Sequence[Message], team: Team
    ) -> list[Message]:
        question = ask(task, CRITICISE)
        if self.critics:
            work = [team[name].handle(task, *proposals, question) for name in self.critics]
        else:
            others = [
                (*proposals[:place], *proposals[place + 1 :]) for place in range(len(proposals))
            ]
            work = [
                team[name].handle(task, *seen, question)
                for name, seen in zip(self.proponents, others, strict=True)
            ]
        return [said for said in await all_of(work) if choice(said.text, ["agree"]) is None]

    async def _answer(
        self,
        task: Message,
        proposals: Sequence[Message],
        objections: Sequence[Message],
        team: Team,
    ) -> list[Message]:
        """The proposals after their proponents have heard the objections."""
        question = ask(task, DEFEND)
        replies = await all_of(
            [
                team[name].handle(task, proposal, *objections, question)
                for name, proposal in zip(self.proponents, proposals, strict=True)
            ]
        )
        return [
            reply if choice(reply.text, ["defend"]) is None else proposal
            for reply, proposal in zip(replies, proposals, strict=True)
        ]

    async def _judge(self, task: Message, proposals: Sequence[Message], team: Team) -> Message:
        verdict = await team[self.judge].handle(task, *proposals, ask(task, JUDGE))
        numbers = [str(number) for number in range(1, len(proposals) + 1)]
        if self.on_unreadable == "first" and choice(verdict.text, [*numbers, NONE]) is None:
            return proposals[0]
        chosen = decision(verdict, [*numbers, NONE])
        if chosen == NONE:
            raise NoProposalAccepted(f"{self.judge} accepts none of {len(proposals)} proposals")
        return proposals[int(chosen) - 1]

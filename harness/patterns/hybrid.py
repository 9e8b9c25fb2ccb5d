"""A manager splits the work; those who do it share what they find, and write to one another directly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from annotated_types import MinLen

from harness.agents import Message
from harness.agents.reading import fields, items
from harness.patterns.api import PatternError, Team
from harness.patterns.decisions import beginning
from harness.patterns.nested import MemberName
from harness.patterns.side_by_side import all_of
from harness.units import Count

RECIPIENTS = "to"
_BETWEEN = re.compile(r"\s*[,;]\s*")


class PlanEmpty(PatternError):  # noqa: N818 - names the condition
    """The manager's plan has no items."""


class StillTalking(PatternError):  # noqa: N818 - names the condition
    """Somebody has mail after the last round."""


class UnknownColleague(PatternError):  # noqa: N818 - names the condition
    """A worker writes to an unknown colleague."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hybrid:
    """Split, work in rounds with a shared context and direct messages, and sum up."""

    manager: MemberName
    """Who writes the list of what is to be done, and sums up at the end."""
    workers: Annotated[tuple[MemberName, ...], MinLen(1)]
    """Who works. An item that begins with a name, such as `editor: shorten it`, is for that worker; others go to the next in turn.
    Each sees what the others have found so far, and writes to some of them with a line `to: NAME, NAME`."""
    max_rounds: Count = 5
    """Most rounds; in a round everybody works who has an item or mail."""
    version: str = ""
    """The version of the messages, for receivers that state which they know; empty for none."""

    def __post_init__(self) -> None:
        if len(set(self.workers)) < len(self.workers):
            raise ValueError("a worker is listed twice")

    async def run(self, task: Message, team: Team) -> Message:
        """Split, work, and sum up.

        Raises:
            PlanEmpty: The manager's plan has no items.
            StillTalking: Somebody has mail after the last round.
            UnknownColleague: A worker writes to an unknown colleague.
        """
        task = task._replace(version=self.version or task.version)
        plan = await team[self.manager].handle(task)
        mail = self._orders(plan)
        context: dict[str, Message] = {}
        for _ in range(self.max_rounds):
            speakers = [worker for worker in self.workers if mail[worker]]
            if not speakers:
                break
            turns = [
                team[worker].handle(*self._seen(worker, context, mail[worker]))
                for worker in speakers
            ]
            replies = dict(zip(speakers, await all_of(turns), strict=True))
            context |= replies
            mail = {worker: [] for worker in self.workers}
            for worker, reply in replies.items():
                for recipient in self._recipients(worker, reply):
                    mail[recipient].append(reply._replace(type="request", recipient=recipient))
        else:
            if talking := [worker for worker in self.workers if mail[worker]]:
                raise StillTalking(
                    f"{', '.join(talking)} still have mail after {self.max_rounds} rounds"
                )
        found = [context[worker] for worker in self.workers if worker in context]
        return await team[self.manager].handle(task, *found)

    def _orders(self, plan: Message) -> dict[str, list[Message]]:
        """The items of the plan, by the worker whom each is for."""
        found = items(plan.text)
        if not found:
            raise PlanEmpty(f"the plan of {self.manager} has no items: {beginning(plan.text)!r}")
        orders: dict[str, list[Message]] = {worker: [] for worker in self.workers}
        known = {worker.casefold(): worker for worker in self.workers}
        turn = 0
        for item in found:
            name, colon, _ = item.partition(":")
            worker = known.get(name.strip(" *_`").casefold()) if colon else None
            if worker is None:
                worker, turn = self.workers[turn % len(self.workers)], turn + 1
            order = plan.reply(self.manager, item, recipient=worker, type="request")
            orders[worker].append(order)
        return orders

    def _seen(
        self, worker: str, context: dict[str, Message], mail: Sequence[Message]
    ) -> list[Message]:
        """What a worker is told: what the others have found that is no letter to it, and its mail."""
        letters = {letter.number for letter in mail}
        others = [context[it] for it in self.workers if it in context and it != worker]
        shared = [
            it._replace(type="update", recipient=worker)
            for it in others
            if it.number not in letters
        ]
        return [*shared, *mail]

    def _recipients(self, worker: str, reply: Message) -> list[str]:
        """To whom a worker writes."""
        stated = fields(reply.text).get(RECIPIENTS) or ""
        names = stated if isinstance(stated, list) else _BETWEEN.split(str(stated))
        plain = [str(name).strip(" @*\"'.").casefold() for name in names if str(name).strip()]
        known = {it.casefold(): it for it in self.workers if it != worker}
        for name in plain:
            if name not in known:
                raise UnknownColleague(f"{worker} writes to {beginning(name)!r}, who is not there")
        return [known[name] for name in dict.fromkeys(plain)]

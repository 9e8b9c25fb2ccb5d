"""A task is announced, contractors bid, and the best bid is awarded: the contract net.

Smith, "The contract net protocol", IEEE Transactions on Computers C-29(12), 1980.
"""

from __future__ import annotations

import asyncio
import math
import re
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import MinLen

from harness.agents import Message
from harness.agents.reading import choice, fields
from harness.patterns.api import PatternError, Team
from harness.patterns.decisions import DecisionUnreadable, ask, beginning
from harness.patterns.nested import MemberName
from harness.patterns.side_by_side import all_of, joined, side_by_side
from harness.units import Count, PositiveSeconds

ANNOUNCEMENT = "Bid for this task with a line `bid: NUMBER`, or begin with pass."
AWARD = "The task is yours."
FIELDS = ("bid", "price", "cost")
"""Fields that state a bid, by precedence."""
PASS = ("pass", "no bid", "none", "decline")

_AMOUNT = re.compile(r"[$€£]?\s*(?P<number>-?\d[\d,]*(?:\.\d+)?)(?:\s*[$€£%]|\s+[^\W\d]+)?\.?")


class NobodyBids(PatternError):  # noqa: N818 - names the condition
    """There is no bid for the task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Announce, bid, award, work."""

    contractors: Annotated[tuple[MemberName, ...], MinLen(1)]
    """Who may bid; each gets the task, side by side. One that fails does not bid."""
    award: Literal["lowest", "highest"] = "lowest"
    """Which bid is the best; of equal bids the one that is listed first."""
    team_size: Count = 1
    """How many of the best bidders get the task, and work on it side by side; all of them if there are fewer."""
    manager: MemberName | None = None
    """Who puts the results of a team together; absent means that they are only joined."""
    bid_deadline_s: PositiveSeconds | None = None
    """Bids that are not there after this time do not count [s]; absent means that all are waited for."""
    on_unreadable: Literal["fail", "pass"] = "fail"
    """When a reply is neither a bid nor begins with `pass`: the task fails, or its sender does not bid."""

    async def run(self, task: Message, team: Team) -> Message:
        """Find who works on the task, and let them.

        Raises:
            NobodyBids: There is no bid.
            DecisionUnreadable: A reply is neither a bid nor begins with `pass`.
        """
        question = ask(task, ANNOUNCEMENT)
        outcomes = await side_by_side(
            [self._bid(name, task, question, team) for name in self.contractors]
        )
        bids = []
        for place, reply in sorted(outcomes.items()):
            bid = self._amount(reply) if isinstance(reply, Message) else None
            if bid is not None:
                bids.append((bid if self.award == "lowest" else -bid, place))
        if not bids:
            raise NobodyBids(f"none of {len(self.contractors)} contractors bids")
        winners = [self.contractors[place] for _, place in sorted(bids)[: self.team_size]]
        results = await all_of([team[name].handle(task, ask(task, AWARD)) for name in winners])
        if len(results) == 1:
            return results[0]
        return await joined(task, results, team, self.manager)

    async def _bid(self, name: str, task: Message, question: Message, team: Team) -> Message:
        async with asyncio.timeout(self.bid_deadline_s):
            return await team[name].handle(task, question)

    def _amount(self, reply: Message) -> float | None:
        """What a contractor bids; None if it does not."""
        stated = fields(reply.text)
        bid = next((stated[name] for name in FIELDS if name in stated), reply.text)
        amount = _number(bid)
        if amount is not None or choice(str(bid), PASS) or self.on_unreadable == "pass":
            return amount
        raise DecisionUnreadable(
            f"{reply.sender} neither bids nor passes: {beginning(reply.text)!r}"
        )


def _number(bid: object) -> float | None:
    """The number that a bid is, with or without a currency or a unit."""
    if isinstance(bid, int | float) and not isinstance(bid, bool):
        return float(bid) if math.isfinite(bid) else None
    found = _AMOUNT.fullmatch(bid.strip()) if isinstance(bid, str) else None
    return None if found is None else float(found["number"].replace(",", ""))

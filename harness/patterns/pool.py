"""Several members who can do the same work, and who of them gets the next piece of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from harness.patterns.api import Team, turns_of

Assignment = Literal["round_robin", "least_loaded"]
"""Who gets the next piece of work: the next in turn, or the one with the least to do. Ties go to the one listed first."""


class Pool:
    """The members for one task, each of whom has so many pieces of work at once; the others wait in order.

    Args:
        members: Their names; one may occur more than once, and then has as many places.
        assign: Who gets the next piece. The next in turn gets it even if he is busy, and it waits for him.
        at_once: How many pieces one place has at the same time.
    """

    def __init__(self, members: Sequence[str], assign: Assignment, at_once: int) -> None:
        self._members = members
        self._assign = assign
        self._in_turn = 0
        self._load = [0] * len(members)
        self._free = [asyncio.Semaphore(at_once) for _ in members]
        self._any_free = asyncio.Semaphore(at_once * len(members))

    @asynccontextmanager
    async def member(self) -> AsyncIterator[str]:
        """The name of the member who has a piece of work while the block lasts."""
        if self._assign == "round_robin":
            place = self._in_turn % len(self._members)
            self._in_turn += 1
            async with self._free[place]:
                yield self._members[place]
        else:
            async with self._any_free:
                place = min(range(len(self._members)), key=self._load.__getitem__)
                self._load[place] += 1
                try:
                    yield self._members[place]
                finally:
                    self._load[place] -= 1


def instance(members: Sequence[str], assign: Assignment, number: int, team: Team) -> str:
    """Which of several instances of a role gets a task of its own.

    Args:
        members: Their names.
        assign: Who gets it.
        number: The number of the task, which says who is next in turn.
        team: Knows how many turns of each are open.
    """
    if assign == "round_robin":
        return members[(number - 1) % len(members)]
    return min(members, key=lambda name: turns_of(team[name]))

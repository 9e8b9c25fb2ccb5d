"""Several members who can do the same work, and who of them gets the next piece of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from heapq import heappop, heappush
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
        self._by_load = [(0, place) for place in range(len(members))]
        """A heap of loads and places; an entry that is no longer true is dropped when it comes to the top."""
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
                place = self._least_loaded()
                self._now_has(self._load[place] + 1, place)
                try:
                    yield self._members[place]
                finally:
                    self._now_has(self._load[place] - 1, place)

    def _least_loaded(self) -> int:
        by_load = self._by_load
        while by_load[0][0] != self._load[by_load[0][1]]:
            heappop(by_load)
        return by_load[0][1]

    def _now_has(self, load: int, place: int) -> None:
        self._load[place] = load
        heappush(self._by_load, (load, place))


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

"""A number of places, and who waits for one: a semaphore with an order of its own."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Mapping


class Places:
    """So many places; those who wait get one by rank, the lowest first, and then in order of arrival.

    Args:
        count: Number of places.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def take(self) -> bool:
        """Take a place, if one is free and nobody waits."""
        if not self._free:
            return False
        if self._waiting and any(not place.cancelled() for _, _, place in self._waiting):
            return False
        self._free -= 1
        return True

    async def wait(self, rank: float) -> None:
        """Wait for a place, before all whose rank is higher."""
        place = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._order), place))
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.give_back()  # it came at the moment at which its call was given up
            raise

    def give_back(self) -> None:
        """Give a place back, to the first of those who wait."""
        self._free += 1
        while self._waiting and self._free:
            rank, _, place = heapq.heappop(self._waiting)
            if not place.done():
                self._free -= 1
                self.begun(rank)
                place.set_result(None)

    def begun(self, rank: float) -> None:
        """Called when somebody who waited with a rank has got a place."""


class FairPlaces(Places):
    """Places that are shared fairly between flows, such as customers: start-time fair queueing.

    While two flows both wait, they get places in proportion to their weights, however many calls each has. (Goyal, Vin and
    Cheng, "Start-time Fair Queueing", IEEE/ACM Transactions on Networking, 1997; every call has the same size here.)

    Args:
        count: Number of places.
        weights: Of flows by name; 1 of those that are not there.
    """

    def __init__(self, count: int, weights: Mapping[str, float]) -> None:
        super().__init__(count)
        self._weights = weights
        self._now = 0.0
        """The virtual time of the queue: the start tag of the call that began last."""
        self._finish: dict[str, float] = {}

    def start_tag(self, flow: str) -> float:
        """The rank of the next call of a flow."""
        start = max(self._now, self._finish.get(flow, 0.0))
        self._finish[flow] = start + 1 / self._weights.get(flow, 1.0)
        return start

    def begun(self, rank: float) -> None:
        """Move virtual time on to the start tag of the call that begins."""
        self._now = max(self._now, rank)

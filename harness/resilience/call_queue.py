"""A queue that agents share: a limit of calls in flight, and who goes first when all places are taken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Gt

from harness.models import Reply, Request
from harness.resilience.api import Call
from harness.resilience.places import FairPlaces, Places
from harness.spans import CANCELLED, OK, WAIT, SpanLog
from harness.units import Count


@dataclass(frozen=True, slots=True, kw_only=True)
class CallQueue:
    """How many calls are in flight, of all agents that share the queue, and in which order the others go."""

    max_in_flight: Count
    """Most attempts at the same time; the others wait."""
    order: Literal["priority", "fair", "fifo"] = "priority"
    """Who goes first: tasks with the highest priority, each flow in proportion to its weight, or who came first."""
    flows: Literal["customer", "agent"] = "customer"
    """What `fair` shares between."""
    weights: Mapping[str, Annotated[float, Gt(0)]] = field(default_factory=dict)
    """Weights of flows by name, for `fair`; 1 of those that are not there."""
    shared: str | None = None
    """Agents with the same name here share one queue; absent means one of its own for each agent."""

    def __post_init__(self) -> None:
        if self.weights and self.order != "fair":
            raise ValueError(f"`weights` are for `order: fair`, and the order is {self.order}")


class Line:
    """The state of a queue of calls; for use by hand on any event loop.

    Args:
        stated: Its parameters.
    """

    def __init__(self, stated: CallQueue) -> None:
        self._stated = stated
        self._fair = FairPlaces(stated.max_in_flight, stated.weights)
        self._places: Places = (
            self._fair if stated.order == "fair" else Places(stated.max_in_flight)
        )

    def take(self, flow: str = "") -> bool:
        """Take a place, if one is free and nobody waits."""
        took = self._places.take()
        if took and self._stated.order == "fair":
            self._fair.begun(self._fair.start_tag(flow))
        return took

    async def wait(self, flow: str = "", priority: int = 0) -> None:
        """Wait for a place, by the order of the queue."""
        rank = {
            "fifo": lambda: 0.0,
            "priority": lambda: float(-priority),
            "fair": lambda: self._fair.start_tag(flow),
        }[self._stated.order]()
        await self._places.wait(rank)

    def give_back(self) -> None:
        """Give a place back, to the first of those who wait."""
        self._places.give_back()

    @asynccontextmanager
    async def place(self, flow: str = "", priority: int = 0) -> AsyncIterator[None]:
        """Async context manager: hold a place, after waiting for one."""
        if not self.take(flow):
            await self.wait(flow, priority)
        try:
            yield
        finally:
            self.give_back()

    def flow_of(self, request: Request) -> str:
        """The flow that a request belongs to."""
        return request.agent if self._stated.flows == "agent" else request.customer


def with_queue(call: Call, line: Line | None, log: SpanLog) -> Call:
    """Let an attempt wait for a place in a queue; the wait leaves a `wait` span.

    Args:
        call: One attempt.
        line: The queue; None leaves the call as it is.
        log: Where the waits are noted.
    """
    if line is None:
        return call

    async def call_in_line(request: Request) -> Reply:
        flow = line.flow_of(request)
        if not line.take(flow):
            span = log.open(WAIT, "in_flight", request.call_span, request.agent)
            status = CANCELLED
            try:
                await line.wait(flow, request.priority)
                status = OK
            finally:
                log.close(span, status)
        try:
            return await call(request)
        finally:
            line.give_back()

    return call_in_line

"""A model under a plan of faults."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from harness.chance import Draws
from harness.faults.api import Alter, Break, Fail, Fault, Silent, Slow
from harness.models import Model, ModelError, Reply, Request
from harness.provider.service import REFUSAL_S
from harness.spans import CANCELLED, OK, WAIT, SpanLog


class PlannedFault(NamedTuple):
    """One entry of a plan."""

    number: int
    """Its place in the plan, from 1."""
    name: str
    """Its kind, as the scenario file calls it."""
    key: str
    """What it is for; part of the key of its draws, and the same wherever it stands in the plan."""
    fault: Fault


def plan(faults: Sequence[Fault], names: Mapping[type[Fault], str]) -> list[PlannedFault]:
    """Number faults, and name each by its kind and by what it meets, so that one more changes no draw of another.

    Args:
        faults: The faults, in order.
        names: What the scenario file calls each kind.
    """
    seen: Counter[str] = Counter()
    planned = []
    for number, fault in enumerate(faults, 1):
        name = names[type(fault)]
        meets = f"{name}/{fault.agent}/{fault.model}/{fault.call}/{fault.attempt}/{fault.from_s}/{fault.until_s}"
        seen[meets] += 1
        planned.append(PlannedFault(number, name, f"{meets}/{seen[meets]}", fault))
    return planned


class FaultPlan:
    """The faults of one run, in order, and which of them have met an attempt.

    Args:
        planned: The faults.
        draws: Where chance comes from.
        clock: Tells the virtual time [s].
    """

    def __init__(
        self, planned: Sequence[PlannedFault], draws: Draws, clock: Callable[[], float]
    ) -> None:
        self._planned = planned
        self._draws = draws
        self._clock = clock
        self.met: set[int] = set()
        """The numbers of the faults that have met an attempt."""

    def first_that_meets(self, request: Request) -> PlannedFault | None:
        """The fault that an attempt meets; the first decides."""
        now_s = self._clock()
        for planned in self._planned:
            if planned.fault.meets(request, now_s, self._draws, planned.key):
                self.met.add(planned.number)
                return planned
        return None


class FaultyModel:
    """A model whose attempts meet faults; the first verdict wins.

    Args:
        model: Who answers.
        plan: The faults that can meet this model's attempts, in order.
        log: Where the faults are noted.
    """

    def __init__(self, model: Model, plan: FaultPlan, log: SpanLog) -> None:
        self._model = model
        self._plan = plan
        self._log = log

    async def reply(self, request: Request) -> Reply:
        """Answer, or do what the first fault that meets this attempt says.

        Raises:
            ModelError: The fault's, or the model's.
        """
        met = self._plan.first_that_meets(request)
        if met is None:
            return await self._model.reply(request)
        request.span.fault = met.name
        verdict = met.fault.verdict()
        if isinstance(verdict, Break):
            verdict = verdict.without_wire
        # An attempt that meets silence begins after it, so the event is the call's.
        span = request.call_span if isinstance(verdict, Silent) else request.span
        self._log.event("fault", span, met.name)
        match verdict:
            case Slow(factor):
                request.latency_factor = factor
            case Silent(for_s):
                await self._silence(request, for_s)
            case Fail(refusal):
                await asyncio.sleep(REFUSAL_S)
                raise ModelError(*refusal[:4])
            case Alter(change):
                return change(await self._model.reply(request))
        return await self._model.reply(request)

    async def _silence(self, request: Request, for_s: float | None) -> None:
        """Let time pass before the attempt reaches the provider; it is a wait of the call, and not a queue's."""
        attempt = request.span
        span = self._log.open(WAIT, "silence", request.call_span, request.agent)
        status = CANCELLED
        try:
            if for_s is None:
                await asyncio.get_running_loop().create_future()  # nobody will ever complete it
            else:
                await asyncio.sleep(for_s)
            status = OK
        finally:
            self._log.close(span, status)
            attempt.arrival_s = self._log.clock()

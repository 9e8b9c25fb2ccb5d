"""A model under a plan of faults."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from harness.chance import Draws
from harness.chance.choices import Choices
from harness.errors import HarnessError
from harness.faults.api import (
    Alter,
    Break,
    EndsAt,
    Fail,
    Fault,
    InTurn,
    Silent,
    Slow,
    Takes,
    Verdict,
)
from harness.models import Model, ModelError, Reply, Request
from harness.models.verdict import in_turn
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
        names: What the scenario file calls each kind of fault.
    """

    def __init__(
        self,
        planned: Sequence[PlannedFault],
        draws: Draws,
        clock: Callable[[], float],
        names: Mapping[type[Fault], str],
    ) -> None:
        self._planned = planned
        self._names = names
        self._draws = draws
        self._clock = clock
        self.met: set[int] = set()
        """The numbers of the faults that have met an attempt."""

    def judge(self, request: Request) -> tuple[str, Verdict] | None:
        """Return the names of the faults that an attempt meets, and what becomes of it; None if it meets none."""
        planned = self._met_by(request)
        if self._draws.choices is None:
            met = [(one.name, one.fault) for one in planned]
        else:
            met = self._chosen(request, self._draws.choices, tuple(one.fault for one in planned))
        self.met.update(one.number for one in planned if (one.name, one.fault) in met)
        if not met:
            return None
        verdicts = tuple(fault.verdict() for _, fault in met)
        names = "+".join(name for name, _ in met)
        return names, verdicts[0] if len(verdicts) == 1 else InTurn(verdicts)

    def _met_by(self, request: Request) -> list[PlannedFault]:
        """The faults of the plan that an attempt meets; the first that does not continue is the last."""
        now_s, met = self._clock(), []
        for planned in self._planned:
            if planned.fault.meets(request, now_s, self._draws, planned.key):
                met.append(planned)
                if not planned.fault.continues:
                    break
        return met

    def _chosen(
        self, request: Request, choices: Choices, planned: tuple[Fault, ...]
    ) -> list[tuple[str, Fault]]:
        """The faults that are chosen for an attempt instead of those of the plan, by name."""
        key = ("attempt", request.address or request.key, str(request.attempt))
        chosen = choices.choose(key, planned)
        for fault in chosen:
            if type(fault) not in self._names:
                raise HarnessError(f"override of {key}: {fault!r} is not a fault")
        return [(self._names[type(fault)], fault) for fault in chosen]


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
        met = self._plan.judge(request)
        if met is None:
            return await self._model.reply(request)
        request.span.fault, whole = met
        verdicts = [one.without_wire if isinstance(one, Break) else one for one in in_turn(whole)]
        # An attempt that meets silence begins after it, so the event is the call's.
        silent = any(isinstance(one, Silent) for one in verdicts)
        self._log.event("fault", request.call_span if silent else request.span, met[0])
        changes: list[Callable[[Reply], Reply]] = []
        for verdict in verdicts:
            match verdict:
                case Slow(factor):
                    request.latency_factor *= factor
                case Takes() | EndsAt():
                    request.stated = verdict
                case Silent(for_s):
                    await self._silence(request, for_s)
                case Fail(refusal):
                    await asyncio.sleep(request.refusal_after_s(self._log.clock()))
                    raise ModelError(*refusal[:4])
                case Alter(change):
                    changes.append(change)
        reply = await self._model.reply(request)
        for change in changes:
            reply = change(reply)
        return reply

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

"""The fault plan: which fault applies to an attempt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from harness.chance import Draws
from harness.chance.choices import Choices
from harness.errors import HarnessError
from harness.faults.api import Fault, InjectedFault, InTurn, Verdict
from harness.models import Request


class PlannedFault(NamedTuple):
    """One entry of a plan."""

    number: int
    """Its place in the plan, from 1."""
    name: str
    """Its kind, as the scenario file calls it."""
    key: str
    """What it is for; part of the key of its draws, and the same wherever it stands in the plan."""
    fault: InjectedFault


def plan(
    faults: Sequence[InjectedFault], names: Mapping[type[InjectedFault], str]
) -> list[PlannedFault]:
    """Number the faults, and name each by its kind and its conditions, so that adding one changes no draw of another.

    Args:
        faults: The faults, in order.
        names: What the scenario file calls each kind.
    """
    seen: Counter[str] = Counter()
    planned = []
    for number, fault in enumerate(faults, 1):
        name = names[type(fault)]
        at = (
            f"{fault.model}/{fault.call}/{fault.attempt}"
            if isinstance(fault, Fault)
            else fault.call
        )
        meets = f"{name}/{fault.agent}/{at}/{fault.from_s}/{fault.until_s}{fault.conditions}"
        seen[meets] += 1
        planned.append(PlannedFault(number, name, f"{meets}/{seen[meets]}", fault))
    return planned


class FaultPlan:
    """The faults of one run, in order, and which of them have applied to an attempt.

    Args:
        planned: The faults.
        draws: Source of random values.
        clock: Tells the virtual time [s].
        names: What the scenario file calls each kind of fault.
    """

    def __init__(
        self,
        planned: Sequence[PlannedFault],
        draws: Draws,
        clock: Callable[[], float],
        names: Mapping[type[InjectedFault], str],
    ) -> None:
        self._planned = [(one, one.fault) for one in planned if isinstance(one.fault, Fault)]
        self._names = names
        self._draws = draws
        self._clock = clock
        self.met: set[int] = set()
        """The numbers of the faults that have met an attempt."""

    def judge(self, request: Request) -> tuple[str, Verdict] | None:
        """Return the names of the faults that apply to an attempt, and its verdict; None if no fault applies."""
        planned = self._met_by(request)
        if self._draws.choices is None:
            met = [(one.name, fault) for one, fault in planned]
        else:
            met = self._chosen(request, self._draws.choices, tuple(fault for _, fault in planned))
        self.met.update(one.number for one, fault in planned if (one.name, fault) in met)
        if not met:
            return None
        verdicts = tuple(fault.verdict() for _, fault in met)
        names = "+".join(name for name, _ in met)
        return names, verdicts[0] if len(verdicts) == 1 else InTurn(verdicts)

    def _met_by(self, request: Request) -> list[tuple[PlannedFault, Fault]]:
        """The faults of the plan that apply to an attempt, up to the first that does not continue."""
        now_s, met = self._clock(), []
        for planned, fault in self._planned:
            if fault.meets(request, now_s, self._draws, planned.key):
                met.append((planned, fault))
                if not fault.continues:
                    break
        return met

    def _chosen(
        self, request: Request, choices: Choices, planned: tuple[Fault, ...]
    ) -> list[tuple[str, Fault]]:
        """The overriding faults of an attempt, by name, in place of those of the plan."""
        key = ("attempt", request.address or request.key, str(request.attempt))
        chosen = choices.choose_attempt(
            key, request.agent, request.span.span_id, self._clock(), planned
        )
        for fault in chosen:
            if type(fault) not in self._names:
                raise HarnessError(f"override of {key}: {fault!r} is not a fault")
        return [(self._names[type(fault)], fault) for fault in chosen]

"""A plan of faults: which of them an attempt meets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from harness.chance import Draws
from harness.faults.api import Fault, Verdict
from harness.models import Request


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

    def judge(self, request: Request) -> tuple[str, Verdict] | None:
        """The name of the fault that an attempt meets, and its verdict; the first decides."""
        now_s = self._clock()
        for planned in self._planned:
            if planned.fault.meets(request, now_s, self._draws, planned.key):
                self.met.add(planned.number)
                return planned.name, planned.fault.verdict()
        return None

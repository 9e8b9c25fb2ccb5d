"""Escalation: what no agent could answer goes to a person, who looks at the queue now and then.

A person who looks works off the queue, the oldest case first, and then goes away until the next look. Who takes a case, and
when, is known when it comes, because a case that has come first is never taken later.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from annotated_types import Ge, Le

from harness.chance import Draws
from harness.chance.distributions import AnyDistribution, Constant
from harness.units import Count, whole_microseconds

HOUR_S = 3600.0
_DAY_H = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """The people who decide when a call and all its fallbacks have failed."""

    people: Count = 1
    """How many there are."""
    looks_every_h: AnyDistribution | None = None
    """Time between two looks of a person at the queue [virtual h]; absent means that they are always there."""
    from_h: Annotated[float, Ge(0), Le(24)] = 0.0
    """Hour of the day from which on they look; the run begins at midnight."""
    to_h: Annotated[float, Ge(0), Le(24)] = 24.0
    """Hour of the day until which they look."""
    takes_s: AnyDistribution = Constant(300.0)
    """How long a person works on a case [s]."""
    text: str = "decided by a person"
    """What they answer."""
    shared: str | None = "people"
    """Agents with the same name here have the same people: all, unless some have another name; `null` gives each agent its own."""

    def __post_init__(self) -> None:
        if self.from_h >= self.to_h:
            raise ValueError("`from_h` must be before `to_h`")
        if self.looks_every_h is not None and self.looks_every_h.mean <= 0:
            raise ValueError(
                "`looks_every_h` must be above 0; leave it out for people who are always there"
            )


class Visit(NamedTuple):
    """When a case is worked on."""

    start_s: float
    end_s: float


class Desk:
    """The queue of cases before some people; for use by hand on any event loop.

    Args:
        stated: The people.
        draws: Source of random values.
        name: Tells this desk from others in the draws.
    """

    def __init__(self, stated: Escalation, draws: Draws, name: str = "people") -> None:
        self.stated = stated
        self._draws = draws
        self._name = name
        self._cases = 0
        self._people = [_Person(number) for number in range(1, stated.people + 1)]

    def visit(self, now_s: float) -> Visit:
        """Bring a case now [s]; returns when a person works on it."""
        self._cases += 1
        starts = [(self._start_s(person, now_s), person.number, person) for person in self._people]
        start_s, _, person = min(starts, key=lambda one: one[:2])
        takes_s = self.stated.takes_s.sample(self._draws, self._name, "takes", self._cases)
        person.free_s = whole_microseconds(start_s + takes_s)
        return Visit(start_s, person.free_s)

    async def decide(self) -> str:
        """Bring a case, and wait for the answer."""
        now_s = asyncio.get_running_loop().time()
        await asyncio.sleep(self.visit(now_s).end_s - now_s)
        return self.stated.text

    def _start_s(self, person: _Person, now_s: float) -> float:
        """When a person could begin with a case that comes now [s]."""
        if person.free_s > now_s:
            return person.free_s
        if self.stated.looks_every_h is None:
            return self._open_s(now_s)
        while person.look_s < now_s or person.looks == 0:
            person.looks += 1
            gap_h = self.stated.looks_every_h.sample(
                self._draws, self._name, "look", person.number, person.looks
            )
            person.look_s = whole_microseconds(person.look_s + max(gap_h, 1e-6) * HOUR_S)
        return self._open_s(person.look_s)

    def _open_s(self, at_s: float) -> float:
        """The time, or the next at which they look [s]."""
        day, hour = divmod(at_s / HOUR_S, _DAY_H)
        if self.stated.from_h <= hour < self.stated.to_h:
            return at_s
        if hour >= self.stated.to_h:
            day += 1
        return (day * _DAY_H + self.stated.from_h) * HOUR_S


@dataclass(slots=True)
class _Person:
    number: int
    free_s: float = 0.0
    look_s: float = 0.0
    looks: int = 0

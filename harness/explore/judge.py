"""Runs under deviations, cut at bounds relative to the passing run and judged by the properties."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.errors import Deadlock, HarnessError, LimitExceeded
from harness.explore.branches import Branches, Line
from harness.explore.deviation import Deviations, ToolDropped
from harness.explore.observation import Bounds, Observation, Subject
from harness.explore.properties import ENDLESS, Context, Failure, Property

_RELATIVE_BOUND = 50
"""A run may take so many times the virtual time and the time steps of the passing one."""

_LEAST = Bounds(horizon_s=7200.0, calls=50, idle_instants=2_000, steps=10_000)
"""Runs may go as far at least: the time-outs of an SDK alone add up to half an hour, and one agent that goes on for ever
makes so many calls however many others there are."""

_CONFIRMED_AT = 4
"""A program goes on for ever if a run passes a bound that is so many times as wide; later runs are cut at the bound itself."""


_PATIENCE = 8
"""And so many times as wide again for calls that are made while a call is open that met a fault: it ends one day, if only by a time-out."""

_CALLS = "calls_per_task"

_BESIDE = "calls beside a fault"
"""What is known to go on for ever even so."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one run teaches."""

    seen: Observation
    failure: Failure | None
    began: frozenset[str]
    """The bounds that were known before it to be passed for ever."""
    endless: frozenset[str]
    """And after it."""
    inconclusive: Counter[str]
    lines: frozenset[Line]
    """Lines of except-branches, and of functions that have some, that ran for the first time."""


class Judge:
    """Runs a subject under deviations and judges each run beside the passing one.

    Args:
        subject: What is explored.
        properties: What has to hold.
    """

    def __init__(self, subject: Subject, properties: Sequence[Property]) -> None:
        self._subject = subject
        self._properties = properties
        self._endless: frozenset[str] = frozenset()
        """The names of bounds that a run passed although they were wide."""
        self.branches = Branches()
        self.inconclusive: Counter[str] = Counter()
        """Runs that say nothing, by the reason: replies of the test that ran out, and the like."""

    def begin(self) -> tuple[Observation, Failure | None]:
        """Make the passing run, which later ones are cut and judged by.

        Raises:
            HarnessError: The test is wrong.
        """
        seen = self._passing = self._subject.run(())
        failure = self._judge(seen, ())
        self._bounds = Bounds(
            max(_RELATIVE_BOUND * seen.latency_s, _LEAST.horizon_s),
            2 * len(seen.sites) + _LEAST.calls,
            max(_RELATIVE_BOUND * _idle_timers(seen), _LEAST.idle_instants),
            max(_RELATIVE_BOUND * (len(seen.timers) + len(seen.tasks)), _LEAST.steps),
        )
        return seen, failure

    def look(self, deviations: Deviations) -> tuple[Observation, Failure | None]:
        """Run under deviations and judge the run; it counts for nothing else."""
        seen = self._run(deviations)
        if _BESIDE not in self._endless and _goes_on_beside_a_fault(seen):
            seen = self._subject.run(deviations, self._patient())
            if isinstance(seen.error, LimitExceeded):
                self._endless |= {_BESIDE}
        if isinstance(seen.error, LimitExceeded) and seen.error.limit not in self._endless:
            self._endless |= {seen.error.limit}
            seen = self._run(deviations)  # cut as all such runs are from now on
        failure = self._judge(seen, deviations)
        seen.release()
        return seen, failure

    def looked(self, deviations: Deviations) -> Looked:
        """The same, and what there is to learn from it, which `add` takes; it may come from another process."""
        inconclusive, endless = self.inconclusive, self._endless
        self.inconclusive = Counter()
        try:
            seen, failure = self.look(deviations)
            fresh = self.branches.fresh()
            return Looked(seen, failure, endless, self._endless, self.inconclusive, fresh)
        finally:
            self.inconclusive, self._endless = inconclusive, endless

    def is_current(self, looked: Looked) -> bool:
        """Whether a run had the bounds that hold now; runs before it may have moved them."""
        return looked.began == self._endless

    def add(self, looked: Looked) -> None:
        """Learn from a run."""
        self._endless = looked.endless
        self.inconclusive += looked.inconclusive
        self.branches.add(looked.lines)

    def _run(self, deviations: Deviations) -> Observation:
        return self._subject.run(deviations, self._widened())

    def _widened(self) -> Bounds:
        """How far a run may go before it counts as endless."""
        return self._bounds.times(_CONFIRMED_AT, but=self._endless)

    def _patient(self) -> Bounds:
        """The same, but for calls beside a fault."""
        return replace(self._widened(), calls=self._bounds.calls * _CONFIRMED_AT * _PATIENCE)

    def _judge(self, seen: Observation, deviations: Deviations) -> Failure | None:
        error = seen.error
        if isinstance(error, HarnessError) and not isinstance(error, Deadlock | LimitExceeded):
            if not deviations:
                raise error  # the test is wrong
            self.inconclusive[str(error).splitlines()[0]] += 1
            return None
        context = Context(self._passing, seen, deviations)
        failure = next(filter(None, (holds(context) for holds in self._properties)), None)
        unaware = any(isinstance(one, ToolDropped) for one in seen.applied)
        if failure is not None and unaware and failure.kind not in ENDLESS:
            return None  # a program that was told that all is done cannot know better; it must not wait for ever
        return failure


def _goes_on_beside_a_fault(seen: Observation) -> bool:
    """Whether a run was cut for its calls while one was open for half of it that had met a fault."""
    return (
        isinstance(seen.error, LimitExceeded)
        and seen.error.limit == _CALLS
        and any(
            site.met and site.start_s < seen.latency_s / 2 and site.end_s >= seen.latency_s
            for site in seen.sites
        )
    )


def _idle_timers(seen: Observation) -> int:
    """How many timers were set while no call was open."""
    idle, open_until_s = 0, -math.inf
    calls = deque(sorted((site.start_s, site.end_s) for site in seen.sites))
    for timer in sorted(seen.timers, key=lambda timer: timer.set_s):
        while calls and calls[0][0] <= timer.set_s:
            open_until_s = max(open_until_s, calls.popleft()[1])
        idle += timer.set_s > open_until_s
    return idle

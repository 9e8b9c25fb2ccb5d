"""Shrinking: from a failing run to the least deviations that fail in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from harness.explore.apply import NANOSECOND_S
from harness.explore.deviation import (
    WIDE,
    Cancel,
    Deviation,
    Deviations,
    Fault,
    Heal,
    Late,
    Latency,
    SlowAgent,
    ThreadFirst,
    ThreadGoes,
    ToolLatency,
    size_key,
)
from harness.explore.latencies import as_before, plainest, with_time
from harness.explore.observation import Observation
from harness.explore.properties import Failure

_PARTS_MAX = 64
"""A deviation that stands for more is left whole."""

_NARROW_MAX = 3
"""A wide deviation is not taken apart into more than so many: "the provider is down" says more than ten single failures."""

_HALVED_MAX = 8
"""So many parts are looked at one by one."""

_THREADS_MAX = 8
"""So many ways to prefer one thread are tried in place of an order by chance."""

_FAILS = "overloaded"
"""The plainest fault."""

_VALUES_FROM = 20
"""No value is made smaller after so many runs."""

_NEAR = 0.05
"""The least time that fails is known up to this share."""

_DIGITS = 6
"""Digits of a moment."""

Look = Callable[[Deviations], tuple[Observation, Failure | None]]


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A minimal failing run."""

    deviations: Deviations
    seen: Observation
    failure: Failure
    runs: int
    """How many runs it took."""
    passed: tuple[tuple[Deviations, Observation], ...] = ()
    """The runs on the way that did not fail."""


class Shrinker:
    """Shrinks one failing run.

    Args:
        look: Runs under deviations.
        deviations: Of the failing run.
        seen: That run.
        failure: How it failed.
        passing: The passing run.
        limit: How many runs it may take.
    """

    def __init__(
        self,
        look: Look,
        deviations: Deviations,
        seen: Observation,
        failure: Failure,
        passing: Observation,
        limit: int,
    ) -> None:
        self._look = look
        self._passing = passing
        self._limit = limit
        self._tried: set[frozenset[Deviation]] = {frozenset(deviations)}
        self._runs = 0
        self._passed: list[tuple[Deviations, Observation]] = []
        self._best = Shrunk(deviations, seen, failure, 0)

    def shrink(self) -> Shrunk:
        """The least that was found within the limit."""
        self._keep_applied()
        self._halve()
        self._split()
        self._replace_latencies()
        self._simplify()
        return replace(self._best, runs=self._runs, passed=tuple(self._passed))

    # -- steps --------------------------------------------------------------------------------------------------------

    def _fails(self, deviations: Deviations) -> bool:
        """Whether fewer or plainer deviations fail in the same way; if so they are the best from now on."""
        wanted = frozenset(deviations)
        if wanted in self._tried or self._runs >= self._limit or not deviations:
            return False
        self._tried.add(wanted)
        self._runs += 1
        seen, failure = self._look(deviations)
        if failure is None:
            self._passed.append((deviations, seen))
        if failure is None or failure.key != self._best.failure.key:
            return False
        self._best = Shrunk(deviations, seen, failure, self._runs)
        return True

    def _keep_applied(self) -> None:
        """Leave out what had no effect in the run, which needs no proof but one run."""
        applied = tuple(one for one in self._best.deviations if one in self._best.seen.applied)
        if len(applied) < len(self._best.deviations):
            self._fails(applied)

    def _halve(self) -> None:
        """Delta debugging: leave out parts, ever smaller (Zeller and Hildebrandt, 2002)."""
        current, parts = list(self._best.deviations), 2
        while len(current) >= 2:
            size = max(1, len(current) // parts)
            for start in range(0, len(current), size):
                # What is left alone is tried first while parts are large: most failures need one deviation.
                alone = tuple(current[start : start + size])
                if len(alone) < len(current) and self._fails(alone):
                    current, parts = list(alone), 2
                    break
                rest = tuple(current[:start] + current[start + size :])
                if parts > 2 and self._fails(rest):
                    current, parts = list(rest), max(parts - 1, 2)
                    break
            else:
                if size == 1 and parts >= len(current):
                    return
                parts = min(len(current), parts * 2)

    def _split(self) -> None:
        """Break up what stands for many."""
        for wide in [one for one in self._best.deviations if isinstance(one, WIDE)]:
            whole, narrow = self._best, self._best.seen.parts.get(wide, ())
            others = tuple(one for one in whole.deviations if one != wide)
            if len(narrow) > 2 and len(narrow) <= _PARTS_MAX:
                self._search_in(others, narrow)
            elif narrow and len(narrow) <= 2 and self._fails((*others, *narrow)):
                self._halve()
            if len(self._best.deviations) > len(others) + _NARROW_MAX:
                self._best = whole
            if self._best is whole:
                self._prefer_one_thread(others, narrow)
            if self._best is not whole:
                self._halve()  # what was needed beside an order by chance may not be beside a plainer one

    def _prefer_one_thread(self, others: Deviations, narrow: Deviations) -> None:
        """One thread that goes first or last in place of an order by chance, of which nobody can tell what it does."""
        turns = [one for one in narrow if isinstance(one, ThreadGoes)]
        first = dict.fromkeys(one.goes for one in turns)
        last = dict.fromkeys(path for one in turns for path in one.ready.split(" | "))
        plainer = [*map(ThreadFirst, first), *(ThreadFirst(path, last=True) for path in last)]
        for one in plainer[:_THREADS_MAX]:
            if self._fails((*others, one)):
                return

    def _search_in(self, others: Deviations, narrow: Deviations) -> None:
        """Halve what a wide deviation stands for as long as one half is enough."""
        while len(narrow) > 1:
            half = len(narrow) // 2
            for part in (narrow[:half], narrow[half:]):
                if self._fails((*others, *part)):
                    narrow = part
                    break
            else:
                if len(narrow) <= _HALVED_MAX:
                    self._fails((*others, *narrow))
                    self._halve()
                return

    def _replace_latencies(self) -> None:
        """Single deviations at the same calls in place of several."""
        best = self._best.deviations
        if len(best) < 2:
            return
        threads = dict.fromkeys(one.goes for one in best if isinstance(one, ThreadGoes))
        others = tuple(one for one in best if not isinstance(one, ThreadGoes))
        for thread in threads if len(best) - len(others) > 1 else ():
            if self._fails((*others, ThreadFirst(thread))):
                return
        seen = self._best.seen
        for one in best:
            for single in (
                *at_same_place(one, seen, self._passing),
                *_at_same_call(one),
                *at_same_event(one, seen, self._passing),
            ):
                if self._fails((single,)):
                    return

    def _simplify(self) -> None:
        """Plainer values: a failed call in place of a damaged one, and the least lateness that fails."""
        for one in list(self._best.deviations):
            for plainer in _plainer(one):
                if self._fails(self._with(one, plainer)):
                    break
        for one in list(self._best.deviations):
            if isinstance(one, Latency | SlowAgent | ToolLatency):
                self._approach(one)

    def _with(self, one: Deviation, other: Deviation) -> Deviations:
        """The best deviations, with another one in the place of one."""
        return tuple(other if each == one else each for each in self._best.deviations)

    def _approach(self, late: Latency | SlowAgent | ToolLatency) -> None:
        """Bring a time as near to that of the passing run as it fails, and make it a round one."""
        passes_s, fails_s = as_before(late, self._passing), late.takes_s
        while abs(fails_s - passes_s) > _NEAR * max(fails_s, passes_s):
            if self._runs >= _VALUES_FROM:
                return
            tried = with_time(late, plainest(passes_s, fails_s))
            if self._fails(self._with(late, tried)):
                late, fails_s = tried, tried.takes_s
            else:
                passes_s = tried.takes_s


def _at_same_call(one: Deviation) -> Iterator[Deviation]:
    match one:
        case Fault(call=call, name=name) if name != _FAILS:
            yield Fault(call, _FAILS)
        case Fault(call=call):
            yield Fault(call, "hang")
        case Latency(call=call, takes_s=takes_s):
            yield Latency(call, round(takes_s * 3 + 30, 1))


def at_same_place(one: Deviation, seen: Observation, passing: Observation) -> Iterator[Deviation]:
    """The same at the call that stands in its place in the passing run.

    What another deviation did can be in the prompt of a later call of the same task; without it that call has another address.
    """
    if not isinstance(one, Fault | Latency):
        return
    known = {site.address for site in passing.sites}
    here = next((site for site in seen.sites if site.address == one.call), None)
    if here is None or here.address in known:
        return
    before, now = (
        [site for site in run.sites if (site.path, site.agent) == (here.path, here.agent)]
        for run in (passing, seen)
    )
    place = now.index(here)
    if place < len(before):
        yield replace(one, call=before[place].address)


def at_same_event(one: Deviation, seen: Observation, passing: Observation) -> Iterator[Deviation]:
    """A cancellation, or the end of a late call, as long after the same event in the passing run.

    Another deviation may have done no more than move that event.
    """
    match one:
        case Cancel(at_s=at_s):
            moved_s = _moved(at_s, seen, passing)
            if moved_s is not None:
                yield replace(one, at_s=moved_s)
        case Latency(call=call):
            ends_s = [site.end_s for site in seen.sites if site.address == call]
            starts_s = [site.start_s for site in passing.sites if site.address == call]
            for end_s, start_s in zip(ends_s, starts_s, strict=False):
                moved_s = _moved(end_s, seen, passing, but=call)
                if moved_s is not None and moved_s > start_s:
                    yield replace(one, takes_s=round(moved_s - start_s, _DIGITS))


def _moved(at_s: float, seen: Observation, passing: Observation, but: str = "") -> float | None:
    """The moment of the passing run that is as long after the last event before as a moment of another run [virtual s]."""
    before = {site.address: site for site in passing.sites if site.address != but}
    events = [
        (moment_s, then_s)
        for site in seen.sites
        if site.address in before
        for moment_s, then_s in (
            (site.start_s, before[site.address].start_s),
            (site.end_s, before[site.address].end_s),
        )
        if moment_s <= at_s
    ]
    if not events:
        return None
    moment_s, then_s = max(events)
    return round(then_s + at_s - moment_s, _DIGITS)


def _plainer(one: Deviation) -> Iterator[Deviation]:
    match one:
        case Fault(call=call, name=name, attempt=attempt) if name != _FAILS:
            yield Fault(call, _FAILS, attempt=attempt)
        case Late(by_s=by_s) if by_s > NANOSECOND_S:
            yield replace(one, by_s=NANOSECOND_S)
        case Cancel(at_s=at_s) | Heal(at_s=at_s):
            for digits in (0, 1):
                if round(at_s, digits) != at_s:
                    yield replace(one, at_s=round(at_s, digits))


def in_order(deviations: Deviations, seen: Observation) -> Deviations:
    """Deviations in the order in which they had their effect in a run, those without one at the end."""
    place = {one: at for at, one in enumerate(seen.applied)}
    return tuple(sorted(deviations, key=lambda one: (place.get(one, len(place)), size_key(one))))

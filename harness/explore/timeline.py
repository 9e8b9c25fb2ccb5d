"""When a run did something: the times that another latency or a cancellation could change the order of.

Candidates are the virtual times at which a run did something, so that limits such as two seconds are found and not guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate, pairwise

from harness.chance.choices import TimerRecord
from harness.explore.observation import Observation, Site, Use

LONG_S = (45.0, 150.0)
"""Latencies that are tried besides: a limit that is only a number in the program is in no timeline [s]."""

AFTER_S = 0.5
"""How long after a deadline a call ends that just misses it [s]."""

BEFORE_S = 0.2
"""How long before a deadline a call ends that just makes it [s]."""

_ROUNDED = 4
"""Digits of a latency."""

_NEAR_S = 1e-6
_TIE_DIGITS = 9
_FAR_S = 400.0
"""A library's time-out beyond that is met by a call that hangs, and by no other."""


class Timeline:
    """The moments of a run.

    Args:
        seen: The run.
        irrelevant: Agents whose calls do not matter.
    """

    def __init__(self, seen: Observation, irrelevant: Collection[str] = ()) -> None:
        self._seen = seen
        unrelated = {site.path for site in seen.sites if site.agent in irrelevant}
        # A task that makes unrelated calls alone can still be the one that waits for the others.
        unrelated -= {
            above
            for site in seen.sites
            if site.agent not in irrelevant
            for above in accumulate(site.path.split("/"), "{}/{}".format)
        }
        self._unrelated = unrelated
        times: list[float] = []
        for site in seen.sites:
            if site.agent not in irrelevant:
                times += [site.start_s, site.end_s]
        for use in seen.uses:
            times += [use.start_s, use.end_s]
        times += [
            timer.due_s
            for timer in seen.timers
            if timer.of_program
            and timer.task not in unrelated
            and timer.due_s < seen.latency_s * 4 + 3600
        ]
        self.moments: Sequence[float] = sorted({round(at_s, 6) for at_s in times})
        """When something happened or would have [virtual s], each once."""

    def deadlines(self, site: Site) -> list[float]:
        """The ends of time-outs that were running when a call was made, and that it kept [virtual s], the nearest first."""
        own, outer = set(), set()
        for timer in self._seen.timers:
            if timer.due_s <= site.end_s or timer.set_s > site.start_s + _NEAR_S:
                continue
            if not _is_above(timer.task, site.path):
                continue
            if timer.cancelled_s is not None and timer.cancelled_s < site.end_s - _NEAR_S:
                continue  # it was for something else
            if timer.of_program:
                if timer.kind != "sleep":
                    outer.add(round(timer.due_s, 6))
            elif abs(timer.set_s - site.start_s) < _NEAR_S and timer.due_s - timer.set_s < _FAR_S:
                own.add(round(timer.due_s, 6))
        return sorted(own | outer)

    def running(self, at_s: float, *, sleeps: bool = True) -> list[float]:
        """When the timers of the program that ran until a moment, or longer, were due [virtual s].

        First those that ended at that moment: who had set them has got what it waited for. Then the nearest.

        Args:
            at_s: The moment [virtual s].
            sleeps: Whether sleeps are among them, and not time-outs alone.
        """
        running = [
            timer
            for timer in self._seen.timers
            if timer.of_program
            and (sleeps or timer.kind != "sleep")
            and timer.task not in self._unrelated
            and timer.set_s < at_s - _NEAR_S
            and timer.due_s > at_s + _NEAR_S
            and (timer.cancelled_s is None or timer.cancelled_s > at_s - _NEAR_S)
        ]
        running.sort(
            key=lambda timer: (
                timer.cancelled_s is None or timer.cancelled_s > at_s + _NEAR_S,
                timer.due_s,
            )
        )
        return list(dict.fromkeys(timer.due_s for timer in running))

    def latencies(self, start_s: float, end_s: float, deadlines: Sequence[float]) -> list[float]:
        """How long something could take for other things to happen in another order, the most telling first [s].

        Args:
            start_s: When it began.
            end_s: When it ended.
            deadlines: The ends of time-outs that it kept.
        """
        found: list[tuple[float, float]] = []
        for deadline in deadlines[:3]:
            found += [(0, deadline + AFTER_S), (0, deadline - BEFORE_S)]
        # Whoever waits elsewhere, such as for a lock that this one holds, gives up first.
        others = [
            at_s for at_s in self.running(end_s, sleeps=False) if round(at_s, 6) not in deadlines
        ]
        found += [(0.5, due_s + AFTER_S) for due_s in others[:1]]
        edges = [
            start_s,
            *(
                at_s
                for at_s in self.moments
                if at_s > start_s + 1e-3 and abs(at_s - end_s) > _NEAR_S
            ),
        ]
        later = [place for place, at_s in enumerate(edges) if at_s > end_s]
        for rank, place in enumerate(later):
            after_s = edges[place + 1] if place + 1 < len(edges) else edges[place] + 2.0
            found.append((1 + rank, (edges[place] + after_s) / 2))
        sooner = [place for place, at_s in enumerate(edges) if at_s < end_s]
        for rank, place in enumerate(reversed(sooner)):
            after_s = edges[place + 1] if place + 1 < len(edges) else end_s
            found.append((1.5 + rank, (edges[place] + min(after_s, end_s)) / 2))
        found += [(2.2 + 4 * rank, start_s + long_s) for rank, long_s in enumerate(LONG_S)]
        ends = sorted(found, key=lambda each: each[0])
        takes = [round(at_s - start_s, _ROUNDED) for _, at_s in ends]
        return [takes_s for takes_s in dict.fromkeys(takes) if takes_s > 0.01]

    def of_site(self, site: Site) -> list[float]:
        """How long a call could take; see `latencies`."""
        return self.latencies(site.start_s, site.end_s, self.deadlines(site))

    def of_use(self, use: Use) -> list[float]:
        """How long a use of a tool could take; see `latencies`."""
        return self.latencies(use.start_s, use.end_s, ())

    def last_before(self, at_s: float) -> float:
        """When something last happened before a moment [virtual s]."""
        return max((moment for moment in self.moments if moment < at_s - _NEAR_S), default=0.0)

    def ties(self) -> list[list[TimerRecord]]:
        """The timers of the program that fall on one instant with another timer, or with the end of a call; the first first."""
        at: dict[float, list[TimerRecord]] = defaultdict(list)
        for timer in self._seen.timers:
            if timer.of_program:
                at[round(timer.due_s, _TIE_DIGITS)].append(timer)
        ends = {round(site.end_s, _TIE_DIGITS) for site in self._seen.sites}
        ends |= {round(use.end_s, _TIE_DIGITS) for use in self._seen.uses}
        return [timers for at_s, timers in sorted(at.items()) if len(timers) > 1 or at_s in ends]

    def stretches(self, start_s: float, end_s: float) -> Iterator[float]:
        """The middles of the stretches between two moments in which something could be cancelled [virtual s]."""
        edges = [start_s, *(at_s for at_s in self.moments if start_s < at_s < end_s), end_s]
        for before_s, after_s in pairwise(edges):
            if after_s - before_s > _NEAR_S:
                yield round((before_s + after_s) / 2, _ROUNDED)


def _is_above(task: str, path: str) -> bool:
    """Whether a task is another one, or spawned it directly or not."""
    return path == task or path.startswith(f"{task}/") or task == ""

"""All single deviations of a program: what a pair is proved against."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator

from tests.zoo.planted import Deviation, Fault, Late, Planted, Tool
from tests.zoo.running import Ran, run

FAULTS = ("overloaded", "truncated", "invalid_json", "hang", "reset")
"""One fault of each outcome that a program can tell apart."""

NS = 1e-9
LONG_S = (45.0, 150.0, 400.0)
"""Longer than limits that stand in no timeline, and shorter than the SDK's own."""


def single_faults(passing: Ran) -> Iterator[Deviation]:
    """Each fault, at each call of the passing run, and each use of a tool that fails or whose answer is lost."""
    for agent, call, _ in calls_of(passing):
        for kind in FAULTS:
            yield Fault(agent, call, kind)
    for use in passing.choices.uses:
        yield Tool(use.key, "fails")
        yield Tool(use.key, "lost")


def single_latencies(passing: Ran) -> Iterator[Deviation]:
    """Each call, ending a nanosecond before and after everything that the passing run did, and in the gaps between."""
    moments = moments_of(passing)
    gaps = [(one + other) / 2 for one, other in itertools.pairwise(moments)]
    ends = sorted({*gaps, *(at for it in moments for at in (it - NS, it + NS))})
    for agent, call, start_s in calls_of(passing):
        for for_s in (*(end - start_s for end in ends), *LONG_S):
            if for_s > 0:
                yield Late(agent, call, for_s)


def calls_of(ran: Ran) -> Iterator[tuple[str, int, float]]:
    """Each call of a run: its agent, its number among the agent's, and when it began [virtual s]."""
    counts: Counter[str] = Counter()
    for call in ran.run.all_calls:
        counts[call.agent] += 1
        yield call.agent, counts[call.agent], call.start_s


def moments_of(ran: Ran) -> list[float]:
    """When something happened in a run, or would have if nothing had come before it [virtual s]."""
    calls = [at for call in ran.run.all_calls for at in (call.start_s, call.end_s)]
    timers = [timer.due_s for timer in ran.choices.timers]
    tasks = [at for task in ran.choices.tasks for at in (task.began_s, task.ended_s or 0.0)]
    return sorted({round(at, 9) for at in (*calls, *timers, *tasks)})


def breaking(bug: Planted, deviations: Iterator[Deviation]) -> list[Deviation]:
    """The deviations that break a program alone."""
    return [it for it in deviations if run(bug, [it]).wrong is not None]

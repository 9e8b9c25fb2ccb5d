"""Starvation: a call waits longer than a bound while others that came later are served."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final, NamedTuple

from harness.metrics.tally import RATE_LIMITED
from harness.spans import ATTEMPT, CALL, OK, Table
from harness.units import render

BOUND_S: Final = 60.0
"""How long a call may wait while others are served [s]: where limits are counted by the minute, a minute is fair."""

OVERTAKEN_MIN: Final = 10
"""By how many later calls of other tasks it must be overtaken; a few may pass because they are small."""

_REFUSALS: Final = (RATE_LIMITED, "overloaded_error")
"""Attempts that a provider refuses because of others."""

_LONGEST_MAX: Final = 2_000
"""How many of the longest waits are looked at; more name no other agents."""


@dataclass(frozen=True, slots=True)
class Starved:
    """The calls of an agent that were overtaken, by the one that waited longest."""

    agent: str
    task: int
    model: str
    since_s: float
    """When it asked first [s]."""
    waited_s: float
    overtaken: int
    """Calls of other tasks to the same model that came later and were served before."""
    is_served: bool
    """Whether its service began after all."""
    calls: int
    """How many calls of the agent starved."""
    span_id: int = -1
    """The call that waited longest."""

    def __str__(self) -> str:
        end = "" if self.is_served else ", and was never served"
        more = f"; {self.calls - 1:,} more calls of it did" if self.calls > 1 else ""
        return (
            f"{self.agent} starved in task {self.task}: from {render('s', self.since_s)} on it waited "
            f"{render('s', self.waited_s)} for {self.model} while {self.overtaken:,} later calls were served{end}{more}"
        )


class _Call(NamedTuple):
    """A call that waited for its service because of others alone."""

    task: int
    agent: str
    model: str
    asked_s: float
    served_s: float
    """When its service began, or it gave up."""
    is_served: bool
    span_id: int


def starving(spans: Table, *, bound_s: float = BOUND_S) -> list[Starved]:
    """Find the agents whose calls starved, the one that waited longest first.

    Args:
        spans: The spans of a run.
        bound_s: How long a call may wait while others are served [s].
    """
    by_model: dict[str, list[_Call]] = {}
    for call in _calls(spans):
        by_model.setdefault(call.model, []).append(call)
    alone = len({call.task for calls in by_model.values() for call in calls}) == 1
    found: dict[str, list[Starved]] = {}
    for model, calls in by_model.items():
        calls.sort(key=lambda call: call.asked_s)
        asked_s = [call.asked_s for call in calls]
        slow = sorted(
            (it for it in calls if it.served_s - it.asked_s > bound_s),
            key=lambda it: it.asked_s - it.served_s,
        )
        for one in slow[:_LONGEST_MAX]:
            later = calls[bisect_right(asked_s, one.asked_s) : bisect_right(asked_s, one.served_s)]
            overtaken = sum(
                it.is_served and it.served_s < one.served_s and _is_other(it, one, alone)
                for it in later
            )
            if overtaken >= OVERTAKEN_MIN:
                waited_s = one.served_s - one.asked_s
                found.setdefault(one.agent, []).append(
                    Starved(one.agent, one.task, model, one.asked_s, waited_s, overtaken, one.is_served, 1, one.span_id)
                )  # fmt: skip
    told = [_summed(of_agent) for of_agent in found.values()]
    return sorted(told, key=lambda it: (-it.waited_s, it.agent))


def _is_other(call: _Call, one: _Call, alone: bool) -> bool:  # noqa: FBT001 - a fact about the run
    """Whether a call is of another task; where there is one task alone, as in a program of a test, of another agent."""
    return call.agent != one.agent if alone else call.task != one.task


def _summed(starved: list[Starved]) -> Starved:
    first = max(starved, key=lambda it: (it.waited_s, -it.task))
    return Starved(
        first.agent, first.task, first.model, first.since_s, first.waited_s, first.overtaken, first.is_served,
        len(starved), first.span_id,
    )  # fmt: skip


def _calls(spans: Table) -> list[_Call]:
    """Every call from its beginning, waits for a place in flight included, to its service, but for those that failed otherwise or met a fault."""
    columns = (
        "kind", "parent_id", "task", "agent", "model", "ordinal", "arrival_s", "start_s", "end_s", "status", "error", "fault",
    )  # fmt: skip
    began_s = {
        span_id: arrival_s
        for kind, span_id, arrival_s in spans.rows("kind", "span_id", "arrival_s")
        if kind == CALL
    }
    attempts: dict[int, list[tuple[int, _Call, bool]]] = {}
    for kind, call, task, agent, model, ordinal, arrival_s, start_s, end_s, status, error, fault in spans.rows(*columns):  # fmt: skip
        if kind != ATTEMPT:
            continue
        is_served = not math.isnan(start_s)
        waits = not fault and (is_served or error in _REFUSALS or status != OK)
        until_s = start_s if is_served else end_s
        made = _Call(task, agent, model, arrival_s, until_s, is_served, call)
        is_fair = waits and not (status != OK and is_served)
        attempts.setdefault(call, []).append((ordinal, made, is_fair))
    found = []
    for call, made_ones in attempts.items():
        made_ones.sort(key=lambda it: it[0])
        if all(is_fair for _, _, is_fair in made_ones):
            last = made_ones[-1][1]
            if not math.isnan(last.served_s):
                asked_s = began_s.get(call, made_ones[0][1].asked_s)
                found.append(last._replace(asked_s=asked_s))
    return found

"""Liveness after healing: when all faults have stopped, the program ends within a bound.

A program may wait for as long as a provider is down. So this property takes the place of `ends` where its bound is stated: what goes on
for ever while a fault lasts is excused, and what goes on too long after the last fault is not.
"""

from __future__ import annotations

import math

from harness.errors import LimitExceeded
from harness.explore.deviation import Down, Heal, SlowAgent
from harness.explore.properties.api import Context, Failure, Property
from harness.explore.properties.ending import ends
from harness.units import render


def recovers(limit_s: float) -> Property:
    """The property that a task ends so soon after the last fault [s]."""

    def holds(context: Context) -> Failure | None:
        healed_s = _healed_s(context)
        if isinstance(context.now.error, LimitExceeded) and healed_s == math.inf:
            return None
        return _late(context, healed_s, limit_s) or ends(context)

    return holds


def _healed_s(context: Context) -> float:
    """When nothing failed any more [virtual s]; infinite if an agent stays down or slow, or a call hangs for ever, and 0 if nothing failed."""
    heals = [one.at_s for one in context.deviations if isinstance(one, Heal)]
    if not heals and any(isinstance(one, Down | SlowAgent) for one in context.now.applied):
        return math.inf
    harmed_s = context.now.harmed_until_s
    return max(harmed_s, *heals, 0.0) if harmed_s else 0.0


def _late(context: Context, healed_s: float, limit_s: float) -> Failure | None:
    if context.deviations and not healed_s:
        return None
    limit = render("latency_s", limit_s)
    for task in context.now.spent:
        took_s = task.ended_s - max(healed_s, task.began_s)
        if took_s <= limit_s:
            continue
        took = render("latency_s", took_s)
        if healed_s:
            told = f"task {task.task} goes on for {took} after the last fault, more than its limit of {limit}"
        else:
            told = (
                f"task {task.task} takes {took} without a fault, so it cannot end {limit} after one"
            )
        return Failure("recovery", told)
    return None

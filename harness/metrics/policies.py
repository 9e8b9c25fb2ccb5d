"""What the events of policies say: hedges, escalations, hits of caches, refusals by budgets, and how long circuits were open."""

from __future__ import annotations

from dataclasses import dataclass, fields

from harness.spans import (
    BUDGET_REFUSED,
    CACHE_HIT,
    CACHE_MISS,
    CIRCUIT_HALF_OPENED,
    CIRCUIT_OPENED,
    ESCALATED,
    HEDGED,
    Table,
)

_NAMES = frozenset(
    {
        BUDGET_REFUSED, CACHE_HIT, CACHE_MISS, CIRCUIT_HALF_OPENED, CIRCUIT_OPENED, ESCALATED, HEDGED,
    }
)  # fmt: skip


@dataclass(slots=True)
class PolicyTally:
    """What the policies of some runs did; None of what no event tells of."""

    escalations: int | None = None
    """Calls that were brought before a person."""
    hedges: int | None = None
    """Requests that were sent beside a slow one."""
    cache_hits: int | None = None
    """Calls that were answered from a cache."""
    budget_refusals: int | None = None
    """Calls and turns that a budget refused."""
    breaker_open_s: float | None = None
    """Time for which circuit breakers refused all calls, warm-up included [s]."""

    def add(self, other: PolicyTally) -> None:
        """Count another tally in."""
        for field in fields(self):
            theirs = getattr(other, field.name)
            if theirs is not None:
                setattr(self, field.name, (getattr(self, field.name) or 0) + theirs)


def tally_policies(events: Table, end_s: float, warmup_tasks: int = 0) -> PolicyTally:
    """Count what one run's events say.

    Args:
        events: The events of the run.
        end_s: The end of its last task [s]; a circuit that is open then counts until then.
        warmup_tasks: How many of the first tasks are left out; circuits are of all tasks.
    """
    found = PolicyTally()
    if _NAMES.isdisjoint(events.texts):
        return found
    opened_s: dict[str, float] = {}
    for at_s, task, name, breaker in events.rows("at_s", "task", "name", "detail"):
        if name == CIRCUIT_OPENED:
            opened_s[breaker] = at_s
            found.add(PolicyTally(breaker_open_s=0.0))
        elif name == CIRCUIT_HALF_OPENED:
            found.add(PolicyTally(breaker_open_s=at_s - opened_s.pop(breaker, at_s)))
        elif name in _NAMES and task > warmup_tasks:
            found.add(_one(name))
    for since_s in opened_s.values():
        found.add(PolicyTally(breaker_open_s=max(0.0, end_s - since_s)))
    return found


def _one(name: str) -> PolicyTally:
    """What one event counts."""
    if name == HEDGED:
        return PolicyTally(hedges=1)
    if name == ESCALATED:
        return PolicyTally(escalations=1)
    if name == BUDGET_REFUSED:
        return PolicyTally(budget_refusals=1)
    return PolicyTally(cache_hits=int(name == CACHE_HIT))

"""What each task of a run took: calls, tokens, money, time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.spans import ATTEMPT, CALL, TASK, Table


@dataclass(slots=True)
class Spent:
    """What one task took."""

    task: int
    calls: int = 0
    tokens: int = 0
    """Input, cached and output tokens of all attempts."""
    cost_usd: float = 0.0
    """NaN if a price is unknown."""
    began_s: float = 0.0
    ended_s: float = 0.0
    """The end of the run for a task that never ended."""

    @property
    def latency_s(self) -> float:
        """From its start to its end [s]."""
        return self.ended_s - self.began_s


def spent_in(spans: Table, last_s: float) -> tuple[Spent, ...]:
    """What each task took, in order.

    Args:
        spans: Of the run.
        last_s: The end of the run [virtual s].
    """
    found: dict[int, Spent] = {}
    columns = ("kind", "task", "arrival_s", "end_s", "cost_usd", *_TOKENS)
    for kind, task, arrival_s, end_s, cost_usd, *tokens in spans.rows(*columns):
        of = found.setdefault(task, Spent(task))
        if kind == TASK:
            of.began_s, of.ended_s = arrival_s, last_s if math.isnan(end_s) else end_s
        elif kind == CALL:
            of.calls += 1
        elif kind == ATTEMPT:
            of.tokens += sum(count for count in tokens if count > 0)
            of.cost_usd += cost_usd
    return tuple(found[task] for task in sorted(found))


_TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")


def harm_in(spans: Table) -> float:
    """When the last fault was over [virtual s]; infinite if it never was, and 0 if there was none.

    Args:
        spans: Of the run.
    """
    ends = (end_s for fault, end_s in spans.rows("fault", "end_s") if fault)
    return max((math.inf if math.isnan(end_s) else end_s for end_s in ends), default=0.0)

"""What the tasks of each customer took and cost, counted from the spans of a run."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from harness.spans import ATTEMPT, CALL, CANCELLED, OK, TASK, Table

CUSTOMER_METRICS: dict[str, str] = {
    "tasks": "tasks that were measured, all runs",
    "latency_s_mean": "time from a task's arrival to its end, mean [s]; all tasks that came to an end, well or not",
    "latency_s_p95": "the same, 95th percentile [s]",
    "cost_usd_mean": "cost of a task, mean [USD]",
    "calls_mean": "calls a task makes, mean",
    "success_rate": "share of tasks that ended well",
}
"""Every metric of a customer, in the order in which they are shown."""


@dataclass(slots=True)
class CustomerTally:
    """What the measured tasks of one customer took and cost, in some runs."""

    tasks: int = 0
    succeeded: int = 0
    calls: int = 0
    cost_usd: float = 0.0
    """NaN as soon as the price of one attempt is unknown."""
    latencies_s: array[float] = field(default_factory=lambda: array("d"))
    """Of each task that came to an end, well or not [s]."""

    def add(self, other: CustomerTally) -> None:
        """Count another tally in."""
        self.tasks += other.tasks
        self.succeeded += other.succeeded
        self.calls += other.calls
        self.cost_usd += other.cost_usd
        self.latencies_s.extend(other.latencies_s)


def tally_customers(spans: Table, warmup_tasks: int) -> dict[str, CustomerTally]:
    """Count what the spans say of each customer, in the order of their names; empty where no task has one.

    Args:
        spans: The spans of a run.
        warmup_tasks: How many of the first tasks are left out.
    """
    texts, nobody = spans.texts, spans.texts.index("") if "" in spans.texts else -1
    of_task: dict[int, CustomerTally] = {}
    found: dict[str, CustomerTally] = {}
    if spans["customer"].count(nobody) == len(spans):
        return found
    columns = (spans[name] for name in ("kind", "task", "customer", "arrival_s", "end_s", "status"))
    of_kind = {kind: texts.index(kind) for kind in (TASK, CALL, ATTEMPT) if kind in texts}
    ok, cancelled = (texts.index(it) if it in texts else -1 for it in (OK, CANCELLED))
    for kind, task, customer, arrival_s, end_s, status in zip(*columns, strict=True):
        if kind == of_kind[TASK] and customer != nobody and task > warmup_tasks:
            mine = of_task[task] = found.setdefault(texts[customer], CustomerTally())
            mine.tasks += 1
            mine.succeeded += status == ok
            if status != cancelled:
                mine.latencies_s.append(end_s - arrival_s)
    for kind, task, cost_usd in zip(spans["kind"], spans["task"], spans["cost_usd"], strict=True):
        if task in of_task:
            of_task[task].calls += kind == of_kind.get(CALL)
            if kind == of_kind.get(ATTEMPT):
                of_task[task].cost_usd += cost_usd
    return dict(sorted(found.items()))

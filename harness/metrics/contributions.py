"""Contributions to each task's time or cost, which add up to the whole; alone, or paired with another run's task."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Final, NamedTuple

from harness.metrics.bills import KINDS, Bill
from harness.metrics.critical_path import BACK_OFF, QUEUE, RETRY, WORK, critical_paths
from harness.metrics.endings import attempt_endings, failed_tasks
from harness.metrics.summary import quantile
from harness.metrics.tally import RATE_LIMITED, is_retry
from harness.spans import AGENT, ATTEMPT, CALL, CANCELLED, ERROR, OK, TASK, TOOL, Table

TAILS: Final = {"latency_s_p95": 0.95, "latency_s_p99": 0.99, "latency_s_max": 1.0}
"""Metrics that a few slow tasks decide, and the share of tasks that are faster."""

PATH_METRICS: Final = ("latency_s_mean", "latency_s_p50", *TAILS)
"""Metrics that critical paths explain."""

SUCCESS: Final = "success_rate"
"""Explained by the tasks that failed: each counts as 1, where and how it failed."""

FAILED: Final = "failed"
"""The kind of contribution to `SUCCESS`."""


class Key(NamedTuple):
    """The subject of a contribution."""

    kind: str
    """Of a segment of a critical path; of an amount, `work` when there was a reply and `retry` when there was none."""
    agent: str
    name: str
    """The model or the tool; empty for time in which neither was used."""


def cause_of(key: Key, tools: set[tuple[str, str]]) -> Key:
    """What a sentence puts together: an agent's models, its retries with their waits, the queues of all agents.

    Args:
        key: A contribution to a path.
        tools: Agents and the tools that they used, which are told apart.
    """
    if key.kind == QUEUE:
        return Key(QUEUE, "", "")
    if key.kind in (RETRY, BACK_OFF):
        return Key(RETRY, key.agent, "")
    is_tool = key.kind == WORK and (key.agent, key.name) in tools
    return key if is_tool else Key(key.kind, key.agent, "")


@dataclass(slots=True)
class Use:
    """How one agent used its models in a task."""

    calls: float = 0
    attempts: float = 0
    replies: float = 0
    input_tokens: float = 0
    """Of the replies, cached ones included."""
    output_tokens: float = 0
    service_s: float = 0.0
    """Time that the replies took from their start [s]."""
    prefill_s: float = 0.0
    """The part of it before their first tokens [s]."""
    cache_read_tokens: float = 0
    """The part of the input that was read from a prompt cache."""
    cache_write_tokens: float = 0
    """The part of the input that was written to a prompt cache."""
    failed_calls: float = 0
    """Calls that ended with an error."""
    injected: float = 0
    """Attempts without a reply that met an injected fault."""
    models: Counter[str] = field(default_factory=Counter)
    """How many attempts each model got."""
    endings: Counter[str] = field(default_factory=Counter)
    """How many attempts and uses of tools failed, by the reason, such as `timeout` or `529 overloaded_error`."""
    stands_in: Counter[str] = field(default_factory=Counter)
    """How many calls it made in turns of other agents, as their fallback, by the other agent."""
    tool_uses: Counter[str] = field(default_factory=Counter)
    """How often it used each tool."""
    unmade: Counter[str] = field(default_factory=Counter)
    """How many calls ended without an attempt, by how: `answered`, as from a cache of replies, or the error, such as `circuit_open`."""
    bills: dict[str, Bill] = field(default_factory=dict)
    """What its attempts cost, by model; only where a cost is explained."""

    def add(self, other: Use) -> None:
        """Count another use in."""
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in COUNTERS:
            getattr(self, name).update(getattr(other, name))
        for model, bill in other.bills.items():
            self.bills.setdefault(model, Bill()).add(bill)

    def over(self, count: float, short: Callable[[float], float] = float) -> Use:
        """The share of one of so many tasks, each number made shorter by `short`."""
        shared = Use(**{name: short(getattr(self, name) / count) for name in NUMBERS})  # type: ignore[arg-type] # they are numbers
        for name in COUNTERS:
            counted = {it: short(n / count) for it, n in getattr(self, name).items()}
            setattr(shared, name, Counter(counted))
        shared.bills = {model: bill.over(count, short) for model, bill in self.bills.items()}
        return shared


ANSWERED: Final = "answered"
"""Calls that got a reply without an attempt of their own."""

COUNTERS: Final = ("models", "endings", "stands_in", "tool_uses", "unmade")
NUMBERS: Final = tuple(it.name for it in fields(Use) if it.name not in (*COUNTERS, "bills"))
"""The fields of a use, by their type."""


@dataclass(slots=True)
class Work:
    """The contributions to one task."""

    parts: dict[Key, float] = field(default_factory=dict)
    """The contributions, in the unit of the metric."""
    work_s: float = 0.0
    """Time of all models and tools that worked on it, side by side or not [s]."""
    uses: dict[str, Use] = field(default_factory=dict)
    """By agent."""
    tools: set[tuple[str, str]] = field(default_factory=set)
    """Agents and the tools that they used."""

    def add(self, key: Key, amount: float) -> None:
        """Count a contribution in."""
        self.parts[key] = self.parts.get(key, 0.0) + amount

    @property
    def whole(self) -> float:
        """The total."""
        return math.fsum(self.parts.values())


Pair = tuple[Work, Work]
"""The same task in the base and in the candidate."""


def uses_of(pairs: Sequence[Pair]) -> tuple[dict[str, Use], dict[str, Use]]:
    """How each agent used its models in all tasks of the base, and in all of the candidate."""
    found: tuple[dict[str, Use], dict[str, Use]] = ({}, {})
    for pair in pairs:
        for uses, side in zip(found, pair, strict=True):
            for agent, use in side.uses.items():
                uses.setdefault(agent, Use()).add(use)
    return found


class _Attempt(NamedTuple):
    """The columns of an attempt that its amounts follow from."""

    ordinal: int
    repeats: int
    start_s: float
    input_tokens: int
    output_tokens: int
    cost_usd: float
    status: str
    error: str


AMOUNTS: Final[dict[str, Callable[[_Attempt], float]]] = {
    "cost_usd_mean": lambda it: it.cost_usd,
    "cost_usd_total": lambda it: it.cost_usd,
    "wasted_usd": lambda it: it.cost_usd if it.status != OK else 0.0,
    "calls_mean": lambda it: 1,
    "attempts_mean": lambda it: 1,
    "input_tokens_mean": lambda it: max(it.input_tokens, 0),
    "output_tokens_mean": lambda it: max(it.output_tokens, 0),
    "rate_limited": lambda it: it.error == RATE_LIMITED,
    "retries": lambda it: is_retry(it.ordinal, it.repeats),
}
"""What one attempt adds to each metric that attempts explain; `calls_mean` is explained by calls."""

COSTS: Final = ("cost_usd_mean", "cost_usd_total")
"""Metrics whose bills are counted."""

EXPLAINED: Final = (*PATH_METRICS, *AMOUNTS, SUCCESS)
"""Metrics that spans explain."""


def pairs_of(
    base: Sequence[Table], candidate: Sequence[Table], metric: str, warmup_tasks: int
) -> list[Pair]:
    """The tasks that both sides have.

    Args:
        base: The spans of each run of the base.
        candidate: The spans of each run of the candidate, in the order of the same seeds.
        metric: One of `EXPLAINED`.
        warmup_tasks: How many of the first tasks of a run are left out.
    """
    pairs = []
    for before, after in zip(base, candidate, strict=True):
        old, new = _works(before, metric), _works(after, metric)
        pairs += [(old[task], new[task]) for task in old if task in new and task > warmup_tasks]
    return pairs


def deciding(pairs: list[Pair], metric: str) -> list[Pair]:
    """The tasks that decide a metric: all, or the slowest of either side."""
    if metric not in TAILS or not pairs:
        return pairs
    from_s, to_s = (
        quantile(sorted(pair[side].whole for pair in pairs), TAILS[metric]) for side in (0, 1)
    )
    return [pair for pair in pairs if pair[0].whole >= from_s or pair[1].whole >= to_s]


def works_of(runs: Sequence[Table], metric: str, warmup_tasks: int) -> list[Work]:
    """The tasks that decide a metric: all, or the slowest.

    Args:
        runs: The spans of each run.
        metric: One of `EXPLAINED`.
        warmup_tasks: How many of the first tasks of a run are left out.
    """
    works = [
        work
        for spans in runs
        for task, work in _works(spans, metric).items()
        if task > warmup_tasks
    ]
    if metric not in TAILS or not works:
        return works
    from_s = quantile(sorted(work.whole for work in works), TAILS[metric])
    return [work for work in works if work.whole >= from_s]


def _works(spans: Table, metric: str) -> dict[int, Work]:
    """The tasks of a run; those that the horizon cut have no latency."""
    on_path = metric in PATH_METRICS
    works = {
        task: Work()
        for kind, task, status in spans.rows("kind", "task", "status")
        if kind == TASK and not (on_path and status == CANCELLED)
    }
    _count_uses(works, spans)
    if metric == SUCCESS:
        for task, place in failed_tasks(spans).items():
            if task in works:
                works[task].add(Key(FAILED, *place), 1.0)
        return works
    if not on_path:
        _count_amounts(works, spans, metric)
        if metric in COSTS:
            _count_bills(works, spans)
        return works
    for task, path in critical_paths(spans).items():
        if task in works:
            for part in path:
                works[task].add(Key(part.kind, part.agent, part.name), part.duration_s)
    return works


_USE_COLUMNS = (
    "span_id", "parent_id", "task", "kind", "agent", "name", "model", "arrival_s", "start_s", "first_token_s", "end_s",
    "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "status", "error", "fault",
)  # fmt: skip


def _count_uses(works: dict[int, Work], spans: Table) -> None:
    endings = attempt_endings(spans)
    made = {parent_id for kind, parent_id in spans.rows("kind", "parent_id") if kind in (ATTEMPT, AGENT)}  # fmt: skip
    turns = {
        span_id: agent for span_id, kind, agent in spans.rows("span_id", "kind", "agent") if kind == AGENT
    }  # fmt: skip
    for (
        span_id, parent_id, task, kind, agent, name, model, arrival_s, start_s, first_token_s, end_s, input_tokens,
        read_tokens, written_tokens, output_tokens, status, error, fault,
    ) in spans.rows(*_USE_COLUMNS):  # fmt: skip
        work = works.get(task)
        if work is None:
            continue
        if kind == CALL:
            use = work.uses.setdefault(agent, Use())
            use.calls += 1
            use.failed_calls += status == ERROR
            if span_id not in made and status != CANCELLED:
                use.unmade[ANSWERED if status == OK else error] += 1
            if turns.get(parent_id, agent) != agent:
                use.stands_in[turns[parent_id]] += 1
        elif kind == TOOL:
            work.tools.add((agent, name))
            work.work_s += end_s - arrival_s
            use = work.uses.setdefault(agent, Use())
            use.tool_uses[name] += 1
            if status == ERROR:
                use.endings[f"tool {name}: {error}"] += 1
        elif kind == ATTEMPT:
            use = work.uses.setdefault(agent, Use())
            use.attempts += 1
            use.models[model] += 1
            if status != OK:
                use.endings[endings[span_id]] += 1
                use.injected += fault != ""
                continue
            work.work_s += end_s - start_s
            use.service_s += end_s - start_s
            if first_token_s == first_token_s:
                use.prefill_s += first_token_s - start_s
            use.replies += 1
            use.input_tokens += sum(max(n, 0) for n in (input_tokens, read_tokens, written_tokens))
            use.cache_read_tokens += max(read_tokens, 0)
            use.cache_write_tokens += max(written_tokens, 0)
            use.output_tokens += max(output_tokens, 0)


def _count_bills(works: dict[int, Work], spans: Table) -> None:
    columns = ("task", "kind", "agent", "model", "cost_usd", *(f"{kind}_tokens" for kind in KINDS))
    for task, kind, agent, model, cost_usd, *tokens in spans.rows(*columns):
        if kind == ATTEMPT and task in works and cost_usd > 0:
            read, cached, written, output = (max(n, 0) for n in tokens)
            bill = Bill(1, read, cached, written, output, cost_usd)
            use = works[task].uses.setdefault(agent, Use())
            use.bills.setdefault(model, Bill()).add(bill)


def _count_amounts(works: dict[int, Work], spans: Table, metric: str) -> None:
    amount, counted = AMOUNTS[metric], CALL if metric == "calls_mean" else ATTEMPT
    columns = ("task", "kind", "agent", "model", *_Attempt._fields)
    for task, kind, agent, model, *values in spans.rows(*columns):
        if kind == counted and task in works:
            attempt = _Attempt(*values)
            key = Key(WORK if attempt.status == OK else RETRY, agent, model)
            works[task].add(key, amount(attempt))

"""Cost, tokens, calls and waste of a run by whom, for whom and why; the parts add up to the whole.

Each attempt counts once, with its call if it is the first of it. What a cache write cost that nobody read is a part of its
own under `cause`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from harness.metrics.bills import Bill
from harness.metrics.endings import LOST_HEDGE, attempt_endings
from harness.metrics.mast_rules import verifies
from harness.metrics.prices import prices_of, split
from harness.metrics.tally import is_retry
from harness.spans import AGENT, ATTEMPT, CALL, MESSAGE, OK, TASK, Table

FIRST_TRY: Final = "first try"
RETRY: Final = "retry"
HEDGE_LOSER: Final = "hedge's loser"
FALLBACK: Final = "fallback"
CRITIC: Final = "critic"
COORDINATION: Final = "coordination"
UNREAD: Final = "cache write never read"

CAUSES: Final = (FIRST_TRY, RETRY, HEDGE_LOSER, FALLBACK, CRITIC, COORDINATION, UNREAD)
"""Why an attempt was made; the first that fits of hedge's loser, retry, fallback, critic, coordination."""

_NO_ONE: Final = "-"
"""The line of what has no such attribute, such as a task without a customer."""


@dataclass(slots=True)
class Line:
    """What one part of a run used."""

    tasks: int = 0
    """Tasks in which it occurs."""
    calls: int = 0
    attempts: int = 0
    input_tokens: int = 0
    """Read, cached ones included [tokens]."""
    output_tokens: int = 0
    cost_usd: float = 0.0
    """[USD]; not a number where a price is not known."""
    wasted_usd: float = 0.0
    """The part of it that bought no reply [USD]."""

    def add(self, other: Line) -> None:
        """Count another line in, but for its tasks."""
        for it in fields(self):
            if it.name != "tasks":
                setattr(self, it.name, getattr(self, it.name) + getattr(other, it.name))


@dataclass(frozen=True, slots=True)
class _Used:
    """An attempt, with what it is attributed to."""

    task: int
    keys: Mapping[str, str]
    line: Line


WAYS: Final = ("agent", "customer", "kind", "model", "role", "level", "cause", "task")
"""What a run can be divided by: who worked, for whom, the kind of task, the model, the role of the agent (worker, critic,
coordinator), how deep its turn lies in others, why the attempt was made, the task."""


def account(
    spans: Table, events: Table, by: str, *, warmup_tasks: int = 0
) -> tuple[dict[str, Line], Line]:
    """Divide what a run used.

    Args:
        spans: The spans of the run.
        events: Its events.
        by: One of `WAYS`.
        warmup_tasks: How many of the first tasks are left out.

    Returns:
        A line for each part, the dearest first, and their sum.
    """
    lines: dict[str, Line] = {}
    tasks: dict[str, set[int]] = {}
    costs: dict[str, list[tuple[float, float]]] = {}
    for used in _used(spans, events):
        if used.task <= warmup_tasks:
            continue
        key = used.keys[by]
        lines.setdefault(key, Line()).add(used.line)
        tasks.setdefault(key, set()).add(used.task)
        costs.setdefault(key, []).append((used.line.cost_usd, used.line.wasted_usd))
    for key, line in lines.items():
        line.tasks = len(tasks[key])
        line.cost_usd, line.wasted_usd = (math.fsum(it) for it in zip(*costs[key], strict=True))
    whole = Line()
    for line in lines.values():
        whole.add(line)
    whole.tasks = len(set().union(*tasks.values()))
    for name in ("cost_usd", "wasted_usd"):
        setattr(whole, name, math.fsum(getattr(line, name) for line in lines.values()))
    order = sorted(
        lines, key=lambda key: (-_or_zero(lines[key].cost_usd), -lines[key].attempts, key)
    )
    return {key: lines[key] for key in order}, whole


def _used(spans: Table, events: Table) -> list[_Used]:
    """Every attempt of a run with what it is attributed to; a cache write that nobody read apart."""
    view = _View(spans, events)
    unread = _unread(spans)
    first_of_calls = _first_of_calls(spans)
    columns = (
        "span_id", "parent_id", "task", "kind", "agent", "model", "ordinal", "input_tokens", "cache_read_tokens",
        "cache_write_tokens", "output_tokens", "cost_usd", "status", "repeats",
    )  # fmt: skip
    found = []
    for (
        span_id, call, task, kind, agent, model, ordinal, read, cached, written, output, cost_usd, status, repeats,
    ) in spans.rows(*columns):  # fmt: skip
        if kind != ATTEMPT or task <= 0:
            continue
        lost_usd = unread.get(span_id, 0.0)
        tokens = sum(max(n, 0) for n in (read, cached, written))
        line = Line(
            calls=int(span_id in first_of_calls),
            attempts=1,
            input_tokens=tokens,
            output_tokens=max(output, 0),
            cost_usd=cost_usd - lost_usd,
            wasted_usd=cost_usd if status != OK else 0.0,
        )
        keys = view.keys(span_id, call, task, agent, model)
        cause = view.cause(span_id, call, agent, retried=is_retry(ordinal, repeats))
        found.append(_Used(task, {**keys, "cause": cause}, line))
        if lost_usd:
            found.append(_Used(task, {**keys, "cause": UNREAD}, Line(cost_usd=lost_usd)))
    return found


def _first_of_calls(spans: Table) -> set[int]:
    """The attempts that were the first of their call; the copies of a hedge and samples have the same ordinal."""
    first: dict[int, int] = {}
    for span_id, call, kind in spans.rows("span_id", "parent_id", "kind"):
        if kind == ATTEMPT:
            first[call] = min(span_id, first.get(call, span_id))
    return set(first.values())


class _View:
    """What the spans and events of a run say about an attempt.

    Args:
        spans: The spans of the run.
        events: Its events.
    """

    def __init__(self, spans: Table, events: Table) -> None:
        self._parents: dict[int, int] = {}
        self._turns: dict[int, str] = {}
        self._tasks: dict[int, tuple[str, str]] = {}
        self._endings = attempt_endings(spans)
        columns = ("span_id", "parent_id", "task", "kind", "name", "agent", "customer")
        self._hedged: set[int] = set()
        """Calls one of whose attempts lost to a hedge: those beside it are no retries."""
        for span_id, parent, task, kind, name, agent, customer in spans.rows(*columns):
            if self._endings.get(span_id) == LOST_HEDGE:
                self._hedged.add(parent)
            if kind in (AGENT, CALL):
                self._parents[span_id] = parent
            if kind == AGENT:
                self._turns[span_id] = agent
            elif kind == TASK:
                self._tasks[task] = (name, customer or _NO_ONE)
        self._asks = {
            agent
            for name, agent, detail, recipient in events.rows("name", "agent", "detail", "recipient")
            if name == MESSAGE and detail == "request" and agent not in ("", "user", recipient)
        }  # fmt: skip

    def keys(self, span_id: int, call: int, task: int, agent: str, model: str) -> dict[str, str]:
        """What an attempt is attributed to, but for its cause."""
        kind, customer = self._tasks.get(task, (_NO_ONE, _NO_ONE))
        return {
            "agent": agent or _NO_ONE,
            "customer": customer,
            "kind": kind or _NO_ONE,
            "model": model or _NO_ONE,
            "role": self._role(agent),
            "level": str(self._level(call)),
            "task": str(task),
        }

    def cause(self, span_id: int, call: int, agent: str, *, retried: bool) -> str:
        """Why an attempt was made."""
        if self._endings.get(span_id) == LOST_HEDGE:
            return HEDGE_LOSER
        if retried and call not in self._hedged:
            return RETRY
        if self._turns.get(self._parents.get(call, -1), agent) != agent:
            return FALLBACK
        role = self._role(agent)
        return {"critic": CRITIC, "coordinator": COORDINATION}.get(role, FIRST_TRY)

    def _role(self, agent: str) -> str:
        if verifies(agent):
            return "critic"
        return "coordinator" if agent in self._asks else "worker"

    def _level(self, call: int) -> int:
        """How many turns a call lies in."""
        level, at = 0, self._parents.get(call, -1)
        while at >= 0:
            level += at in self._turns
            above = self._parents.get(at, -1)
            if above >= at:  # in a table from elsewhere
                break
            at = above
        return level


def _unread(spans: Table) -> dict[int, float]:
    """What the cache writes of each attempt cost [USD] that no later attempt of its agent and model read; by span_id."""
    columns = (
        "span_id", "agent", "model", "kind", "end_s", "arrival_s", "input_tokens", "cache_read_tokens",
        "cache_write_tokens", "output_tokens", "cost_usd",
    )  # fmt: skip
    writes: list[tuple[tuple[str, str], float, int, Bill]] = []
    last_read_s: dict[tuple[str, str], float] = {}
    billed: dict[str, list[tuple[float, tuple[float, ...]]]] = {}
    for span_id, agent, model, kind, end_s, arrival_s, *tokens, cost_usd in spans.rows(*columns):
        if kind != ATTEMPT or not cost_usd > 0:
            continue
        read, cached, written, output = (max(n, 0) for n in tokens)
        bill = Bill(1, read, cached, written, output, cost_usd)
        billed.setdefault(model, []).append((cost_usd, bill.tokens))
        if cached:
            last_read_s[agent, model] = max(arrival_s, last_read_s.get((agent, model), 0.0))
        if written:
            writes.append(((agent, model), end_s, span_id, bill))
    prices = {model: prices_of(billed[model]) for model in {key[1]: None for key, *_ in writes}}
    return {
        span_id: split(bill, prices[key[1]])[2]
        for key, end_s, span_id, bill in writes
        if last_read_s.get(key, -1.0) < end_s
    }


def _or_zero(number: float) -> float:
    return number if number == number else 0.0

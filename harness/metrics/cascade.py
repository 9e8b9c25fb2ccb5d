"""A cascade told as one: which agent failed first, which others failed or got no input because of it, and how many tasks were lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.metrics.endings import Place, failed_tasks
from harness.spans import AGENT, CALL, CANCELLED, ERROR, OK, TASK, Table
from harness.units import render

NO_INPUT = "no input"
"""An agent had no turn in a task, although it has one after the failed agent wherever tasks end well."""


@dataclass(slots=True)
class Cascade:
    """The tasks that were lost because one agent failed."""

    agent: str
    """Who failed first."""
    reason: str
    """How, in the first of these tasks."""
    at_s: float
    """When, in the first of these tasks [s]."""
    followed: dict[str, str] = field(default_factory=dict)
    """Who did not do its part because of it, and what became of that: an error, `cancelled` or `no input`."""
    lost: int = 0
    """Tasks that failed because of it."""
    tasks: int = 0
    """All tasks that ended."""
    task: int = -1
    """The first of these tasks."""
    span_id: int = -1
    """The call that failed first in it."""

    def __str__(self) -> str:
        others = [f"{agent} ({what})" for agent, what in self.followed.items()]
        many = "task" if self.tasks == 1 else "tasks"
        effects = ", ".join([*others, f"{self.lost:,} of {self.tasks:,} {many} lost"])
        return f"{self.agent} failed at {render('s', self.at_s)} ({self.reason}); because of it: {effects}"


@dataclass(frozen=True, slots=True)
class _Call:
    """A call, or the turn of a team, with how it ended."""

    agent: str
    begin_s: float
    end_s: float
    status: str
    error: str
    span_id: int
    turn: int
    """The turn of an agent that it is a part of; 0 if it is of none."""


def cascades(
    runs: Sequence[Table], *, warmup_tasks: int = 0, expected: Sequence[str] = ()
) -> list[Cascade]:
    """Find the agents whose failure kept others from their part, the one that lost most tasks first.

    Args:
        runs: The spans of each run.
        warmup_tasks: How many of the first tasks of a run are left out.
        expected: Agents that were to take part, where no task that ended well shows who comes after whom.
    """
    found: dict[str, Cascade] = {}
    tasks = 0
    for spans in runs:
        calls, statuses = _calls(spans, warmup_tasks)
        tasks += len(statuses)
        after = _usually_after([calls[task] for task, status in statuses.items() if status == OK])
        places = failed_tasks(spans)
        for task, status in statuses.items():
            first = None if status == OK else _first(calls[task])
            if first is None:
                continue
            mine = found.setdefault(
                first.agent,
                Cascade(
                    first.agent,
                    _reason(first, places.get(task)),
                    first.end_s,
                    task=task,
                    span_id=first.span_id,
                ),
            )
            mine.lost += 1
            for agent, what in _followed(calls[task], first, after, expected).items():
                mine.followed.setdefault(agent, what)
    for one in found.values():
        one.tasks = tasks
    told = [one for one in found.values() if one.followed]
    return sorted(told, key=lambda one: (-one.lost, one.at_s, one.agent))


def _calls(spans: Table, warmup_tasks: int) -> tuple[dict[int, list[_Call]], dict[int, str]]:
    """The calls of each task in the order in which they began, and how each task ended.

    A call that failed in a turn that ended well was made good, by a fallback or otherwise, and is left out.
    """
    columns = ("span_id", "parent_id", "task", "kind", "agent", "arrival_s", "end_s", "status", "error")  # fmt: skip
    rows = [row for row in spans.rows(*columns) if row[2] > warmup_tasks]
    turns = {row[0]: row[7] for row in rows if row[3] == AGENT}
    calls: dict[int, list[_Call]] = {}
    statuses: dict[int, str] = {}
    for span_id, parent, task, kind, agent, arrival_s, end_s, status, error in rows:
        calls.setdefault(task, [])
        if kind == TASK:
            statuses[task] = status
        elif kind == CALL and not (status == ERROR and turns.get(parent) == OK):
            turn = parent if parent in turns else 0
            calls[task].append(_Call(agent, arrival_s, end_s, status, error, span_id, turn))
    for mine in calls.values():
        mine.sort(key=lambda call: (call.begin_s, call.agent))
    return calls, statuses


def _first(calls: Sequence[_Call]) -> _Call | None:
    """The first call that failed for good: none of its agent succeeded later."""
    failed = [
        call
        for call in calls
        if call.status == ERROR
        and not any(it.agent == call.agent and it.status == OK and it.begin_s >= call.end_s for it in calls)
    ]  # fmt: skip
    return min(failed, key=lambda call: (call.end_s, call.begin_s, call.agent), default=None)


def _usually_after(well: Sequence[Sequence[_Call]]) -> dict[str, list[str]]:
    """By agent, those that begin after its first call has ended in every task that ended well, in their order."""
    after: dict[str, list[str]] = {}
    for number, calls in enumerate(well):
        for agent in dict.fromkeys(call.agent for call in calls):
            ended_s = min(call.end_s for call in calls if call.agent == agent)
            later = list(
                dict.fromkeys(it.agent for it in calls if it.begin_s >= ended_s and it.agent != agent)
            )  # fmt: skip
            if number and agent in after:
                later = [it for it in after[agent] if it in later]
            after[agent] = later
    return after


def _followed(
    calls: Sequence[_Call], first: _Call, after: dict[str, list[str]], expected: Sequence[str]
) -> dict[str, str]:
    """What became of the parts of others in a task, because one failed."""
    found: dict[str, str] = {}
    for call in calls:
        if call.agent == first.agent or call.end_s < first.end_s:
            continue
        if call.turn and call.turn == first.turn:  # a fallback, which failed by itself
            continue
        if call.status == CANCELLED:
            found.setdefault(call.agent, CANCELLED)
        elif call.status == ERROR:
            found.setdefault(call.agent, call.error)
    took_part = {call.agent for call in calls if call.end_s >= first.end_s}
    took_no_part = [agent for agent in expected if not any(it.agent == agent for it in calls)]
    for agent in after.get(first.agent, () if after else took_no_part):
        if agent not in took_part:
            found.setdefault(agent, NO_INPUT)
    return found


def _reason(first: _Call, place: Place | None) -> str:
    return place.reason if place is not None and place.agent == first.agent else first.error

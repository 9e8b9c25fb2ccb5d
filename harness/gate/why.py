"""Why a metric changed: the agent, tool, queue, retry or serial step that took the time or the money.

Two sets of runs with the same seeds are compared task by task. What a task took is split into contributions: a latency
into the segments of its critical path, by kind, agent and model or tool; a cost into what its attempts added, by agent
and model. Their changes add up to the change of the whole, so that the table leaves nothing out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from harness.gate.failing import failing
from harness.gate.reasons import SAME_SHARE, joined, reasons
from harness.metrics.contributions import (
    EXPLAINED,
    PATH_METRICS,
    SUCCESS,
    TAILS,
    Key,
    Pair,
    cause_of,
    pairs_of,
    uses_of,
)
from harness.metrics.critical_path import (
    HAND_OFF,
    IN_FLIGHT,
    OVERHEAD,
    QUEUE,
    RETRY,
    SILENCE,
    STATE_LOCK,
    WORK,
)
from harness.spans import Table
from harness.units import render

OTHER: Final = "other"
"""The kind of the row that holds what is too small for one of its own."""

_ROWS_MAX = 8

_NOTHING = 1e-9
"""Sums of floats that differ by less are the same: below a microsecond, and below the price of a token."""

_LITTLE = 0.1
"""Other contributions that are less than this share of the first are left to the table."""

_SERIAL_SHARE = 0.5
"""How much of a change must be lost overlap for it to be what a sentence is about: most of it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One contribution to a change, a task's share of it, in the unit of the metric."""

    kind: str
    """A kind of segment; of amounts `work` for attempts with a reply and `retry` for those without; of a success rate
    `failed`; or `other`."""
    agent: str
    name: str
    """The model or the tool; of a success rate how tasks failed."""
    base: float
    candidate: float
    share: float
    """Share of the tasks in which it moved as it did on average."""

    @property
    def change(self) -> float:
        """How much it grew."""
        return self.candidate - self.base


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a metric changed."""

    sentence: str
    """For people; empty when spans do not explain the metric. Names in it are as the user wrote them, not escaped."""
    rows: tuple[Row, ...] = ()
    """The largest contributions and the rest, which add up to the change of the mean over the tasks."""
    tasks: int = 0
    """How many pairs, of tasks or of runs, they are the mean of."""


def why(
    base: Sequence[Table], candidate: Sequence[Table], metric: str, *, warmup_tasks: int = 0
) -> Explanation:
    """Explain the change of a latency, a cost or a success rate.

    A mean or a median is explained by all tasks, a p95, p99 or maximum by the slowest tasks of either side.

    Args:
        base: The spans of each run of the base.
        candidate: The spans of each run of the candidate, in the order of the same seeds.
        metric: Its name, such as `latency_s_p95`.
        warmup_tasks: How many of the first tasks of a run are left out.
    """
    if metric not in EXPLAINED:
        return Explanation("")
    pairs = pairs_of(base, candidate, metric, warmup_tasks)
    return explained(pairs, metric, "the slowest tasks" if metric in TAILS else "tasks")


def explained(pairs: Sequence[Pair], metric: str, among: str) -> Explanation:
    """Explain a change from the paired tasks of both sides.

    Args:
        pairs: Tasks, or what stands for those of a run.
        metric: The metric's name.
        among: What a pair is one of, in the plural.
    """
    change = _mean(new.whole - old.whole for old, new in pairs)
    if math.isnan(change):  # no price, or no tasks
        return Explanation("")
    if abs(change) < _NOTHING:
        if metric == SUCCESS:
            return Explanation(
                "As many tasks fail as before.", _rows(pairs, _keys(pairs)), len(pairs)
            )
        return Explanation("The tasks took as much as before.", tasks=len(pairs))
    keys = _keys(pairs)
    if metric == SUCCESS:
        sentence = failing(pairs, keys, change)
    elif metric in PATH_METRICS:
        sentence = _serial(pairs, keys, change, among) or _on_path(pairs, keys, change, among)
    else:
        sentence = _of_agent(pairs, keys, change, metric, among)
    return Explanation(sentence, _rows(pairs, keys), len(pairs))


def _keys(pairs: Sequence[Pair]) -> dict[Key, None]:
    """All contributions, in the order in which they are met first."""
    return dict.fromkeys(key for pair in pairs for side in pair for key in side.parts)


def _rows(pairs: Sequence[Pair], keys: Iterable[Key]) -> tuple[Row, ...]:
    rows = [_row(pairs, *key, [key]) for key in keys]
    rows = [row for row in rows if abs(row.change) >= _NOTHING]
    rows.sort(key=lambda row: (-abs(row.change), row.kind, row.agent, row.name))
    shown = {Key(row.kind, row.agent, row.name) for row in rows[:_ROWS_MAX]}
    rest = [key for key in keys if key not in shown]
    if len(rows) <= _ROWS_MAX:
        return tuple(rows)
    return (*rows[:_ROWS_MAX], _row(pairs, OTHER, "", "", rest))


def _row(pairs: Sequence[Pair], kind: str, agent: str, name: str, keys: Sequence[Key]) -> Row:
    """What some contributions amount to together."""
    amounts = [
        tuple(math.fsum(side.parts.get(key, 0.0) for key in keys) for side in pair)
        for pair in pairs
    ]
    before, after = (_mean(pair[side] for pair in amounts) for side in (0, 1))
    direction = math.copysign(1.0, after - before)
    moved = sum((new - old) * direction > _NOTHING for old, new in amounts)
    return Row(kind, agent, name, before, after, moved / len(pairs))


# -- sentences ----------------------------------------------------------------------------------------------------------


def _serial(pairs: Sequence[Pair], keys: Iterable[Key], change: float, among: str) -> str:
    """Tell that calls which ran side by side follow one another; empty if that is not what happened.

    It is when the same calls were made, and the work on the critical path grew while all work together did not.
    """
    work = [key for key in keys if key.kind == WORK]
    row = _row(pairs, WORK, "", "", work)
    total_s = [_mean(pair[side].work_s for pair in pairs) for side in (0, 1)]
    lost_s = row.change - max(0.0, total_s[1] - total_s[0])
    if change < 0 or lost_s <= 0 or lost_s < _SERIAL_SHARE * change or not _same_calls(pairs):
        return ""
    agents = dict.fromkeys(key.agent for key in work)
    gains = [
        _row(pairs, WORK, agent, "", [key for key in work if key.agent == agent])
        for agent in agents
    ]
    gains.sort(key=lambda gain: (-gain.change, gain.agent))
    names = joined([gain.agent for gain in gains if gain.change > SAME_SHARE * row.change])
    latency_s = [_mean(pair[side].whole for pair in pairs) for side in (0, 1)]
    return (
        f"Calls became serial: the work of {names} takes {_time(row.change)} on the critical path "
        f"{_extent(row, among)}, while all work together takes {_relative(*total_s)}; on average "
        f"{total_s[0] / latency_s[0]:.1f} ran at a time, now {total_s[1] / latency_s[1]:.1f}."
    )


def _same_calls(pairs: Sequence[Pair]) -> bool:
    before, after = uses_of(pairs)
    return before.keys() == after.keys() and all(
        abs(after[agent].calls - use.calls) <= SAME_SHARE * use.calls
        for agent, use in before.items()
    )


def _on_path(pairs: Sequence[Pair], keys: Iterable[Key], change: float, among: str) -> str:
    """Tell what gained most time on the critical path."""
    tools = {tool for pair in pairs for side in pair for tool in side.tools}
    causes: dict[Key, list[Key]] = {}
    for key in keys:
        causes.setdefault(cause_of(key, tools), []).append(key)
    row = _most(pairs, causes, change)
    if row.kind == QUEUE:
        mine = _most(pairs, {key: [key] for key in keys if key.kind == QUEUE}, row.change)
        row = replace(row, agent=mine.agent)
    because = "" if row.name else reasons(pairs, row.agent, row.kind, row.change)
    return (
        f"{_subject(row)} {_time(row.change)} on the critical path {_extent(row, among)}"
        f"{_others(row, change, _time)}{because}."
    )


_SUBJECTS: Final[dict[str, str]] = {
    WORK: "{agent} takes",
    RETRY: "Failed attempts and retries of {agent} take",
    QUEUE: "Waiting in queues, most of it by {agent}, takes",
    SILENCE: "{agent} waits in silence",
    IN_FLIGHT: "{agent} waits for a place in flight",
    STATE_LOCK: "{agent} waits for the lock of shared state",
    OVERHEAD: "{agent} takes, between its calls,",
    HAND_OFF: "Time between the calls, without a request, takes",
}


def _subject(row: Row) -> str:
    if row.kind == WORK and row.name:
        return f"The tool {row.name}{row.agent and f' of {row.agent}'} takes"
    return _SUBJECTS[row.kind].format(agent=row.agent)


_VERBS: Final[dict[str, tuple[str, str]]] = {
    "cost_usd_mean": ("costs {}", "usd"),
    "cost_usd_total": ("costs {}", "usd"),
    "wasted_usd": ("wastes {}", "usd"),
    "calls_mean": ("makes {} calls", "calls"),
    "attempts_mean": ("makes {} attempts", "attempts"),
    "input_tokens_mean": ("reads {} tokens", "tokens"),
    "output_tokens_mean": ("writes {} tokens", "tokens"),
    "rate_limited": ("meets {} rate limits", "limits"),
    "retries": ("makes {} retries", "retries"),
}
"""What an agent does more of, and the unit."""


def _of_agent(
    pairs: Sequence[Pair], keys: Iterable[Key], change: float, metric: str, among: str
) -> str:
    """Tell whose attempts added most."""
    causes: dict[Key, list[Key]] = {}
    for key in keys:
        causes.setdefault(Key("", key.agent, ""), []).append(key)
    row = _most(pairs, causes, change)
    verb, unit = _VERBS[metric]

    def more(change: float) -> str:
        return f"{render(unit, abs(change))} {'more' if change > 0 else 'less'}"

    return (
        f"{row.agent} {verb.format(more(row.change))} a task {_extent(row, among)}"
        f"{_others(row, change, more)}{reasons(pairs, row.agent, metric, row.change)}."
    )


def _most(pairs: Sequence[Pair], causes: dict[Key, list[Key]], change: float) -> Row:
    """The cause that moved furthest in the direction of the whole."""
    rows = [_row(pairs, *cause, keys) for cause, keys in causes.items()]
    direction = math.copysign(1.0, change)
    return min(rows, key=lambda row: (-row.change * direction, row.kind, row.agent, row.name))


def _time(change_s: float) -> str:
    return f"{render('s', abs(change_s))} {'longer' if change_s > 0 else 'shorter'}"


def _others(row: Row, change: float, told: Callable[[float], str]) -> str:
    """What all other contributions did, unless it is little: a path may have moved from them to this one."""
    rest = change - row.change
    return f", all others together {told(rest)}" if abs(rest) > _LITTLE * abs(row.change) else ""


def _extent(row: Row, among: str) -> str:
    """How much that is for what it was, and how common."""
    relative = f"{row.change / row.base:+.0%}" if row.base > _NOTHING else "none before"
    return f"({_spaced(relative)}), in {_spaced(f'{row.share:.0%}')} of {among}"


def _relative(before: float, after: float) -> str:
    if before <= 0 or abs(after / before - 1) < SAME_SHARE:
        return "as long as before"
    return f"{_spaced(f'{abs(after / before - 1):.0%}')} {'longer' if after > before else 'less'}"


def _spaced(percent: str) -> str:
    return percent.replace("%", " %")


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return math.fsum(values) / len(values) if values else math.nan

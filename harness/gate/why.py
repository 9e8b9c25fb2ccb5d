"""Why a metric changed: the cause before its effects, with amounts; the parts in the table add up to the change.

Two sets of runs with the same seeds are compared task by task. What a task took is split into contributions: a latency
into the segments of its critical path, by kind, agent and model or tool; a cost into what was read and written, by agent
and model; a success rate into the places at which tasks fail.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from harness.gate.explanation import (
    NOTHING,
    OTHER,
    Explanation,
    Reason,
    Row,
    mean,
    summed,
    time,
)
from harness.gate.failing import failing
from harness.gate.money import Money, money
from harness.gate.of_amounts import of_amounts, split_told
from harness.gate.on_path import on_path
from harness.gate.serial import serial
from harness.metrics.contributions import (
    COSTS,
    EXPLAINED,
    PATH_METRICS,
    SUCCESS,
    TAILS,
    Key,
    Pair,
    Work,
    deciding,
    pairs_of,
    uses_of,
)
from harness.metrics.reliability import PASS_K
from harness.spans import Table
from harness.units import render

__all__ = ["OTHER", "Explanation", "Reason", "Row", "explained", "why"]

_ROWS_MAX = 8

_LITTLE: Final = 0.1
"""A smaller rest, for the largest reason, is left to the table."""


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
    if metric == PASS_K:
        metric = SUCCESS  # as many tasks, and the same reasons
    if metric not in EXPLAINED:
        return Explanation("")
    everyone = pairs_of(base, candidate, metric, warmup_tasks)
    among = "the slowest tasks" if metric in TAILS else "tasks"
    return explained(deciding(everyone, metric), metric, among, everyone)


def explained(
    pairs: Sequence[Pair], metric: str, among: str, everyone: Sequence[Pair] | None = None
) -> Explanation:
    """Explain a change from the paired tasks of both sides.

    Args:
        pairs: Tasks, or what stands for those of a run.
        metric: The metric's name.
        among: What a pair is one of, in the plural.
        everyone: All tasks, where `pairs` are the slowest: what is shared is used by all.
    """
    change = mean(new.whole - old.whole for old, new in pairs)
    if math.isnan(change):  # no price, or no tasks
        return Explanation("")
    keys = _keys(pairs)
    if abs(change) < NOTHING:
        same = "As many tasks fail" if metric == SUCCESS else "The tasks took as much"
        return Explanation(f"{same} as before.", tasks=len(pairs))
    split = money(pairs) if metric in COSTS else None
    if metric == SUCCESS:
        reasons = failing(pairs, keys, change)
    elif metric in PATH_METRICS:
        everyone = pairs if everyone is None else everyone
        in_turn = serial(pairs, keys, change, among)
        reasons = (
            [in_turn]
            if in_turn is not None
            else on_path(pairs, uses_of(everyone), len(everyone), keys, among)
        )
    else:
        reasons = of_amounts(pairs, keys, metric, among, split)
    return Explanation(
        sentence=_sentence(reasons, change, metric, split),
        rows=_rows(*_of_tokens(pairs, split)) if split is not None else _rows(pairs, keys),
        tasks=len(pairs),
        reasons=tuple(reasons),
        split=() if split is None else tuple(split.parts),
    )


def _sentence(reasons: Sequence[Reason], change: float, metric: str, split: Money | None) -> str:
    """The reasons as one text, with what all others did unless it is little."""
    first, *more = (it.text for it in reasons)
    text = " ".join([first, *(f"Also, {_inside(it)}" for it in more)])
    rest = change - math.fsum(it.change for it in reasons)
    if metric in PATH_METRICS and abs(rest) > _LITTLE * abs(reasons[0].change):
        text += f" All others together take {time(rest)}."
    elif split is not None:
        text += f" {split_told(split)}"
    elif metric != SUCCESS and abs(rest) > _LITTLE * abs(reasons[0].change):
        amount = f"{render(metric, abs(rest))} {'more' if rest > 0 else 'less'}"
        text += f" All others together: {amount}."
    return text


_BEGINNINGS: Final = ("Failed attempts", "Waiting in", "Every agent", "The tool", "Time between")


def _inside(text: str) -> str:
    """A sentence behind `Also,`; names of agents stay as they are."""
    return text[0].lower() + text[1:] if text.startswith(_BEGINNINGS) else text


def _keys(pairs: Sequence[Pair]) -> dict[Key, None]:
    """All contributions, in the order in which they are met first."""
    return dict.fromkeys(key for pair in pairs for side in pair for key in side.parts)


def _of_tokens(pairs: Sequence[Pair], split: Money) -> tuple[list[Pair], dict[Key, None]]:
    """The contributions to a cost by kind of token."""
    found = [
        (
            Work(parts={key: usd[0] for key, usd in parts.items()}),
            Work(parts={key: usd[1] for key, usd in parts.items()}),
        )
        for parts in split.contributions
    ]
    return found, _keys(found)


def _rows(pairs: Sequence[Pair], keys: Iterable[Key]) -> tuple[Row, ...]:
    keys = list(keys)
    rows = [summed(pairs, *key, [key]) for key in keys]
    rows = [row for row in rows if abs(row.change) >= NOTHING]
    rows.sort(key=lambda row: (-abs(row.change), row.kind, row.agent, row.name))
    shown = {Key(row.kind, row.agent, row.name) for row in rows[:_ROWS_MAX]}
    rest = [key for key in keys if key not in shown]
    if len(rows) <= _ROWS_MAX:
        return tuple(rows)
    return (*rows[:_ROWS_MAX], summed(pairs, OTHER, "", "", rest))

"""The explanation of a change: a sentence, its reasons with amounts, and a table whose parts add up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from harness.gate.money import Part
from harness.metrics.contributions import Key, Pair
from harness.units import render

OTHER: Final = "other"
"""The kind of the row that holds what is too small for one of its own."""

NOTHING: Final = 1e-9
"""Sums of floats that differ by less are the same: below a microsecond, and below the price of a token."""


_HARDLY: Final = 100
"""What grew by more times was hardly there before, and a percentage says less."""


@dataclass(frozen=True, slots=True)
class Row:
    """One contribution to a change, a task's share of it, in the unit of the metric."""

    kind: str
    """A kind of segment; of a cost a kind of token; of other amounts `work` for attempts with a reply and `retry` for
    those without; of a success rate `failed`; or `other`."""
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
class Reason:
    """One cause of a change, with what it did to the metric, a task's share of it."""

    kind: str
    """What changed, such as `output`, `calls`, `fallback`; a kind of segment if only the effect is known."""
    agent: str
    """Who changed; `model NAME` for all agents of a model."""
    name: str
    """The tool, or how tasks fail."""
    base: float
    """What it has to do with took before, in the unit of the metric."""
    candidate: float
    share: float
    """Share of the tasks in which it moved as it did on average."""
    text: str
    """A sentence."""

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
    reasons: tuple[Reason, ...] = ()
    """The causes, the largest first; what chance explains is left out."""
    split: tuple[Part, ...] = ()
    """Of a cost, its change by agent and by prompt size, cache share, output size, calls, retries and price."""


def summed(pairs: Sequence[Pair], kind: str, agent: str, name: str, keys: Sequence[Key]) -> Row:
    """What some contributions amount to together."""
    amounts = [
        tuple(math.fsum(side.parts.get(key, 0.0) for key in keys) for side in pair)
        for pair in pairs
    ]
    before, after = (mean(pair[side] for pair in amounts) for side in (0, 1))
    direction = math.copysign(1.0, after - before)
    moved = sum((new - old) * direction > NOTHING for old, new in amounts)
    return Row(kind, agent, name, before, after, moved / len(pairs))


def time(change_s: float) -> str:
    """How much longer something takes."""
    return f"{render('s', abs(change_s))} {'longer' if change_s > 0 else 'shorter'}"


def extent(row: Row, among: str) -> str:
    """How much that is for what it was, and how common."""
    relative = f"{row.change / row.base:+.0%}" if row.base > NOTHING else "none before"
    if row.change > _HARDLY * row.base > NOTHING:
        relative = "hardly any before"
    return f"({spaced(relative)}), in {spaced(f'{row.share:.0%}')} of {among}"


def spaced(percent: str) -> str:
    """A percentage with a space before its sign."""
    return percent.replace("%", " %")


def mean(values: Iterable[float]) -> float:
    """The mean; not a number without values."""
    values = list(values)
    return math.fsum(values) / len(values) if values else math.nan

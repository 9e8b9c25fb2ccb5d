"""Arrival times of tasks: open workloads (a process or a recorded trace) and closed ones (users with think time)."""

from __future__ import annotations

import csv
import datetime
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

from annotated_types import Ge, Gt, Le, MinLen

from harness.chance.distributions import AnyDistribution, Constant
from harness.chance.draws import Draws
from harness.errors import ScenarioError
from harness.fields import ScenarioFile, Tagged
from harness.units import Count, PositiveSeconds, Seconds, whole_microseconds


class Arrival(NamedTuple):
    """One task of an open workload."""

    at_s: float
    """When it arrives [s]."""
    input_tokens: int | None = None
    """Size of what it brings [tokens]; None when the workload says nothing of it."""
    output_tokens: int | None = None
    """Size of the answer [tokens]; None when the workload says nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poisson:
    """Independent tasks at a constant rate: exponential gaps."""

    rate_per_s: Annotated[float, Gt(0)]
    """Tasks per second."""

    def arrivals(self, draws: Draws) -> Iterator[Arrival]:
        """An unlimited number of arrivals."""
        now_s, number = 0.0, 0
        while True:
            number += 1
            gap_s = -math.log(draws.uniform("arrival", number)) / self.rate_per_s
            now_s = whole_microseconds(now_s + gap_s)
            yield Arrival(now_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """One task in every interval, the first at 0."""

    every_s: PositiveSeconds
    """The interval [s]."""

    def arrivals(self, draws: Draws) -> Iterator[Arrival]:
        """An unlimited number of arrivals."""
        number = 0
        while True:
            yield Arrival(whole_microseconds(number * self.every_s))
            number += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Tasks at the given times."""

    at_s: Annotated[tuple[Seconds, ...], MinLen(1)]
    """The times [s], in any order."""

    def arrivals(self, draws: Draws) -> Iterator[Arrival]:
        """One arrival a time."""
        return (Arrival(whole_microseconds(at_s)) for at_s in sorted(self.at_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A fixed number of users, each of whom waits for the answer, thinks, and asks again."""

    users: Annotated[int, Ge(1), Le(10**6)]
    """Number of users."""
    think_s: AnyDistribution = Constant(0.0)
    """Time between an answer and the next task of the same user [s]; also before the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Tasks as they were recorded, from a CSV file with a heading.

    Times are seconds or ISO timestamps; the first task arrives at 0.
    """

    file: ScenarioFile
    """The CSV file; a relative path starts at the scenario."""
    time: str
    """Name of the column with the arrival time."""
    input_tokens: str | None = None
    """Name of the column with the size of the prompt [tokens]."""
    output_tokens: str | None = None
    """Name of the column with the size of the answer [tokens]."""
    limit: Count | None = None
    """Read no more than this many rows."""
    speed: Annotated[float, Gt(0)] = 1.0
    """How many times faster than recorded the tasks arrive."""

    def arrivals(self, draws: Draws) -> Iterator[Arrival]:
        """One arrival a row, in order of time."""
        rows = sorted(_read_trace(self), key=lambda row: row.at_s)
        first_s = rows[0].at_s if rows else 0.0
        return (
            row._replace(at_s=whole_microseconds((row.at_s - first_s) / self.speed)) for row in rows
        )


AnyArrivals = Annotated[
    Poisson | Every | At | Closed | Trace,
    Tagged(
        {
            "poisson": Poisson,
            "every_s": PositiveSeconds,
            "at_s": Annotated[tuple[Seconds, ...], MinLen(1)],
            "closed": Closed,
            "trace": Trace,
        },
        made_by={
            "every_s": lambda every_s: Every(every_s=every_s),
            "at_s": lambda at_s: At(at_s=at_s),
        },
    ),
]
"""When tasks arrive, as a scenario file says it."""


def _read_trace(trace: Trace) -> Iterator[Arrival]:
    try:
        with Path(trace.file).open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            _check_columns(trace, reader.fieldnames or [])
            for count, row in enumerate(reader, 1):
                if trace.limit is not None and count > trace.limit:
                    return
                place = f"{trace.file}:{reader.line_num}"
                yield Arrival(
                    _time_s(row[trace.time], place),
                    _tokens(row, trace.input_tokens, place),
                    _tokens(row, trace.output_tokens, place),
                )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ScenarioError(f"{trace.file}: the trace cannot be read: {error}") from error


def _check_columns(trace: Trace, columns: Sequence[str]) -> None:
    for name in (trace.time, trace.input_tokens, trace.output_tokens):
        if name is not None and name not in columns:
            raise ScenarioError(
                f"{trace.file}:1: no column {name!r}; the file has {', '.join(columns) or 'none'}"
            )


def _time_s(text: str | None, place: str) -> float:
    try:
        seconds = float(text or "")
    except ValueError:
        try:
            stamp = datetime.datetime.fromisoformat((text or "").strip())
        except ValueError:
            raise ScenarioError(
                f"{place}: {text!r} is neither seconds nor an ISO timestamp"
            ) from None
        seconds = stamp.replace(tzinfo=stamp.tzinfo or datetime.UTC).timestamp()
    if not math.isfinite(seconds):
        raise ScenarioError(f"{place}: {text!r} is not a finite time")
    return seconds


def _tokens(row: dict[str, str], column: str | None, place: str) -> int | None:
    if column is None:
        return None
    try:
        tokens = int(row[column])
    except (TypeError, ValueError):
        raise ScenarioError(
            f"{place}: {column} {row[column]!r} is not a whole number of tokens"
        ) from None
    if tokens < 0:
        raise ScenarioError(f"{place}: {column} {tokens} is negative")
    return tokens

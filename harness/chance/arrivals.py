"""Arrival times of tasks: open workloads (a process or a recorded trace) and closed ones (users with think time)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Literal, NamedTuple

from annotated_types import Ge, Gt, Le, MinLen

from harness.chance.distributions import AnyDistribution, Constant
from harness.chance.draws import Draws
from harness.chance.trace_rows import blocks_of, rows_in, seconds_of, tokens_of
from harness.fields import ScenarioFile, Tagged
from harness.units import Count, PositiveSeconds, Seconds, whole_microseconds

_UNITS_S = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


class Arrival(NamedTuple):
    """One task of an open workload."""

    at_s: float
    """When it arrives [s]."""
    input_tokens: int | None = None
    """Size of what it brings [tokens]; None when the workload says nothing of it."""
    output_tokens: int | None = None
    """Size of the answer [tokens]; None when the workload says nothing of it."""
    prefix_blocks: tuple[str, ...] = ()
    """The ids of the blocks of what it brings, from the beginning; equal ids are a shared prefix."""


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
    """Tasks as they were recorded, from a CSV file with a heading or, if its name ends in `.jsonl`, from one JSON object a line.

    Times are numbers or ISO timestamps; the first task arrives at 0.
    """

    file: ScenarioFile
    """The file; a relative path starts at the scenario."""
    time: str
    """Name of the column with the arrival time."""
    time_unit: Literal["s", "ms", "us"] = "s"
    """The unit of times that are numbers."""
    input_tokens: str | None = None
    """Name of the column with the size of the prompt [tokens]."""
    output_tokens: str | None = None
    """Name of the column with the size of the answer [tokens]."""
    prefix_blocks: str | None = None
    """Name of the column with the ids of the prompt's blocks, from its beginning; equal ids are a shared prefix, and drive the
    `prompt_cache` of a model. In CSV they have spaces between them."""
    block_tokens: Count = 512
    """Size of a block [tokens]."""
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
    stated = (trace.time, trace.input_tokens, trace.output_tokens, trace.prefix_blocks)
    columns = [name for name in stated if name is not None]
    unit_s = _UNITS_S[trace.time_unit]
    for place, row in islice(rows_in(trace.file, columns), trace.limit):
        blocks = trace.prefix_blocks
        yield Arrival(
            seconds_of(row[trace.time], place, unit_s),
            None if trace.input_tokens is None else tokens_of(row, trace.input_tokens, place),
            None if trace.output_tokens is None else tokens_of(row, trace.output_tokens, place),
            () if blocks is None else blocks_of(row, blocks, place),
        )

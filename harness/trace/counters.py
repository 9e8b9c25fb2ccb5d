"""How many attempts waited and how many were served at each moment, and what had been spent until then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from harness.spans import ATTEMPT, Table
from harness.trace.ids import microseconds

WAITING: Final = "attempts waiting"
IN_SERVICE: Final = "attempts in service"
SPENT: Final = "cost_usd"


def counters(spans: Table) -> Iterator[tuple[int, str, int | float]]:
    """The changes of each counter, in the order of time: when [µs], which, and what it is from then on.

    Attempts are waiting until their service begins, and are paid for when they end.
    """
    changes: list[
        tuple[int, int, int, float]
    ] = []  # when, more waiting, more in service, more spent
    for kind, arrival_s, start_s, end_s, cost_usd in spans.rows(
        "kind", "arrival_s", "start_s", "end_s", "cost_usd"
    ):
        if kind != ATTEMPT or end_s != end_s:
            continue
        begin_us, end_us = microseconds(arrival_s), microseconds(end_s)
        served = start_s == start_s and start_s <= end_s
        served_us = microseconds(start_s) if served else end_us
        changes += [(begin_us, 1, 0, 0.0), (served_us, -1, int(served), 0.0)]
        changes.append((end_us, 0, -int(served), cost_usd if cost_usd == cost_usd else 0.0))
    changes.sort()
    now: list[int | float] = [0, 0, 0.0]
    told: list[int | float] = [-1, -1, -1.0]
    for place, (at_us, *more) in enumerate(changes, 1):
        now = [value + change for value, change in zip(now, more, strict=True)]
        if place < len(changes) and changes[place][0] == at_us:
            continue
        for index, name in enumerate((WAITING, IN_SERVICE, SPENT)):
            if now[index] != told[index]:
                yield at_us, name, now[index]
        told = now

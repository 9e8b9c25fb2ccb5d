"""Counters over time: waiting attempts, attempts in service, cost so far."""

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
    waiting = in_service = 0
    spent_usd = 0.0
    told: tuple[int, int, float] = (-1, -1, -1.0)
    for place, (at_us, more_waiting, more_in_service, more_spent_usd) in enumerate(changes, 1):
        waiting += more_waiting
        in_service += more_in_service
        spent_usd += more_spent_usd
        if place < len(changes) and changes[place][0] == at_us:
            continue
        if waiting != told[0]:
            yield at_us, WAITING, waiting
        if in_service != told[1]:
            yield at_us, IN_SERVICE, in_service
        if spent_usd != told[2]:
            yield at_us, SPENT, spent_usd
        told = (waiting, in_service, spent_usd)

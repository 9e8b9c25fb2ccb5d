"""The numbers of many runs, column by column: with a row or a dict for each, thousands of runs take seconds and most of a gigabyte."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

import numpy as np

from harness.store.database import Store


def metric_columns(store: Store, run_ids: Sequence[int]) -> dict[str, array[float]]:
    """The metrics of some runs, without those of agents.

    Args:
        store: Where to look.
        run_ids: The runs, each once.

    Returns:
        By name of the metric, its value in each run, in the order of the runs; not a number where it was not measured.
    """
    wanted = np.array(run_ids, dtype=np.int64)
    order = np.argsort(wanted)
    mine = "FROM metrics WHERE agent IS NULL AND run_id IN (SELECT unnest(?::INTEGER[]))"
    with store.reading() as connection:
        counts = connection.execute(
            f"SELECT name, count(*) {mine} GROUP BY name ORDER BY name",
            [wanted],
        ).fetchall()
        rows = connection.execute(
            f"SELECT run_id, value {mine} ORDER BY name",
            [wanted],
        ).fetchnumpy()
    columns: dict[str, array[float]] = {}
    places = order[np.searchsorted(wanted, rows["run_id"], sorter=order)]
    first = 0
    for name, count in counts:
        column = np.full(len(wanted), math.nan)
        column[places[first : first + count]] = rows["value"][first : first + count]
        columns[name] = array("d", column.tobytes())
        first += count
    return columns


def measured_tasks(store: Store, run_ids: Sequence[int]) -> dict[int, int]:
    """How many tasks each of some runs has without its warm-up."""
    with store.reading() as connection:
        return dict(
            connection.execute(
                "SELECT run_id, greatest(0, tasks - warmup_tasks) FROM runs WHERE run_id IN (SELECT unnest(?::INTEGER[]))",
                [np.array(run_ids, dtype=np.int64)],
            ).fetchall()
        )

"""Runs in columns: what a store inserts, and what a worker sends to the process that has the store.

A batch holds the rows of some runs for each table of `schema.sql`. Batches are joined column by column, so that neither
sending nor inserting many runs makes a Python object for a cell.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, compress
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from harness.spans import ColumnType, Table
from harness.store.records import RunRecord

_ROWS: Final = 500_000
"""With fewer rows in a statement DuckDB writes its row groups twice: half the speed, twice the file. A row costs some 150
bytes of memory until its statement is done."""

_RUN: Final = "run_id"
"""The column of every table that says which run of the batch a row belongs to, counted from 0."""

_RUN_COLUMNS: Final[dict[str, ColumnType]] = {
    "scenario": "text",
    "scenario_hash": "text",
    "seed": "int",
    "status": "text",
    "tasks": "int",
    "warmup_tasks": "int",
    "makespan_s": "float",
    "wall_s": "float",
    "harness_version": "text",
    "commit_id": "text",
    "source": "text",
    "command": "text",
    "engine": "text",
}
"""The fields of a record that stand in `runs`."""


@dataclass(frozen=True, slots=True)
class RunBatch:
    """The rows of some runs; it may be pickled to another process."""

    runs: int
    """How many there are."""
    tables: Mapping[str, Table]
    """The rows by table of the store; all batches have the same tables."""

    @property
    def spans(self) -> int:
        """How many there are in all runs."""
        return len(self.tables["spans"])


def batch_of(record: RunRecord) -> RunBatch:
    """One run. Its spans, events and texts are not copied.

    Raises:
        struct.error: A number does not fit into 64 bits.
    """
    return RunBatch(
        1,
        {
            "runs": _rows(_RUN_COLUMNS, [[getattr(record, name) for name in _RUN_COLUMNS]]),
            "metrics": _metrics(record),
            "budgets": _rows({"metric": "text", "bound": "text", "value": "float"}, record.budgets),
            "limits": _rows({"provider": "text", "name": "text", "value": "float"}, record.limits),
            "models": _rows({"provider": "text", "model": "text", "pool": "text"}, record.models),
            "spans": _of_one_run(record.spans),
            "texts": _of_one_run(record.texts),
            "events": _of_one_run(record.events, event_id=range(1, len(record.events) + 1)),
        },
    )


def _rows(columns: dict[str, ColumnType], rows: Sequence[Sequence[Any]]) -> Table:
    table = Table({_RUN: "int", **columns})
    if rows:
        table.extend([0] * len(rows), *map(list, zip(*rows, strict=True)))
    return table


def _metrics(record: RunRecord) -> Table:
    """The rows of `metrics`; one that was not measured has none."""
    agents, names, values = list[str](), list[str](), list[float]()
    for agent, metrics in [("", record.metrics), *record.agent_metrics.items()]:
        agents += [agent] * len(metrics)
        names += metrics
        values += metrics.values()
    table = Table({_RUN: "int", "agent": "text", "name": "text", "value": "float"})
    if any(map(math.isnan, values)):
        there = [not math.isnan(value) for value in values]
        agents, names = list(compress(agents, there)), list(compress(names, there))
        values = list(compress(values, there))
    table.extend([0] * len(values), agents, names, values)
    return table


def _of_one_run(table: Table, **more: Iterable[int]) -> Table:
    """The rows of a table of a run, with further columns of integers."""
    zeros = array("q", bytes(8 * len(table)))
    return table.beside({_RUN: zeros, **{name: array("q", it) for name, it in more.items()}})


def joined(batches: Sequence[RunBatch]) -> RunBatch:
    """One batch of all runs of some, at least one, in their order."""
    if len(batches) == 1:
        return batches[0]
    firsts = [0, *accumulate(batch.runs for batch in batches)]
    return RunBatch(
        firsts.pop(),
        {name: _joined([batch.tables[name] for batch in batches], firsts) for name in batches[0].tables},
    )  # fmt: skip


def _joined(tables: Sequence[Table], firsts: Sequence[int]) -> Table:
    """One table of all rows of some.

    Args:
        tables: They have the same columns.
        firsts: What to add to the numbers of the runs of each.
    """
    whole = Table(tables[0].columns)
    rows = [len(table) for table in tables]
    texts = [table.texts for table in tables]
    codes = np.array([whole.codes[text] for of_one in texts for text in of_one], dtype=np.int32)
    offsets = list(accumulate(map(len, texts), initial=0))[:-1]
    for name, kind in whole.columns.items():
        cells = b"".join([table[name] for table in tables])
        if kind == "text":
            cells = codes[_shifted(cells, np.int32, offsets, rows)].tobytes()
        elif name == _RUN:
            cells = _shifted(cells, np.int64, firsts, rows).tobytes()
        whole[name].frombytes(cells)
    return whole


def _shifted(
    cells: bytes, type_: type[np.signedinteger[Any]], by: Sequence[int], rows: Sequence[int]
) -> npt.NDArray[np.signedinteger[Any]]:
    """A column of integers of several tables, with the number of each table added."""
    shifted: npt.NDArray[np.signedinteger[Any]] = np.repeat(np.array(by, type_), rows)
    shifted += np.frombuffer(cells, type_)
    return shifted


def grouped(batches: Iterable[RunBatch]) -> Iterator[RunBatch]:
    """The same runs in batches that have rows enough to be worth a statement."""
    group, rows = list[RunBatch](), 0
    for batch in batches:
        group.append(batch)
        rows += batch.spans
        if rows >= _ROWS:
            yield joined(group)
            group, rows = [], 0
    if group:
        yield joined(group)

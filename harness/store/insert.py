"""Insert columns from memory into the store, many runs at a time.

Numbers go as the arrays they are. A text column goes as the codes it holds; the texts themselves go once, as a small
table to join with. So no Python object is made for a cell, and no text ever becomes part of an SQL statement.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from harness.spans import ColumnType, Table
from harness.store.records import RunRecord

# With fewer rows in a statement DuckDB writes its row groups twice: half the speed, twice the file. A row here costs
# some 150 bytes of memory until its statement is done.
_BATCH_ROWS: Final = 500_000

_RECORD_COLUMNS: Final[dict[str, ColumnType]] = {
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

Column = npt.NDArray[Any]


def insert_runs(
    connection: duckdb.DuckDBPyConnection,
    run_ids: Sequence[int],
    records: Sequence[RunRecord],
    written_at: datetime,
) -> None:
    """Write whole runs, inside the transaction that the caller began.

    Args:
        connection: To the store.
        run_ids: The id of each record.
        records: The runs.
        written_at: What to note as the moment of writing [UTC].

    Raises:
        OverflowError: A number does not fit into 64 bits.
    """
    moments = np.full(len(records), np.datetime64(written_at, "us"))
    _insert(connection, "runs", [_runs(run_ids, records)], written_at=moments)
    _insert(connection, "metrics", [_metrics(run_ids, records)])
    for target, texts in _BOUNDS.items():
        _insert(connection, target, [_bounds(run_ids, records, target, texts)])
    _insert(connection, "models", [_models(run_ids, records)])
    for ids, spans in _batches(run_ids, [record.spans for record in records]):
        _insert(connection, "spans", spans, run_id=np.repeat(ids, [len(table) for table in spans]))
    for ids, kept in _batches(run_ids, [record.texts for record in records]):
        _insert(connection, "texts", kept, run_id=np.repeat(ids, [len(table) for table in kept]))
    for ids, events in _batches(run_ids, [record.events for record in records]):
        counts = [len(table) for table in events]
        event_id = np.concatenate([np.arange(1, rows + 1) for rows in counts])
        _insert(connection, "events", events, run_id=np.repeat(ids, counts), event_id=event_id)


def _runs(run_ids: Sequence[int], records: Sequence[RunRecord]) -> Table:
    """The rows of `runs`, without the moment of writing, which a table has no type for."""
    table = Table({"run_id": "int", **_RECORD_COLUMNS})
    fields = [[getattr(record, name) for record in records] for name in _RECORD_COLUMNS]
    table.extend(list(run_ids), *fields)
    return table


def _metrics(run_ids: Sequence[int], records: Sequence[RunRecord]) -> Table:
    """The rows of `metrics`; one that was not measured has none."""
    rows = [
        (run_id, agent, name, value)
        for run_id, record in zip(run_ids, records, strict=True)
        for agent, metrics in [("", record.metrics), *record.agent_metrics.items()]
        for name, value in metrics.items()
        if not math.isnan(value)
    ]
    table = Table({"run_id": "int", "agent": "text", "name": "text", "value": "float"})
    if rows:
        table.extend(*map(list, zip(*rows, strict=True)))
    return table


_BOUNDS: Final = {"budgets": ("metric", "bound"), "limits": ("provider", "name")}
"""The columns of text in the tables of bounds, which are named as the fields of a record."""


def _bounds(
    run_ids: Sequence[int], records: Sequence[RunRecord], target: str, texts: tuple[str, str]
) -> Table:
    """The rows of a table of bounds."""
    rows = [
        (run_id, *row)
        for run_id, record in zip(run_ids, records, strict=True)
        for row in getattr(record, target)
    ]
    table = Table({"run_id": "int", texts[0]: "text", texts[1]: "text", "value": "float"})
    if rows:
        table.extend(*map(list, zip(*rows, strict=True)))
    return table


def _models(run_ids: Sequence[int], records: Sequence[RunRecord]) -> Table:
    """The rows of `models`."""
    table = Table({"run_id": "int", "provider": "text", "model": "text", "pool": "text"})
    for run_id, record in zip(run_ids, records, strict=True):
        for row in record.models:
            table.extend(*([value] for value in (run_id, *row)))
    return table


def _batches(
    run_ids: Sequence[int], tables: Sequence[Table]
) -> Iterator[tuple[list[int], list[Table]]]:
    """Group the tables of successive runs, so that each group has rows enough to be worth a statement."""
    ids: list[int] = []
    group: list[Table] = []
    rows = 0
    for run_id, table in zip(run_ids, tables, strict=True):
        ids.append(run_id)
        group.append(table)
        rows += len(table)
        if rows >= _BATCH_ROWS:
            yield ids, group
            ids, group, rows = [], [], 0
    if group:
        yield ids, group


def _insert(
    connection: duckdb.DuckDBPyConnection, target: str, tables: Sequence[Table], **more: Column
) -> None:
    """Append the rows of some tables to a table of the store.

    Args:
        connection: To the store.
        target: The table of the store.
        tables: The rows; all have the same columns.
        more: Columns that the store has beyond those, each for the rows of all the tables.
    """
    types = tables[0].columns
    columns, texts = _joined(tables)
    if not len(columns[next(iter(types))]):
        return
    cells = [*more, *(_CELLS[kind].format(name=name) for name, kind in types.items())]
    joins = [_JOIN.format(name=name) for name, kind in types.items() if kind == "text"]
    connection.register("new_rows", {**more, **columns})
    connection.register("new_texts", {"code": np.arange(len(texts)), "text": texts})
    # The names in the statement are ours, from here and `spans.py`; what a user may choose is in the arrays.
    select = f"SELECT {', '.join(cells)} FROM new_rows {' '.join(joins)}"  # noqa: S608
    connection.execute(f"INSERT INTO {target} BY NAME {select}")
    connection.unregister("new_rows")
    connection.unregister("new_texts")


_CELLS: Final[dict[ColumnType, str]] = {
    "float": "new_rows.{name}",  # NaN in an array is NULL to DuckDB
    "int": "nullif(new_rows.{name}, -1) AS {name}",
    "text": "nullif(text_of_{name}.text, '') AS {name}",
}
"""How a cell of each type is read from `new_rows`, the absent value as NULL."""

_JOIN: Final = "LEFT JOIN new_texts AS text_of_{name} ON text_of_{name}.code = new_rows.{name}"


def _joined(tables: Sequence[Table]) -> tuple[dict[str, Column], Column]:
    """Put tables one below the other.

    Returns:
        The columns, with the codes of texts made common to all; and the text of each code.
    """
    codes: dict[str, int] = {}
    # To each table the common code of each of its own.
    common = [
        np.array([codes.setdefault(text, len(codes)) for text in table.texts], dtype=np.int32)
        for table in tables
    ]
    columns = {}
    for name, kind in tables[0].columns.items():
        parts: list[Column] = [np.asarray(table[name]) for table in tables]
        if kind == "text":
            parts = [codes_of[part] for codes_of, part in zip(common, parts, strict=True)]
        # A long run comes alone, and is not copied.
        columns[name] = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return columns, np.array([_storable(text) for text in codes], dtype=object)


def _storable(text: str) -> str:
    """Spell out lone surrogates, which are no Unicode text, so that DuckDB would refuse the whole run for one."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")

"""Insert columns from memory into the store, many runs at a time.

Numbers go as the arrays they are. A text column goes as the codes it holds; the texts themselves go once, as a small
table to join with. So no Python object is made for a cell, and no text ever becomes part of an SQL statement.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from harness.spans import ColumnType, Table
from harness.store.batches import RunBatch, grouped

if TYPE_CHECKING:
    import duckdb


def insert_runs(
    connection: duckdb.DuckDBPyConnection,
    first_id: int,
    batches: Iterable[RunBatch],
    written_at: datetime,
) -> None:
    """Write whole runs, inside the transaction that the caller began.

    Args:
        connection: To the store.
        first_id: The id of the first run; the others have the next.
        batches: The runs.
        written_at: What to note as the moment of writing [UTC].
    """
    for batch in grouped(batches):
        for target, table in batch.tables.items():
            more = {"written_at": written_at} if target == "runs" else {}
            _insert(connection, target, table, first_id, more)
        first_id += batch.runs


def _insert(
    connection: duckdb.DuckDBPyConnection,
    target: str,
    table: Table,
    first_id: int,
    more: dict[str, datetime],
) -> None:
    """Append the rows of a batch to a table of the store.

    Args:
        connection: To the store.
        target: The table of the store.
        table: The rows, with the run of each counted from 0.
        first_id: The id of run 0.
        more: Further columns, which have one value in all rows.
    """
    if not len(table):
        return
    texts = table.texts
    columns = {
        name: column
        for name, kind in table.columns.items()
        if _is_present(column := np.asarray(table[name]), kind, texts)
    }
    types = {name: table.columns[name] for name in columns}
    cells = [_CELLS[kind].format(name=name) for name, kind in types.items() if name != "run_id"]
    cells += ["(new_rows.run_id + $first_id) AS run_id", *(f"${name} AS {name}" for name in more)]
    joins = [_JOIN.format(name=name) for name, kind in types.items() if kind == "text"]
    stored = np.array([_storable(text) for text in texts], dtype=object)
    connection.register("new_rows", columns)
    connection.register("new_texts", {"code": np.arange(len(texts)), "text": stored})
    # The names in the statement are ours, from here and `spans.py`; what a user may choose is in the arrays.
    select = f"SELECT {', '.join(cells)} FROM new_rows {' '.join(joins)}"  # noqa: S608
    connection.execute(f"INSERT INTO {target} BY NAME {select}", {"first_id": first_id, **more})
    connection.unregister("new_rows")
    connection.unregister("new_texts")


_CELLS: Final[dict[ColumnType, str]] = {
    "float": "new_rows.{name}",  # NaN in an array is NULL to DuckDB
    "int": "nullif(new_rows.{name}, -1) AS {name}",
    "text": "nullif(text_of_{name}.text, '') AS {name}",
}
"""How a cell of each type is read from `new_rows`, the absent value as NULL."""

_JOIN: Final = "LEFT JOIN new_texts AS text_of_{name} ON text_of_{name}.code = new_rows.{name}"


def _is_present(column: npt.NDArray[Any], kind: ColumnType, texts: list[str]) -> bool:
    """Whether a column has any value: what is not inserted is NULL, and most spans have no value in most columns."""
    match kind:
        case "float":
            return not np.isnan(column).all()
        case "int":
            return bool((column != -1).any())
        case "text":
            absent = texts.index("") if "" in texts else -1
            return bool((column != absent).any())


def _storable(text: str) -> str:
    """Spell out lone surrogates, which are no Unicode text, so that DuckDB would refuse the whole run for one."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")

"""Runs as Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb

from harness.store.exchange.tables import identifier, select_runs

# Else a folder called `run_id=7` would become a column of the file.
_FROM: Final = "read_parquet(?, hive_partitioning = false)"


def write(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, str],
    run_ids: Sequence[int],
    path: Path,
) -> None:
    """Write the rows of some runs."""
    select = select_runs(table, [identifier(name) for name in columns])
    connection.execute(
        f"COPY ({select}) TO ? (FORMAT parquet, COMPRESSION zstd)", [list(run_ids), str(path)]
    )


def columns(
    connection: duckdb.DuckDBPyConnection, path: Path, known: Mapping[str, str]
) -> dict[str, str]:
    """The columns that the file states."""
    del known  # it has types of its own
    found = connection.execute(f"DESCRIBE FROM {_FROM}", [str(path)]).fetchall()
    return {row[0]: row[1] for row in found}


@contextmanager
def rows(
    connection: duckdb.DuckDBPyConnection, path: Path, columns: Mapping[str, str]
) -> Iterator[tuple[str, Sequence[Any]]]:
    """The file, as DuckDB reads it."""
    del connection, columns
    yield _FROM, [str(path)]

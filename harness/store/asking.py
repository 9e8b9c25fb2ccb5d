"""Queries of a store: rows as dicts, and a check that runs exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.errors import StoreError
from harness.json_types import JsonObject
from harness.store.database import Store

if TYPE_CHECKING:
    import duckdb

Row = JsonObject
"""A row by column name, with None for what was not measured."""


def ask(store: Store, run_ids: Sequence[int], sql: str, **more: object) -> list[Row]:
    """The answer to a query about some runs, whose ids it knows as `$run_ids`.

    Raises:
        StoreError: One of the runs does not exist.
    """
    with store.reading() as connection:
        check_runs(store, connection, run_ids)
        # With several threads, the last digit of a sum depends on which of them is done first.
        connection.execute("SET threads = 1")
        return rows_of(connection, sql, {"run_ids": list(run_ids), **more})


def rows_of(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    parameters: Sequence[object] | Mapping[str, object],
) -> list[Row]:
    """The answer to a query on an open connection."""
    found = connection.execute(sql, parameters)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def check_runs(store: Store, connection: duckdb.DuckDBPyConnection, run_ids: Sequence[int]) -> None:
    """Raise an error for runs that do not exist.

    Raises:
        StoreError: Names the first of them, and those that the store holds.
    """
    there = {row[0] for row in connection.execute("SELECT run_id FROM runs").fetchall()}
    for run_id in run_ids:
        if run_id not in there:
            held = f"runs {min(there)} to {max(there)}" if there else "no runs yet"
            raise StoreError(
                f"there is no run {run_id!r} in the store {store.path}\n  How to fix: it holds {held}; see `harness runs`"
            )

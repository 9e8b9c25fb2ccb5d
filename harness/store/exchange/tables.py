"""The exported tables: every table of `schema.sql` with a `run_id`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources

import duckdb


@cache
def tables_of_runs() -> dict[str, dict[str, str]]:
    """The tables with their columns and types, in the order of the schema; the first is `runs`."""
    schema = resources.files("harness.store").joinpath("schema.sql").read_text(encoding="utf-8")
    with duckdb.connect() as connection:
        connection.execute(schema)
        rows = connection.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() SEMI JOIN duckdb_tables() USING (table_oid) "
            "ORDER BY table_oid, column_index"
        ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        found.setdefault(table, {})[column] = kind
    return {table: columns for table, columns in found.items() if "run_id" in columns}


def identifier(name: str) -> str:
    """A quoted SQL identifier."""
    return '"{}"'.format(name.replace('"', '""'))


def select_runs(table: str, cells: Sequence[str]) -> str:
    """The statement for the rows of some runs, whose ids are its one parameter; equal rows come in the same order.

    Args:
        table: One of our tables.
        cells: What is selected; made of our own words.
    """
    return (
        f"SELECT {', '.join(cells)} FROM {identifier(table)} "  # noqa: S608 - of our own words
        "WHERE run_id IN (SELECT unnest(?::INTEGER[])) ORDER BY ALL"
    )

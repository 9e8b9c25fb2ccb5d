"""Runs as CSV, for spreadsheets: quoted texts, empty absent values, numbers with all digits.

A spreadsheet takes a text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for a formula, and runs it.
Such a text gets a `'` in front, which spreadsheets take for "this is text". So that it can be taken off again without
doubt, a text that begins with some `'` and then one of those gets one more.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb

from harness.store.exchange.tables import identifier, select_runs

TEXT: Final = "VARCHAR"

_LONGEST_ROW: Final = 2**24
"""The longest row that is read [bytes]; DuckDB keeps room for some of them."""

_HEADER_MAX: Final = 2**16
"""The longest first line that is looked at [characters]; ours are a hundredth of it."""

_ESCAPED: Final = (
    r"""CASE WHEN regexp_matches({0}, '^''*[=+\-@\t\r]') THEN '''' || {0} ELSE {0} END AS {0}"""
)
_AS_IT_WAS: Final = (
    r"""CASE WHEN regexp_matches({0}, '^''+[=+\-@\t\r]') THEN {0}[2:] ELSE {0} END AS {0}"""
)

# One thread: several look for the ends of rows at once, and a text may look like one. A quoted nothing is an empty text.
_FROM: Final = (
    "read_csv(?, columns = ?, max_line_size = ?, auto_detect = false, header = true, delim = ',', quote = '\"', "
    "escape = '\"', new_line = '\\n', nullstr = '', allow_quoted_nulls = false, strict_mode = true, parallel = false, "
    "compression = 'none', hive_partitioning = false)"
)


def write(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, str],
    run_ids: Sequence[int],
    path: Path,
) -> None:
    """Write the rows of some runs."""
    quoted = ", ".join(identifier(name) for name, kind in columns.items() if kind == TEXT)
    select = select_runs(table, _cells(columns, _ESCAPED))
    connection.execute(
        f"COPY ({select}) TO ? (FORMAT csv, HEADER true, FORCE_QUOTE ({quoted}))",
        [list(run_ids), str(path)],
    )


def columns(
    connection: duckdb.DuckDBPyConnection, path: Path, known: Mapping[str, str]
) -> dict[str, str]:
    """The columns that the first line names, with the types that we know of them; "" of a name that we do not know."""
    del connection
    with path.open(encoding="utf-8", newline="") as file:
        first = file.readline(_HEADER_MAX)
    try:
        names = next(csv.reader([first], strict=True), [])
    except csv.Error as error:
        raise ValueError(f"its first line: {error}") from error
    if len(set(names)) < len(names):
        raise ValueError("a column occurs twice")
    return {name: known.get(name, "") for name in names}


@contextmanager
def rows(
    connection: duckdb.DuckDBPyConnection, path: Path, columns: Mapping[str, str]
) -> Iterator[tuple[str, Sequence[Any]]]:
    """The file, as DuckDB reads it, without what is in front of formulas."""
    del connection
    cells = ", ".join(_cells(columns, _AS_IT_WAS))
    yield f"(SELECT {cells} FROM {_FROM})", [str(path), dict(columns), _LONGEST_ROW]  # noqa: S608 - our own words


def _cells(columns: Mapping[str, str], of_text: str) -> list[str]:
    return [
        of_text.format(identifier(name)) if kind == TEXT else identifier(name)
        for name, kind in columns.items()
    ]

"""The exchange formats and their capabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, Protocol

import duckdb

from harness.store.exchange import arrow, csv, parquet
from harness.store.exchange.manifest import FormatName

Columns = Mapping[str, str]
"""The columns of a table: their types in DuckDB, by name, in order."""


Rows = tuple[str, Sequence[Any]]
"""What a statement selects the rows of a file from, made of our own words, and the parameters of that."""


class Format(Protocol):
    """How the rows of a table become a file, and come back; a module each."""

    def write(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: str,
        columns: Columns,
        run_ids: Sequence[int],
        path: Path,
    ) -> None:
        """Write the rows of some runs, in the order of their columns; the same rows always give the same bytes.

        Raises:
            HarnessError: A package is missing.
            OSError: The file cannot be written.
        """

    def columns(
        self, connection: duckdb.DuckDBPyConnection, path: Path, known: Columns
    ) -> dict[str, str]:
        """The columns of a file, with their types in DuckDB; in a file without types, those of known names.

        Raises:
            HarnessError: A package is missing.
            duckdb.Error, OSError, ValueError: The file is no such file, or damaged.
        """

    def rows(
        self, connection: duckdb.DuckDBPyConnection, path: Path, columns: Columns
    ) -> AbstractContextManager[Rows]:
        """Make the rows of a file readable, as long as the `with` block lasts.

        Raises:
            duckdb.Error, OSError, ValueError: The file is no such file, or damaged; also later, from the statement.
        """


FORMATS: Final[Mapping[FormatName, Format]] = {"parquet": parquet, "csv": csv, "arrow": arrow}
"""By name, which is also the suffix of its files."""

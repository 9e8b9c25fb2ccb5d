"""A received export folder: every file is checked before it is imported."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from harness.errors import StoreError
from harness.store.exchange.formats import FORMATS, Columns, Format, Rows
from harness.store.exchange.manifest import Manifest, checksum, damaged, read_manifest
from harness.store.exchange.tables import identifier, tables_of_runs

_REASON_SHOWN = 200


@dataclass(frozen=True, slots=True)
class SentFolder:
    """A folder with a manifest."""

    folder: Path
    manifest: Manifest

    @classmethod
    def at(cls, folder: Path) -> SentFolder:
        """The folder at a path, whose files are there and as they were written.

        Raises:
            StoreError: A file is missing, or another; there is no manifest, or it is of a newer harness.
        """
        sent = cls(folder, read_manifest(folder))
        sent._check_files()
        return sent

    def columns(self) -> dict[str, dict[str, str]]:
        """By table, the columns of its file, with their types.

        Raises:
            StoreError: A file cannot be read.
        """
        ours = tables_of_runs()
        found = {}
        with duckdb.connect() as connection:
            for table in self.manifest.tables:
                with self._blaming(table):
                    path = self._path(table)
                    found[table] = self._format.columns(connection, path, ours[table])
        return found

    def check_columns(self, wanted: Mapping[str, Columns]) -> None:
        """Compare the tables and their columns with those that are wanted.

        Raises:
            StoreError: They are others.
        """
        found = self.columns()
        for table, columns in wanted.items():
            if table not in found:
                raise self.damaged(f"the table {table!r} is missing")
            wrong = set(columns.items()) ^ set(found[table].items())
            if wrong:
                names = ", ".join(sorted({repr(name) for name, _ in wrong}))
                raise self.damaged(
                    f"{self._path(table).name} has columns that differ from those of a store: {names}"
                )

    def insert_into(self, connection: duckdb.DuckDBPyConnection) -> list[int]:
        """Insert all rows into tables with the same columns, inside the transaction that the caller began.

        Returns:
            The ids that the runs were given, in the order of those that they had.

        Raises:
            StoreError: The files hold something else than whole runs.
        """
        columns = self.columns()
        run_ids = self._give_ids(connection, columns["runs"])
        for table, part in self.manifest.tables.items():
            with self._blaming(table), self._rows(connection, table, columns[table]) as rows:
                source, parameters = rows
                insert = (
                    f"INSERT INTO {identifier(table)} BY NAME SELECT sent.* REPLACE (new_id AS run_id) "  # noqa: S608
                    f"FROM {source} AS sent JOIN new_ids ON new_ids.run_id = sent.run_id"
                )
                [(count,)] = connection.execute(insert, parameters).fetchall()
            if count != part.rows:
                name = self._path(table).name
                raise self.damaged(
                    f"{name} holds {count} rows of its runs, and should hold {part.rows}"
                )
        return run_ids

    def damaged(self, why: str) -> StoreError:
        """The error about a folder that is not as it was written."""
        return damaged(self.folder, why)

    @property
    def _format(self) -> Format:
        return FORMATS[self.manifest.format]

    def _path(self, table: str) -> Path:
        # The name is one of ours, and so leads nowhere else.
        return self.folder / f"{table}.{self.manifest.format}"

    def _check_files(self) -> None:
        if "runs" not in self.manifest.tables:
            raise self.damaged("the table 'runs' is missing")
        for table, part in self.manifest.tables.items():
            if table not in tables_of_runs():
                raise self.damaged(f"no store has a table {table!r}")
            path = self._path(table)
            if path.is_symlink() or not path.is_file():
                raise self.damaged(f"{path.name} is missing, or is not a regular file")
            with self._blaming(table):
                if checksum(path) != part.sha256:
                    raise self.damaged(f"{path.name} is not the file that was written")

    def _give_ids(self, connection: duckdb.DuckDBPyConnection, columns: Columns) -> list[int]:
        """Make the table `new_ids`: which id each run of the folder gets."""
        with self._blaming("runs"), self._rows(connection, "runs", columns) as (source, parameters):
            connection.execute(
                "CREATE OR REPLACE TEMP TABLE new_ids AS SELECT run_id, "  # noqa: S608 - of our own words
                "row_number() OVER (ORDER BY run_id) + (SELECT coalesce(max(run_id), 0) FROM runs) AS new_id "
                f"FROM {source}",
                parameters,
            )
        found = connection.execute("SELECT run_id, new_id FROM new_ids ORDER BY new_id").fetchall()
        old = {run_id for run_id, _ in found if run_id is not None}
        if not found or len(old) < len(found):
            raise self.damaged(
                "a run has no id, or two have the same" if found else "it holds no runs"
            )
        return [new_id for _, new_id in found]

    def _rows(
        self, connection: duckdb.DuckDBPyConnection, table: str, columns: Columns
    ) -> contextlib.AbstractContextManager[Rows]:
        return self._format.rows(connection, self._path(table), columns)

    @contextlib.contextmanager
    def _blaming(self, table: str) -> Iterator[None]:
        """Say of what goes wrong in the block which file it was."""
        try:
            yield
        except (duckdb.Error, OSError, ValueError) as error:
            reason = str(error).partition("\n")[0][:_REASON_SHOWN]
            raise self.damaged(f"{self._path(table).name} cannot be read: {reason}") from error

"""A DuckDB file that keeps the progress of runs, for a run that is resumed in another process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from harness.errors import StoreError
from harness.store.database import CONFIG, reason


class CheckpointFile:
    """Storage in a file; it is opened by the first use, and held until it is closed.

    Args:
        path: The file; made by the first `put`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._values: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        """The value of a key; None if there is none.

        Raises:
            StoreError: The file cannot be read.
        """
        if self._connection is None and self.path.exists():
            with self._told():
                self._open()
        return self._values.get(key)

    def put(self, key: str, value: str) -> None:
        """Keep a value.

        Raises:
            StoreError: The file cannot be made or written.
        """
        with self._told():
            connection = self._connection or self._open()
            # A key may have several rows, of which the last counts: replacing a row takes DuckDB five times as long.
            connection.execute("INSERT INTO progress VALUES (?, ?)", (key, value)).fetchall()
        self._values[key] = value

    def close(self) -> None:
        """Let other processes have the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def remove(self) -> None:
        """Delete the file, because nothing in it is to be resumed."""
        self.close()
        self._values.clear()
        self.path.unlink(missing_ok=True)
        self.path.with_name(f"{self.path.name}.wal").unlink(missing_ok=True)

    def _open(self) -> duckdb.DuckDBPyConnection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(self.path, config=CONFIG)
        connection.execute(
            "CREATE TABLE IF NOT EXISTS progress (key VARCHAR NOT NULL, value VARCHAR NOT NULL)"
        )
        rows = connection.execute("SELECT key, value FROM progress ORDER BY rowid").fetchall()
        self._values = dict(rows)
        self._connection = connection
        return connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, duckdb.Error) as error:
            raise StoreError(
                f"cannot keep progress in {self.path}: {reason(error)}\n"
                "  How to fix: name a file that you may write, and that no other run has open"
            ) from error

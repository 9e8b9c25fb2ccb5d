"""A DuckDB file that keeps the progress of runs, for a run that is resumed in another process."""

from __future__ import annotations

import os
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

    def get(self, key: str) -> str | None:
        """The value of a key; None if there is none.

        Raises:
            StoreError: The file cannot be read.
        """
        if self._connection is None and not self.path.exists():
            return None
        rows = self._ask("SELECT value FROM progress WHERE key = ?", key)
        return None if not rows else str(rows[0][0])

    def put(self, key: str, value: str) -> None:
        """Keep a value.

        Raises:
            StoreError: The file cannot be made or written.
        """
        self._ask("INSERT OR REPLACE INTO progress VALUES (?, ?)", key, value)

    def close(self) -> None:
        """Let other processes have the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def remove(self) -> None:
        """Delete the file, because nothing in it is to be resumed."""
        self.close()
        self.path.unlink(missing_ok=True)
        self.path.with_name(f"{self.path.name}.wal").unlink(missing_ok=True)

    def _ask(self, sql: str, *parameters: str) -> list[tuple[object, ...]]:
        try:
            return self._opened().execute(sql, parameters).fetchall()
        except (OSError, duckdb.Error) as error:
            raise StoreError(
                f"cannot keep progress in {self.path}: {reason(error)}\n"
                "  How to fix: name a file that you may write, and that no other run has open"
            ) from error

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = duckdb.connect(self.path, config=CONFIG)
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS progress (key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL)"
            )
        return self._connection

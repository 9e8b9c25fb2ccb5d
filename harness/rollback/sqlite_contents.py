"""Contents of SQLite databases in memory; sqlite3 is not imported if the program does not use it."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Any

from harness.rollback.kind import Kind

_LARGEST = 10_000_000
"""Databases with more bytes are not copied for each run."""

_COUNTERS = (slice(24, 28), slice(40, 44), slice(92, 100))
"""Fields of the file header that count writes: the change counter, the schema cookie, and what belongs to them."""

_OK, _DONE = 0, 101
"""Results of SQLite."""


@dataclass(frozen=True, slots=True)
class _Database:
    """What a connection holds."""

    rows_changed: int = 0
    """Through this connection; counted only where the contents are not copied."""
    image: bytes | None = None
    """The file that it would be; None if it is a file already, or too large to be copied."""


def sqlite_kinds_of(cls: type) -> list[Kind]:
    """How the instances of a class of sqlite3 are read; none for any other class."""
    sqlite: Any = sys.modules.get("sqlite3")
    if sqlite is None:
        return []
    if issubclass(cls, sqlite.Connection):
        return [Kind(_read, _write)]
    if issubclass(cls, sqlite.Cursor):
        return [Kind(lambda cursor: [cursor.connection])]
    return []


def _read(connection: Any) -> _Database:  # noqa: ANN401 - sqlite3 may not be in use
    cursor = sys.modules["sqlite3"].Cursor(connection)  # no factory of the program's
    cursor.row_factory = None
    (pages,), (page_bytes,) = (
        cursor.execute(f"PRAGMA main.{name}").fetchone() for name in ("page_count", "page_size")
    )
    files = [file for _, _, file in cursor.execute("PRAGMA database_list")]
    if any(files) or len(files) > 1 or pages * page_bytes > _LARGEST:
        return _Database(rows_changed=connection.total_changes)
    return _Database(image=_image(connection) if pages else _of_nothing())


@cache
def _of_nothing() -> bytes:
    """The image of a database from which everything was taken."""
    sqlite: Any = sys.modules["sqlite3"]
    with closing(sqlite.connect(":memory:")) as one, closing(sqlite.connect(":memory:")) as other:
        one.backup(other)
        return _image(other)


def _write(connection: Any, contents: _Database) -> None:  # noqa: ANN401 - see above
    if contents.image is None:
        raise TypeError("this database is not copied")
    connection.rollback()  # what the run did not commit
    with closing(sys.modules["sqlite3"].connect(":memory:")) as source:
        source.deserialize(contents.image)
        # Other than `deserialize`, a backup leaves a connection in its shared cache.
        source.backup(connection, progress=_never_wait)


def _never_wait(status: int, _remaining: int, _total: int) -> None:
    """Without this, a backup tries again for as long as another connection writes."""
    if status not in (_OK, _DONE):
        raise RuntimeError("another connection writes to this database")


def _image(connection: Any) -> bytes:  # noqa: ANN401 - see above
    image = bytearray(connection.serialize())
    for field in _COUNTERS:
        image[field] = bytes(field.stop - field.start)
    return bytes(image)

"""The store file: wait until it is free, reject files that are not stores, write whole runs.

DuckDB lets one process write a file, or several read it, and turns away everybody else at once. So a connection here
lives for one write or one read, and who is turned away comes again.
"""

from __future__ import annotations

import contextlib
import os
import re
import struct
import tempfile
import threading
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness import wall
from harness.errors import StoreError
from harness.store.batches import RunBatch, batch_of
from harness.store.insert import insert_runs
from harness.store.records import RunRecord

if TYPE_CHECKING:
    import duckdb

SCHEMA_VERSION: Final = 8
"""Counts the changes of schema.sql; a store of a later version is refused, because its numbers may mean something else."""

_TASKS_VIEW: Final = """
CREATE OR REPLACE VIEW tasks AS
SELECT spans.run_id, spans.task, spans.name AS kind, spans.task <= runs.warmup_tasks AS is_warmup, spans.arrival_s,
    spans.end_s, spans.end_s - spans.arrival_s AS latency_s, spans.status, spans.error, spans.customer, spans.priority
FROM spans JOIN runs ON runs.run_id = spans.run_id WHERE spans.kind = 'task'
"""


def _view(name: str) -> str:
    """The statement of schema.sql that makes a view; for views that no later version has changed."""
    schema = resources.files("harness.store").joinpath("schema.sql").read_text(encoding="utf-8")
    return (
        f"CREATE VIEW {name} AS" + schema.partition(f"CREATE VIEW {name} AS")[2].partition(";")[0]
    )


_ENGINES: Final = """
UPDATE runs SET engine = CASE
    WHEN scenario_hash LIKE 'live-%' THEN 'live'
    WHEN EXISTS (SELECT 1 FROM events WHERE events.run_id = runs.run_id AND events.name = 'recorded') THEN 'replayed'
    ELSE 'simulated'
END
"""

_UPGRADES: Final[dict[int, tuple[str, ...]]] = {
    2: (
        "ALTER TABLE spans ADD COLUMN cache_read_tokens BIGINT",
        "ALTER TABLE spans ADD COLUMN cache_write_tokens BIGINT",
        "ALTER TABLE runs ADD COLUMN commit_id VARCHAR",
    ),
    3: (
        "CREATE TABLE budgets (run_id INTEGER NOT NULL, metric VARCHAR NOT NULL, bound VARCHAR NOT NULL, value DOUBLE NOT NULL)",
        "CREATE TABLE limits (run_id INTEGER NOT NULL, provider VARCHAR NOT NULL, name VARCHAR NOT NULL, value DOUBLE NOT NULL)",
    ),
    4: ("ALTER TABLE spans ADD COLUMN repeats BIGINT",),
    5: (
        "CREATE TABLE texts (run_id INTEGER NOT NULL, span_id BIGINT NOT NULL, task BIGINT, kind VARCHAR NOT NULL, text VARCHAR)",
        "CREATE TABLE models (run_id INTEGER NOT NULL, provider VARCHAR NOT NULL, model VARCHAR NOT NULL, pool VARCHAR)",
    ),
    6: (
        "ALTER TABLE spans ADD COLUMN customer VARCHAR",
        "ALTER TABLE spans ADD COLUMN priority BIGINT",
        "ALTER TABLE events ADD COLUMN recipient VARCHAR",
        "ALTER TABLE events ADD COLUMN tokens BIGINT",
        "ALTER TABLE events ADD COLUMN hop BIGINT",
        "ALTER TABLE events ADD COLUMN message BIGINT",
        "ALTER TABLE events ADD COLUMN answers BIGINT",
        _TASKS_VIEW,
    ),
    7: (_view("audit"),),
    8: (
        "ALTER TABLE spans ADD COLUMN limited_by VARCHAR",
        "DROP VIEW IF EXISTS attempts",
        _view("attempts"),
        "ALTER TABLE runs ADD COLUMN engine VARCHAR",
        _ENGINES,
    ),
}
"""What each version brought; views are made again only where they have new columns."""

CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    # DuckDB 2 would write files that 1.4 and 1.5, and the tools that are built on them, cannot read.
    "storage_compatibility_version": "v1.4.0",
    # Given a file of another kind, such as SQLite's, it would fetch an extension from the network to read it.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}

_FIRST_PAUSE_WALL_S: Final = 0.005
_LONGEST_PAUSE_WALL_S: Final = 0.25

# Inside one process DuckDB allows several writers: two threads would write at once, and give their runs the same ids.
_turn = threading.RLock()


class Store:
    """A DuckDB file of runs, which any number of processes may write and read; it holds a connection only while it is used.

    Args:
        path: The file; made by the first write.
        patience_wall_s: How long to wait for a file that another process holds [real s].
    """

    def __init__(self, path: str | os.PathLike[str], *, patience_wall_s: float = 60.0) -> None:
        self.path = Path(path).absolute()
        self.patience_wall_s = patience_wall_s
        self._reader: duckdb.DuckDBPyConnection | None = None

    def write(self, records: Sequence[RunRecord]) -> list[int]:
        """Write runs in one transaction: all or none.

        Writing no runs makes the file if there is none, and so tells early whether it can be written.

        Returns:
            The ids of the runs, in the order of the records and without gaps.

        Raises:
            StoreError: The file cannot be made or written, is not a store, or stayed locked.
        """
        try:
            batches = [batch_of(record) for record in records]
        except (OverflowError, struct.error) as error:
            raise StoreError(
                f"cannot write to the store {self.path}: a number does not fit into 64 bits\n"
                f"  How to fix: choose smaller seeds; the largest is {max(one.seed for one in records)}"
            ) from error
        return self.write_batches(batches)

    def write_batches(self, batches: Sequence[RunBatch]) -> list[int]:
        """Write runs that are in columns; see `write`.

        Raises:
            StoreError: The file cannot be made or written, is not a store, or stayed locked.
        """
        with self.writing() as connection:
            run_ids = _next_run_ids(connection, sum(batch.runs for batch in batches))
            if run_ids:
                insert_runs(connection, run_ids[0], batches, wall.now_utc())
        return run_ids

    @contextlib.contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the store for one transaction, committed if the `with` block succeeds; the file is created if missing.

        Raises:
            StoreError: The file cannot be made or written, is not a store, or stayed locked; or DuckDB objects.
        """
        with _turn:
            if not self._exists():
                self._create()
            with self._opened(read_only=False) as connection:
                connection.begin()
                yield connection
                connection.commit()

    @contextlib.contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the store for reading during the `with` block; no process can write it meanwhile.

        Blocks inside one another have one connection, so that many questions cost one opening.

        Raises:
            StoreError: There is no such file, it is not a store, or it stayed locked; or DuckDB objects to a query.
        """
        with _turn:
            if self._reader is not None:
                yield self._reader
                return
            if not self._exists():
                raise StoreError(
                    f"there is no store {self.path}\n"
                    f"  How to fix: write one with `harness simulate FILE --store {self.path}`, or name another"
                )
            with self._opened(read_only=True) as connection:
                self._reader = connection
                try:
                    yield connection
                finally:
                    self._reader = None

    def _exists(self) -> bool:
        """Whether there is a file; what is no file, and a place where one may not look, are refused."""
        text = str(self.path)
        if "\0" in text or _has_surrogates(text):
            raise StoreError(
                f"the store {text!a} has a path that is not UTF-8, and DuckDB opens no other\n"
                "  How to fix: name another file"
            )
        try:
            if not self.path.is_dir():
                if self.path.exists() and not self.path.is_file():
                    raise StoreError(  # DuckDB would wait for the writer of a pipe
                        f"the store {self.path} is neither a file nor a link to one\n  How to fix: name a file"
                    )
                return self.path.exists()
        except OSError as error:
            raise StoreError(
                f"cannot look for the store {self.path}: {reason(error)}\n"
                "  How to fix: name a file in a folder that you may read"
            ) from error
        raise StoreError(
            f"the store {self.path} is a folder\n  How to fix: name a file, such as {self.path / 'runs.duckdb'}"
        )

    def _create(self) -> None:
        """Make an empty store elsewhere and give it its name, so that there is never half a store under that name.

        DuckDB itself first looks whether there is a file and then writes one: two processes at once can destroy what
        one of them has already written.
        """
        import duckdb

        schema = resources.files("harness.store").joinpath("schema.sql").read_text(encoding="utf-8")
        path = self.path.resolve()  # it may be a link to a file that is not there yet
        folder = path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".harness-", dir=folder) as elsewhere:
                draft = Path(elsewhere, "store.duckdb")
                with duckdb.connect(draft, config=CONFIG) as connection:
                    connection.execute(schema)
                    connection.execute(
                        "INSERT INTO meta VALUES ('schema_version', ?)", [str(SCHEMA_VERSION)]
                    )
                _give_name(draft, path)
        except (OSError, duckdb.Error) as error:
            raise StoreError(
                f"cannot make the store {self.path}: {reason(error)}\n"
                "  How to fix: name a file in a folder that you may write to"
            ) from error

    @contextlib.contextmanager
    def _opened(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        import duckdb

        connection = self._connect(read_only=read_only)
        try:
            # After two seconds it would draw on standard output, into what a program prints there for another.
            connection.execute("SET enable_progress_bar = false")
            if self._version(connection) < SCHEMA_VERSION:
                if read_only:
                    connection.close()
                    connection = self._connect(read_only=False)
                if (
                    self._version(connection) < SCHEMA_VERSION
                ):  # no other process has done it meanwhile
                    self._upgrade(connection)
            yield connection
        except duckdb.Error as error:
            verb = "read" if read_only else "write to"
            raise StoreError(f"cannot {verb} the store {self.path}: {error}") from error
        finally:
            connection.close()  # and with it any transaction that was not committed

    def _connect(self, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        """Connect, waiting a little longer each time while another process holds the file."""
        import duckdb

        give_up_s = wall.elapsed_s() + self.patience_wall_s
        pause_wall_s = _FIRST_PAUSE_WALL_S
        while True:
            try:
                return duckdb.connect(self.path, read_only=read_only, config=CONFIG)
            except duckdb.ConnectionException as error:
                raise StoreError(
                    f"the store {self.path} is open in this program, through a connection that is not harness's\n"
                    "  How to fix: close that connection first"
                ) from error
            except duckdb.Error as error:
                if not _is_locked(error):
                    raise StoreError(
                        f"cannot open the store {self.path}: {reason(error)}\n"
                        "  How to fix: name another file, or move this one away and let harness make a new one"
                    ) from error
                if wall.elapsed_s() >= give_up_s:
                    raise StoreError(
                        f"the store {self.path} is in use by {_holder(error)}, "
                        f"and still was after {self.patience_wall_s:g} s\n"
                        "  How to fix: close it there (a notebook, a dashboard, another run), or name another file"
                    ) from error
            wall.sleep(pause_wall_s)
            pause_wall_s = min(pause_wall_s * 1.5, _LONGEST_PAUSE_WALL_S)

    def _upgrade(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Bring a store of an earlier version up to this one, whole or not at all."""
        connection.begin()
        before = self._version(connection)
        for version, statements in _UPGRADES.items():
            for statement in statements if version > before else ():
                connection.execute(statement)
        connection.execute(
            "UPDATE meta SET value = ? WHERE key = 'schema_version'", [str(SCHEMA_VERSION)]
        )
        connection.commit()

    def _version(self, connection: duckdb.DuckDBPyConnection) -> int:
        """The version of the store's schema."""
        import duckdb

        try:
            found = connection.execute(
                "SELECT try_cast(value AS INTEGER) FROM meta WHERE key = 'schema_version'"
            ).fetchall()
        except (duckdb.CatalogException, duckdb.BinderException):
            found = []
        if len(found) != 1 or found[0][0] is None:
            raise StoreError(
                f"{self.path} is a DuckDB database, but not a store of harness\n  How to fix: name another file"
            )
        version = found[0][0]
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"the store {self.path} was written by a newer harness: it has schema version {version}, "
                f"and this harness knows versions up to {SCHEMA_VERSION}\n"
                "  How to fix: update harness (pip install -U multiagent-harness), or name another file"
            )
        return int(version)


def _has_surrogates(text: str) -> bool:
    """Whether a path holds bytes that are not UTF-8, as Python keeps them."""
    return any("\ud800" <= char <= "\udfff" for char in text)


def _next_run_ids(connection: duckdb.DuckDBPyConnection, count: int) -> list[int]:
    # Always `fetchall`: after `fetchone` the result stays open, and the connection does nothing else until it is closed.
    [(latest,)] = connection.execute("SELECT coalesce(max(run_id), 0) FROM runs").fetchall()
    return list(range(latest + 1, latest + 1 + count))


def _give_name(draft: Path, path: Path) -> None:
    """Give a new store its name, unless another process was faster."""
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    except OSError:
        # This file system has no hard links. Of two processes at this point at once, the faster may lose its runs.
        draft.rename(path)


def _is_locked(error: duckdb.Error) -> bool:
    # DuckDB has no type of its own for this; the second text is that of Windows.
    return "Could not set lock" in str(error) or "used by another process" in str(error)


def _holder(error: duckdb.Error) -> str:
    process = re.search(r"PID \d+", str(error))
    return f"another process ({process.group()})" if process else "another process"


def reason(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = str(error).partition("\n")[0].removeprefix("IO Error: ")
    # It takes a file of SQLite or Excel for what it is, and asks for the extension that could read it.
    if "valid DuckDB database" in text or text.startswith("Extension "):
        return "it is not a DuckDB database"
    return text

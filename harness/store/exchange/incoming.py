"""Import folders into a store, in one transaction."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from harness.errors import StoreError
from harness.store.database import SCHEMA_VERSION, Store
from harness.store.exchange.outgoing import export_runs
from harness.store.exchange.sent import SentFolder
from harness.store.exchange.tables import identifier, tables_of_runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came out of one folder."""

    folder: Path
    run_ids: list[int]
    """The ids that the runs were given, in the order of those that they had."""
    equal: list[int]
    """Runs that were in the store before and are equal to one of them, in scenario and seed."""


def import_runs(store: Store, folders: Sequence[str | os.PathLike[str]]) -> list[Imported]:
    """Import the runs of folders into a store, under its next ids.

    Args:
        store: The store; made if there is none.
        folders: What `export_runs` has written, by this harness or an older one.

    Returns:
        What came out of each folder.

    Raises:
        StoreError: A folder is not an export, is damaged, holds other tables than ours, or is of a newer harness; or the
            store cannot be written. Nothing is imported then.
        HarnessError: The format of a folder needs a package that is not installed.
    """
    with contextlib.ExitStack() as stack:
        sent = [_present(SentFolder.at(Path(folder)), stack) for folder in folders]
        connection = stack.enter_context(store.writing())
        found = [one.insert_into(connection) for one in sent]
        return [
            Imported(folder=Path(folder), run_ids=run_ids, equal=_equal(connection, run_ids))
            for folder, run_ids in zip(folders, found, strict=True)
        ]


def _present(sent: SentFolder, stack: contextlib.ExitStack) -> SentFolder:
    """A folder at the present version of the schema: itself, or one that is made of it and lasts as long as the stack."""
    if sent.manifest.schema_version == SCHEMA_VERSION:
        sent.check_columns(tables_of_runs())
        return sent
    scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="harness-")))
    store = Store(scratch / "old.duckdb")
    run_ids = _insert_into_old(store.path, sent)
    try:
        export_runs(store, run_ids, "parquet", scratch / "export")  # opening a store brings it up
    except StoreError as error:
        version = sent.manifest.schema_version
        raise sent.damaged(
            f"it is no whole export of schema version {version}, and cannot be brought up to {SCHEMA_VERSION}"
        ) from error
    return SentFolder.at(scratch / "export")


def _insert_into_old(path: Path, sent: SentFolder) -> list[int]:
    """Make a store of an earlier version, with the tables of a folder and without views.

    Returns:
        The ids of its runs.
    """
    ours, columns = tables_of_runs(), sent.columns()
    known = {
        table: {name: kind for name, kind in ours[table].items() if name in columns[table]}
        for table in columns
    }
    sent.check_columns(known)  # earlier versions had fewer columns, and none that is unknown now
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL)")
        version = str(sent.manifest.schema_version)
        connection.execute("INSERT INTO meta VALUES ('schema_version', ?)", [version])
        for table, kinds in known.items():
            cells = ", ".join(f"{identifier(name)} {kind}" for name, kind in kinds.items())
            connection.execute(f"CREATE TABLE {identifier(table)} ({cells})")
        return sent.insert_into(connection)


def _equal(connection: duckdb.DuckDBPyConnection, run_ids: Sequence[int]) -> list[int]:
    """The runs that were there before some new ones, and are equal to one of them."""
    found = connection.execute(
        "SELECT DISTINCT old.run_id FROM runs AS old JOIN runs AS new USING (scenario_hash, seed) "
        "WHERE new.run_id BETWEEN $first AND $last AND old.run_id < $first ORDER BY old.run_id",
        {"first": run_ids[0], "last": run_ids[-1]},
    ).fetchall()
    return [run_id for (run_id,) in found]

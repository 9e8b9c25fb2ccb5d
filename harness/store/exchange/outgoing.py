"""Export from a store to a folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb

from harness.errors import StoreError
from harness.store.asking import check_runs
from harness.store.database import Store
from harness.store.exchange.formats import FORMATS
from harness.store.exchange.manifest import FormatName, Part, checksum, write_manifest
from harness.store.exchange.tables import identifier, tables_of_runs


def export_runs(
    store: Store, run_ids: Sequence[int], format_name: FormatName, folder: str | os.PathLike[str]
) -> dict[str, int]:
    """Export some runs with all their data into a new folder, whole or not at all.

    The same runs always give the same bytes.

    Args:
        store: Where the runs are.
        run_ids: The runs, of which all must exist.
        format_name: One of `FORMATS`.
        folder: The folder, which must not exist, or be empty.

    Returns:
        By table, how many rows were written.

    Raises:
        StoreError: The folder holds something or cannot be written; the store cannot be read.
        HarnessError: The format needs a package that is not installed.
    """
    target = Path(folder).absolute()
    try:
        _check_free(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".harness-", dir=target.parent) as elsewhere:
            draft = Path(elsewhere, "export")  # the folder around it is closed to others
            draft.mkdir()
            with store.reading() as connection:
                check_runs(store, connection, run_ids)
                rows = _write(connection, run_ids, format_name, draft)
            draft.replace(target)
    except OSError as error:
        raise StoreError(
            f"cannot write the export {target}: {error.strerror or error}\n"
            "  How to fix: name a new folder in one that you may write to"
        ) from error
    return rows


def _check_free(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise StoreError(
            f"{target} already exists, and is not overwritten\n"
            "  How to fix: name a new folder with -o, or remove this one"
        )


def _write(
    connection: duckdb.DuckDBPyConnection,
    run_ids: Sequence[int],
    format_name: FormatName,
    folder: Path,
) -> dict[str, int]:
    parts = {}
    for table, columns in tables_of_runs().items():
        path = folder / f"{table}.{format_name}"
        FORMATS[format_name].write(connection, table, columns, run_ids, path)
        count = (
            f"SELECT count(*) FROM {identifier(table)} "  # noqa: S608 - of our own words
            "WHERE run_id IN (SELECT unnest(?::INTEGER[]))"
        )
        [(rows,)] = connection.execute(count, [list(run_ids)]).fetchall()
        parts[table] = Part(rows=rows, sha256=checksum(path))
    write_manifest(folder, format_name, parts)
    return {table: part.rows for table, part in parts.items()}

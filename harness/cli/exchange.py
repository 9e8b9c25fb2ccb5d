"""`harness export` and `harness import`: runs as a folder, from one store to another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from harness.cli.exit_codes import EXIT_PASS
from harness.cli.run_ids import RUNS, id_ranges, run_ids
from harness.errors import HarnessError
from harness.printable import printable
from harness.store import Store, queries
from harness.store.exchange import export_runs, import_runs


def export_stored(
    words: Sequence[str],
    *,
    format_name: Literal["parquet", "csv", "arrow"],
    folder: Path,
    store: Path,
) -> int:
    """Export stored runs into a folder, and print a summary.

    Args:
        words: The runs, as `12`, `1-8` or `1-8,11`; none means all.
        format_name: The format of its files.
        folder: The folder.
        store: Where the runs are.

    Returns:
        The exit code.

    Raises:
        HarnessError: There are no such runs, the folder cannot be written, or a package is missing.
    """
    kept = Store(store)
    wanted = _wanted(words, kept)
    rows = export_runs(kept, wanted, format_name, folder)
    click.echo(
        printable(
            f"exported {_runs(wanted)} with {rows['spans']:,} spans to {folder}; "
            f"take them in elsewhere with: harness import {folder}"
        )
    )
    return EXIT_PASS


def import_folders(folders: Sequence[Path], *, store: Path) -> int:
    """Import the runs of folders into a store, all or none, and print their new ids.

    Raises:
        HarnessError: A folder is not an export, or is damaged; the store cannot be written; a package is missing.
    """
    for found in import_runs(Store(store), folders):
        told = f"imported {len(found.run_ids):,} from {found.folder} as {_runs(found.run_ids)} of {store}"
        click.echo(printable(told))
        if found.equal:
            told = f"note: equal runs, of the same scenario and seed, were there already: {_runs(found.equal)}"
            click.echo(printable(told))
    return EXIT_PASS


def _wanted(words: Sequence[str], store: Store) -> list[int]:
    there = [row["run_id"] for row in queries.runs(store)]
    if not there:
        raise HarnessError(
            f"the store {store.path} holds no runs, so there is nothing to export\n"
            "  How to fix: write some with `harness simulate FILE --store ...`, or name another store"
        )
    if not words:
        return there
    wanted: set[int] = set()
    for word in words:
        if not RUNS.fullmatch(word):
            raise HarnessError(
                f"{word}: this is neither a run nor a range of runs\n  How to fix: name a run, such as 12, or runs, such as 1-8,11"
            )
        wanted |= run_ids(word, dict.fromkeys(there), f"run {word}", store)
    return sorted(wanted)


def _runs(ids: Sequence[int]) -> str:
    return f"{'run' if len(ids) == 1 else 'runs'} {id_ranges(ids)}"

"""The run that a command is about: the one that is named, or the newest of the store."""

from __future__ import annotations

from pathlib import Path

from harness.errors import StoreError
from harness.store import Store, queries


def newest_unless_named(store: Store, run_id: int | None, path: Path) -> int:
    """The named run, or the newest one.

    Args:
        store: Where it is looked for.
        run_id: The run that is named; None if none is.
        path: The store's file, as the user calls it.

    Raises:
        StoreError: None is named, and the store has none.
    """
    found = queries.latest_run_id(store) if run_id is None else run_id
    if found is None:
        raise StoreError(f"no runs in {path}")
    return found

"""Shards: runs that workers leave as folders of Parquet files, which the driver imports into the store.

A shard is written under a temporary name and renamed, so that one with its real name is whole. Its name says what is in
it, so that the same work done twice is the same shard.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from harness.errors import StoreError
from harness.store import RunBatch, Store
from harness.store.database import reason

_SUFFIX: Final = ".runs"
_IMPORTED_AT_ONCE: Final = 64


def shard_name(scenario_hash: str, seeds: Sequence[int]) -> str:
    """What the shard of some runs is called."""
    if list(seeds) == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"{scenario_hash}-{seeds[0]}-{seeds[-1]}{_SUFFIX}"
    return f"{scenario_hash}-{'_'.join(map(str, seeds))}{_SUFFIX}"


def write_shard(folder: Path, scenario_hash: str, seeds: Sequence[int], batch: RunBatch) -> Path:
    """Write runs of one scenario to a shard; one that is there already is left as it is.

    Args:
        folder: Where shards are.
        scenario_hash: Of the scenario.
        seeds: The seed of each run.
        batch: The runs.

    Returns:
        Its folder.

    Raises:
        StoreError: It cannot be written.
    """
    shard = folder / shard_name(scenario_hash, seeds)
    if shard.exists():
        return shard
    try:
        _write(folder, shard, batch)
    except OSError as error:
        raise StoreError(
            f"cannot write runs to the folder {folder}: {reason(error)}\n"
            "  How to fix: name a folder with --shards that all workers may write to"
        ) from error
    return shard


def _write(folder: Path, shard: Path, batch: RunBatch) -> None:
    from harness.store.exchange import export_runs

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".shard-", dir=folder) as draft:
        store = Store(Path(draft, "runs.duckdb"))
        written = Path(draft, "runs")
        export_runs(store, store.write_batches([batch]), "parquet", written)
        try:
            written.replace(shard)
        except OSError:
            if not shard.exists():  # another worker was faster, with the same work
                raise


def import_shards(folder: Path, store: Store, scenario_hashes: Iterable[str]) -> int:
    """Bring the shards of some scenarios into a store, and remove them.

    Returns:
        How many there were.
    """
    if not folder.is_dir():
        return 0
    wanted = set(scenario_hashes)
    shards = sorted(
        shard for shard in folder.glob(f"*{_SUFFIX}") if shard.name.partition("-")[0] in wanted
    )
    if not shards:
        return 0
    from harness.store.exchange import import_runs

    for start in range(0, len(shards), _IMPORTED_AT_ONCE):
        some = shards[start : start + _IMPORTED_AT_ONCE]
        import_runs(store, some)
        for shard in some:
            shutil.rmtree(shard)
    return len(shards)

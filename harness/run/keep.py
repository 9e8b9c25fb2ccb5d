"""Write runs to a store."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from harness import wall
from harness.run.undisturbed import undisturbed
from harness.store import RunBatch, RunRecord, Store, batch_of

_SPANS_A_WRITE = 200_000
"""Runs are written together until they hold so many spans: a transaction has its price, and memory too."""

_PATIENCE_WALL_S = 5.0
"""A run waits no longer than this for others, so that little is lost when this process is killed [real s]."""


class Keeping:
    """Writes runs as they come in, whole ones only; what waits is written at the end of the block, also after an error.

    Args:
        store: Where to.
    """

    def __init__(self, store: Store) -> None:
        self.run_ids: list[int] = []
        """The numbers of the runs in the store, in the order in which they came."""
        self._store = store
        self._waiting: list[RunBatch] = []
        self._spans_waiting = 0
        self._written_s = wall.elapsed_s()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Write what waits."""
        if self._waiting:
            self._write()

    def add(self, run: RunRecord) -> None:
        """Take a run."""
        self.add_batch(batch_of(run))

    def add_batch(self, batch: RunBatch) -> None:
        """Take runs that are in columns."""
        self._waiting.append(batch)
        self._spans_waiting += batch.spans
        many = self._spans_waiting >= _SPANS_A_WRITE
        if many or wall.elapsed_s() - self._written_s >= _PATIENCE_WALL_S:
            self._write()

    def _write(self) -> None:
        self._written_s = wall.elapsed_s()
        self._spans_waiting = 0
        self.run_ids += write(self._store, self._waiting)


def write(store: Store, waiting: list[RunBatch]) -> list[int]:
    """Write runs, and take them off the list of those that wait."""
    with undisturbed():  # DuckDB would make an error of an interruption, and the runs be lost
        run_ids = store.write_batches(waiting)
        waiting.clear()
    return run_ids

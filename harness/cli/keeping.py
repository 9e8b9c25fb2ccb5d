"""Runs on their way into the store: together, whole ones only, and those that are done even if the rest never comes."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from harness.run.undisturbed import undisturbed
from harness.store import RunRecord, Store

_SPANS_A_WRITE = 200_000
"""Runs are written together until they hold so many spans: a transaction has its price, and memory too."""


class Keeping:
    """Writes runs to a store; what waits is written at the end of the block, also after an error.

    Args:
        store: Where to. It is opened at once, so that it tells now, and not after the work, when it cannot be written.
    """

    def __init__(self, store: Store) -> None:
        self.run_ids: list[int] = []
        """The runs that are written, in the order in which they came."""
        self._store = store
        self._waiting: list[RunRecord] = []
        self._write()

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
        self._waiting.append(run)
        if sum(len(one.spans) for one in self._waiting) >= _SPANS_A_WRITE:
            self._write()

    def _write(self) -> None:
        with undisturbed():  # DuckDB would make an error of an interruption, and the runs be lost
            self.run_ids += self._store.write(self._waiting)
            self._waiting.clear()

"""Check the version before a write, and try again if another writer was faster.

Kung and Robinson, "On optimistic methods for concurrency control", ACM TODS 6 (2), 1981.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from harness.spans import Span, SpanLog
from harness.state.api import Change, Fold, Reading, StateConflict, joined
from harness.state.record import Record
from harness.state.values import Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimistic:
    """A write is refused if the value has changed since the writer read it; the writer then reads and thinks again."""

    retries: Annotated[int, Ge(0)] = 3
    """How often an update is tried again after a conflict; then it fails."""

    def open(
        self, log: SpanLog | None = None, span: Span | None = None, fold: Fold = joined
    ) -> OptimisticState:
        """Begin with empty state; see `Discipline.open`."""
        return OptimisticState(self.retries, Record(log, span), fold)


class OptimisticState:
    """Shared state that checks versions.

    Args:
        retries: How often an update is tried again.
        record: Where reads, writes and conflicts are recorded.
        fold: How a contribution changes a value.
    """

    def __init__(self, retries: int, record: Record, fold: Fold) -> None:
        self._retries = retries
        self._values = Values(record, fold)

    def read(self, key: str, reader: str) -> Reading:
        """The value of a key now."""
        return self._values.read(key, reader)

    async def update(self, key: str, writer: str, change: Change) -> Reading:
        """Read, think, and write if the value is still the one that was read; otherwise try again.

        Raises:
            StateConflict: Others were faster each time.
        """
        values = self._values
        for _ in range(1 + self._retries):
            read = values.read(key, writer)
            contribution = await change(read.value)
            version = values.version(key)
            if version == read.version:
                return values.write(read, writer, contribution)
            values.record.conflict(key, writer, version, based_on=read.version)
        raise StateConflict(
            f"{writer} could not write {key!r}: others were faster {1 + self._retries} times"
        )

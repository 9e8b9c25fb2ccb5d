"""No check: a write overwrites whatever is there. Updates that overlap are lost."""

from __future__ import annotations

from dataclasses import dataclass

from harness.spans import Span, SpanLog
from harness.state.api import Change, Fold, Reading, joined
from harness.state.record import Record
from harness.state.values import Values


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWriterWins:
    """The last write wins; what others wrote since the writer read is lost."""

    def open(
        self, log: SpanLog | None = None, span: Span | None = None, fold: Fold = joined
    ) -> LastWriterWinsState:
        """Begin with empty state; see `Discipline.open`."""
        return LastWriterWinsState(Record(log, span), fold)


class LastWriterWinsState:
    """Shared state without any check.

    Args:
        record: Where reads and writes are recorded.
        fold: How a contribution changes a value.
    """

    def __init__(self, record: Record, fold: Fold) -> None:
        self._values = Values(record, fold)

    def read(self, key: str, reader: str) -> Reading:
        """The value of a key now."""
        return self._values.read(key, reader)

    async def update(self, key: str, writer: str, change: Change) -> Reading:
        """Read, think, and overwrite."""
        read = self._values.read(key, writer)
        return self._values.write(read, writer, await change(read.value))

"""Hold a lock from the read to the write. Nothing is lost; everybody else waits while one agent thinks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from harness.spans import Span, SpanLog
from harness.state.api import Change, Fold, LockTimeout, Reading, joined
from harness.state.record import Record
from harness.state.values import Values
from harness.units import PositiveSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Pessimistic:
    """A writer locks the value before it reads, and holds the lock while it thinks; others wait in order."""

    timeout_s: PositiveSeconds | None = None
    """Longest wait for the lock [s]; then the update fails. Absent means that it waits for ever."""

    def open(
        self, log: SpanLog | None = None, span: Span | None = None, fold: Fold = joined
    ) -> PessimisticState:
        """Begin with empty state; see `Discipline.open`."""
        return PessimisticState(self.timeout_s, Record(log, span), fold)


class PessimisticState:
    """Shared state with a lock for each key.

    Args:
        timeout_s: Longest wait for a lock [s]; None for no bound.
        record: Where reads, writes and waits are recorded.
        fold: How a contribution changes a value.
    """

    def __init__(self, timeout_s: float | None, record: Record, fold: Fold) -> None:
        self._timeout_s = timeout_s
        self._record = record
        self._values = Values(record, fold)
        self._locks: dict[str, asyncio.Lock] = {}

    def read(self, key: str, reader: str) -> Reading:
        """The value of a key now; a read does not wait for the lock."""
        return self._values.read(key, reader)

    async def update(self, key: str, writer: str, change: Change) -> Reading:
        """Lock, read, think, write.

        Raises:
            LockTimeout: The lock was not free in time.
        """
        async with self._locked(key, writer):
            read = self._values.read(key, writer)
            return self._values.write(read, writer, await change(read.value))

    @asynccontextmanager
    async def _locked(self, key: str, writer: str) -> AsyncIterator[None]:
        lock = self._locks.setdefault(key, asyncio.Lock())
        if lock.locked():
            with self._record.waiting(writer):
                await self._acquire(lock, key, writer)
        else:
            await lock.acquire()
        try:
            yield
        finally:
            lock.release()

    async def _acquire(self, lock: asyncio.Lock, key: str, writer: str) -> None:
        timeout = asyncio.timeout(self._timeout_s)
        try:
            async with timeout:
                await lock.acquire()
        except TimeoutError:
            if not timeout.expired():
                raise
            raise LockTimeout(
                f"{writer} waited {self._timeout_s:g} s for the lock of {key!r}"
            ) from None

"""Append every contribution, and work out the value from all of them. Nothing is overwritten, so nothing is lost.

Fowler, "Event sourcing", 2005.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from harness.spans import Span, SpanLog
from harness.state.api import Change, Fold, Reading, joined
from harness.state.record import Record


class StateEvent(NamedTuple):
    """One contribution, in the order in which they were appended."""

    event_id: int
    """1 for the first; the version of the key after it."""
    key: str
    writer: str
    contribution: str
    based_on: int
    """The version of the key that the writer was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSourced:
    """Contributions are appended; the value is what follows from all of them in order."""

    def open(
        self, log: SpanLog | None = None, span: Span | None = None, fold: Fold = joined
    ) -> EventSourcedState:
        """Begin without events; see `Discipline.open`."""
        return EventSourcedState(Record(log, span), fold)


class EventSourcedState:
    """Shared state that is a list of events.

    Args:
        record: Where reads and writes are recorded.
        fold: How a contribution changes a value.
    """

    def __init__(self, record: Record, fold: Fold) -> None:
        self._record = record
        self._fold = fold
        self._events: list[StateEvent] = []
        self._now: dict[str, Reading] = {}

    @property
    def events(self) -> Sequence[StateEvent]:
        """All events so far, in order."""
        return tuple(self._events)

    def read(self, key: str, reader: str) -> Reading:
        """The value of a key now."""
        read = self._now.get(key, Reading(key, "", 0))
        self._record.read(key, reader, read.version)
        return read

    async def update(self, key: str, writer: str, change: Change) -> Reading:
        """Read, think, and append the contribution."""
        read = self.read(key, writer)
        return self.append(key, writer, await change(read.value), based_on=read.version)

    def append(self, key: str, writer: str, contribution: str, *, based_on: int) -> Reading:
        """Add an event.

        Args:
            key: The value that it changes.
            writer: Who says so.
            contribution: What is added.
            based_on: The version of the key that the writer knew.
        """
        event = StateEvent(len(self._events) + 1, key, writer, contribution, based_on)
        self._events.append(event)
        before = self._now.get(key, Reading(key, "", 0))
        now = Reading(key, self._fold(before.value, contribution), event.event_id)
        self._now[key] = now
        stale = based_on != before.version
        self._record.write(key, writer, now.version, based_on=based_on, stale=stale)
        return now

    def as_of(self, event_id: int) -> dict[str, str]:
        """Replay the events up to one of them, which is included; 0 is the empty state.

        Raises:
            ValueError: There is no such event.
        """
        if not 0 <= event_id <= len(self._events):
            raise ValueError(f"there is no event {event_id}; the last one is {len(self._events)}")
        state: dict[str, str] = {}
        for event in self._events[:event_id]:
            state[event.key] = self._fold(state.get(event.key, ""), event.contribution)
        return state

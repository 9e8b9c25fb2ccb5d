"""Reads, writes and conflicts of shared state as events, and waits for its locks as spans."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from harness.spans import (
    CANCELLED,
    OK,
    STATE_CONFLICT,
    STATE_READ,
    STATE_WRITE,
    WAIT,
    Span,
    SpanLog,
)

LOCK = "state_lock"
"""Name of the `wait` span of an agent that waits for a lock."""


class Record:
    """Where one shared state records what happens to it.

    Args:
        log: Where events and spans go; None records nothing.
        span: What they belong to.
    """

    def __init__(self, log: SpanLog | None, span: Span | None) -> None:
        assert (log is None) == (span is None), "a log needs a span that its events belong to"
        self._log = log
        self._span = span

    def read(self, key: str, reader: str, version: int) -> None:
        """Note that an agent has read a value."""
        self._event(STATE_READ, reader, key=key, version=version)

    def write(
        self, key: str, writer: str, version: int, *, based_on: int, stale: bool, lost: int = 0
    ) -> None:
        """Note that a write took effect.

        Args:
            key: The value that was written.
            writer: Name of the agent.
            version: Its new version.
            based_on: The version that the agent was told.
            stale: Whether the value had changed since.
            lost: How many updates of others were in the value, and are in it no more.
        """
        self._event(
            STATE_WRITE, writer, key=key, version=version, based_on=based_on, stale=stale, lost=lost
        )

    def conflict(self, key: str, writer: str, version: int, *, based_on: int) -> None:
        """Note that a write was refused, because the value had changed since the agent was told it."""
        self._event(STATE_CONFLICT, writer, key=key, version=version, based_on=based_on)

    def _event(self, name: str, agent: str, **detail: str | int) -> None:
        if self._log is not None and self._span is not None:
            self._log.event(name, self._span, json.dumps(detail), agent)

    @contextmanager
    def waiting(self, agent: str) -> Iterator[None]:
        """While inside, an agent waits for a lock."""
        if self._log is None or self._span is None:
            yield
            return
        span = self._log.open(WAIT, LOCK, self._span, agent)
        status = CANCELLED
        try:
            yield
            status = OK
        finally:
            self._log.close(span, status)

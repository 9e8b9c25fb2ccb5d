"""What shared state is: values by key that several agents of a task read and update.

An update takes time: an agent is told the value, thinks, and gives its contribution. What happens to updates that overlap is
the discipline's business; the code that updates does not depend on which one it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from harness.spans import Span, SpanLog


class Reading(NamedTuple):
    """The value of a key at one moment."""

    key: str
    value: str
    """Empty when it was never written."""
    version: int
    """Grows with each write of the key; 0 when it was never written."""


Change = Callable[[str], Awaitable[str]]
"""What an agent does with a value: reads it, thinks, and gives its contribution. It may be called more than once."""

Fold = Callable[[str, str], str]
"""The value that follows from the value before and a contribution."""


def replaced(_before: str, contribution: str) -> str:
    """A fold: the contribution is the new value."""
    return contribution


def joined(before: str, contribution: str) -> str:
    """A fold: the contribution is one more paragraph."""
    return f"{before}\n\n{contribution}" if before else contribution


class SharedState(Protocol):
    """State that agents share; plain asyncio."""

    def read(self, key: str, reader: str) -> Reading:
        """The value of a key now.

        Args:
            key: Which value.
            reader: Name of the agent that reads.
        """

    async def update(self, key: str, writer: str, change: Change) -> Reading:
        """Read a value, let an agent think about it, and write what follows.

        Args:
            key: Which value.
            writer: Name of the agent that updates.
            change: Told the value; gives the contribution.

        Returns:
            The value after the update.

        Raises:
            StateError: The discipline gave the update up.
        """


class Discipline(Protocol):
    """How overlapping updates are treated; a scenario file names one."""

    def open(
        self, log: SpanLog | None = None, span: Span | None = None, fold: Fold = joined
    ) -> SharedState:
        """Begin with empty state.

        Args:
            log: Where reads and writes are recorded; None records nothing.
            span: What they belong to, such as the span of a task.
            fold: How a contribution changes a value.
        """


class StateError(Exception):
    """An update of shared state that was given up; a simulated error, recorded as the task's."""


class StateConflict(StateError):  # noqa: N818 - names the condition
    """Others were faster each time that an optimistic update was tried."""


class LockTimeout(StateError):  # noqa: N818 - names the condition
    """The lock of a value was not free in time."""

"""The call that a policy wraps, and the errors that a policy raises itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from harness.models import ModelError, Reply, Request

Call = Callable[[Request], Awaitable[Reply]]
"""Answers a request, or raises one of `CALL_ERRORS`. A policy takes a call and gives a call."""

Note = Callable[[str], None]
"""Told what a policy does, such as `hedged`; in a run it writes an event of that name."""


def silent(what: str) -> None:
    """A `Note` that writes nothing."""


class PolicyError(ModelError):
    """A simulated error that a policy raises without asking the API: no answer, and no retry can help at once.

    Args:
        error: The error type, such as `circuit_open`.
        status: Always None.
        message: Why the call was not made, or its reply not taken.
        retry_after_s: Always None.
    """

    def __init__(
        self,
        error: str,
        status: int | None = None,
        message: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(error, status, message, retry_after_s)

    @property
    def is_retryable(self) -> bool:
        """Never."""
        return False


class Meaning(Protocol):
    """The claims of an agent's replies, which are kept and given back with them."""

    def recorded(self, request: Request) -> object:
        """The claims of the reply to a request; None if there is nothing to keep."""

    def restore(self, request: Request, reply: Reply, recorded: object) -> None:
        """Note a reply that was given back, with its claims as they were recorded."""

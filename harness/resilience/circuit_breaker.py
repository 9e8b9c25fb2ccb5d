"""Circuit breaker: after several failures in a row, calls are refused at once for a while (Nygard, "Release It!", 2007).

closed --failures in a row--> open --open_s, and the next call--> half-open --probes that succeed--> closed
^------------------ a probe that fails ------------|
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from harness.models import ModelError, Reply, Request
from harness.models.api import is_retryable_status
from harness.resilience.api import Call, Note, PolicyError, silent
from harness.spans import CIRCUIT_HALF_OPENED, CIRCUIT_OPENED, SpanLog
from harness.units import Count, PositiveSeconds

T = TypeVar("T")

State = Literal["closed", "open", "half_open"]

CLOSED = "circuit_closed"
REFUSED = "circuit_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitBreaker:
    """When calls are refused without being made.

    What a retry could help counts as a failure: timeouts, broken connections, 408, 409, 429 and everything from 500 up.
    """

    failures: Count = 5
    """Failures in a row that open it."""
    open_s: PositiveSeconds = 30.0
    """How long it stays open [s]; the next call after that is a probe."""
    probes: Count = 1
    """Probes that must succeed before it closes, and the most that are in flight at once."""
    shared: str | None = None
    """Agents with the same name here share one breaker; absent means one of its own for each agent."""


class CircuitOpen(PolicyError):  # noqa: N818 - names the condition
    """The circuit breaker is open, so the call was not made."""


def counts_as_failure(error: Exception) -> bool:
    """Whether an error says that the other side is in trouble, and not that the request is wrong.

    Errors of SDKs and HTTP clients are told by their `status_code`.
    """
    if isinstance(error, ModelError):
        return error.is_retryable
    status = getattr(error, "status_code", None)
    return is_retryable_status(status if isinstance(status, int) else None)


class Breaker:
    """The state of a circuit breaker; for use by hand on any event loop.

    Args:
        stated: Its parameters.
        counts: Whether an error counts as a failure.
    """

    def __init__(
        self,
        stated: CircuitBreaker,
        counts: Callable[[Exception], bool] = counts_as_failure,
    ) -> None:
        self.state: State = "closed"
        self._stated = stated
        self._counts = counts
        self._in_a_row = 0
        self._opened_s = 0.0
        self._probing = 0
        self._probes_done = 0
        self._epoch = 0
        """Changes with the state, so that a call that began before does not count."""

    async def call(self, ask: Callable[[], Awaitable[T]], note: Note = silent) -> T:
        """Make a call, unless the breaker is open.

        Args:
            ask: Makes the call.
            note: Told when the state changes, and when a call is refused.

        Raises:
            CircuitOpen: The call was not made.
        """
        epoch = self._admit(note)
        try:
            result = await ask()
        except asyncio.CancelledError:
            self._leave(epoch)
            raise
        except Exception as error:
            self._leave(epoch)
            if self._counts(error):
                self._failed(epoch, note)
            else:
                self._succeeded(epoch, note)
            raise
        self._leave(epoch)
        self._succeeded(epoch, note)
        return result

    def _admit(self, note: Note) -> int:
        if self.state == "closed":
            return self._epoch
        now_s = asyncio.get_running_loop().time()
        if self.state == "open" and now_s >= self._opened_s + self._stated.open_s:
            self._become("half_open")
            note(CIRCUIT_HALF_OPENED)
        if self.state == "half_open":
            if self._probing + self._probes_done >= self._stated.probes:
                self._refuse(note)
            self._probing += 1
        elif self.state == "open":
            self._refuse(note)
        return self._epoch

    def _refuse(self, note: Note) -> None:
        note(REFUSED)
        raise CircuitOpen("circuit_open", message="the circuit breaker is open")

    def _leave(self, epoch: int) -> None:
        if epoch == self._epoch and self.state == "half_open":
            self._probing -= 1

    def _failed(self, epoch: int, note: Note) -> None:
        if epoch != self._epoch:
            return
        self._in_a_row += 1
        if self.state == "half_open" or self._in_a_row >= self._stated.failures:
            self._become("open")
            self._opened_s = asyncio.get_running_loop().time()
            note(CIRCUIT_OPENED)

    def _succeeded(self, epoch: int, note: Note) -> None:
        if epoch != self._epoch:
            return
        self._in_a_row = 0
        if self.state == "half_open":
            self._probes_done += 1
            if self._probes_done >= self._stated.probes:
                self._become("closed")
                note(CLOSED)

    def _become(self, state: State) -> None:
        self.state = state
        self._epoch += 1
        self._in_a_row = self._probing = self._probes_done = 0


def with_breaker(call: Call, breaker: Breaker | None, name: str, log: SpanLog) -> Call:
    """Refuse calls while a circuit breaker is open.

    Args:
        call: What is called; around one attempt, each attempt counts.
        breaker: The breaker; None leaves the call as it is.
        name: Its name in events.
        log: Where its changes are noted.
    """
    if breaker is None:
        return call

    async def call_with_breaker(request: Request) -> Reply:
        return await breaker.call(
            lambda: call(request), lambda what: log.event(what, request.call_span, name)
        )

    return call_with_breaker

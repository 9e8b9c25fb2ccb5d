"""A suspension: one task that waits for a time or an event of the kernel.

It stands where asyncio would put a future, a timer handle and the handle of a call back into the task. Those are three
objects and two turns of the loop; a suspension is one object and one turn, and waiting is what a simulation does most.
A task may await it once, and it may be cancelled like a future.

A task that gets something like a future from an `await` speaks to it through `_asyncio_future_blocking`,
`add_done_callback`, `result`, `cancel` and `get_loop` (CPython, Modules/_asynciomodule.c, task_step_handle_result_impl).
A loop that finds a handle in its queue reads `_cancelled`, `_context`, `_callback` and `_args` (asyncio/events.py).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Generator
from contextvars import Context
from typing import Any, Protocol

import simpy

from harness.kernel.kernel import Kernel
from harness.kernel.sim_thread import Waiter


class WakingLoop(Protocol):
    """What a suspension needs of its loop."""

    kernel: Kernel
    waiter: Waiter
    """With which the loop parks."""
    _ready: deque[Any]

    def forget_timer(self) -> None:
        """A timer in the heap was cancelled."""


class Suspension:
    """Created when a task begins to wait; ended by the kernel, by its time, or by cancellation, whichever is first."""

    __slots__ = (
        "_args",
        "_asyncio_future_blocking",
        "_callback",
        "_context",
        "_ended",
        "_loop",
        "_message",
        "_scheduled",
        "_value",
    )

    _cancelled = False
    """Of a handle: "do not run me". A suspension always runs; a cancelled one to tell its task."""

    def __init__(self, loop: WakingLoop) -> None:
        self._loop = loop
        # None says to `asyncio.isfuture` that this is none, so that `gather` and `wait_for` wrap it into a task.
        self._asyncio_future_blocking: bool | None = None
        self._scheduled = False
        self._ended = False
        self._value: Any = None
        self._message: tuple[object, ...] | None = None
        self._callback: Callable[..., object] | None = None
        self._args: tuple[Suspension] | None = None

    # -- as the kernel sees it ----------------------------------------------------------------------------------

    def happened(self, event: simpy.Event) -> None:
        """The callback for the event that the task waits for."""
        if not event._ok:  # noqa: SLF001 - `ok` is a property, and this runs for every call
            # Also when the task no longer waits: SimPy would raise inside the loop.
            event.defused = True
        if not self._ended:
            self._ended = True
            self._value = event._value  # noqa: SLF001 - see above
            self._wake()

    def end(self, value: object = None) -> None:
        """End the wait now, also before its time; nothing happens if it is over.

        Args:
            value: What the `await` gives. None is what it gives when its time came.
        """
        if not self._ended:
            self._ended = True
            self._value = value
            self._stop()

    # -- as a task sees it --------------------------------------------------------------------------------------

    def __await__(self) -> Generator[Suspension, None, Any]:
        self._asyncio_future_blocking = True
        yield self
        return self._value

    def add_done_callback(self, callback: Callable[..., object], *, context: Context) -> None:
        """Remember how the task is woken."""
        self._callback = callback
        self._context = context
        if self._ended:
            self._wake()

    def result(self) -> Any:  # noqa: ANN401 - whatever the event carries
        """The value of the event.

        Raises:
            CancelledError: The wait was cancelled.
        """
        self._args = None  # it held this very object
        if self._message is not None:
            raise asyncio.CancelledError(*self._message)
        return self._value

    def cancel(self, msg: object = None) -> bool:
        """End the wait; the task gets a CancelledError."""
        if self._ended:
            return False
        self._ended = True
        self._message = () if msg is None else (msg,)
        self._stop()
        return True

    def get_loop(self) -> WakingLoop:
        """The loop of the task."""
        return self._loop

    # -- as the loop sees it ------------------------------------------------------------------------------------

    def due(self, ready: deque[object]) -> None:
        """Go from the heap into the queue."""
        self._scheduled = False
        self._ended = True
        if self._callback is not None:
            self._args = (self,)
            ready.append(self)

    def _stop(self) -> None:
        if self._scheduled:
            self._scheduled = False
            self._loop.forget_timer()
        self._wake()

    def _wake(self) -> None:
        waiter = self._loop.waiter
        waiter.woken = True
        if waiter.queued:
            self._loop.kernel.wake(waiter)
        if self._callback is not None:
            self._args = (self,)
            self._loop._ready.append(self)  # noqa: SLF001 - as asyncio.Future calls call_soon

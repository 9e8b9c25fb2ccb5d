"""Callbacks and timers in a loop's queue: asyncio's own handles without the parts for its debug mode.

They leave out what asyncio keeps for its debug mode. Most of what waits is neither of them but a `Suspension`.
The two constructors say the same: a call from one to the other would cost as much as what they leave out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Protocol


class TimingLoop(Protocol):
    """What a timer needs of its loop."""

    def forget_timer(self) -> None:
        """A timer in the heap was cancelled."""

    def time(self) -> float:
        """Virtual time [s]."""


class Handle(asyncio.Handle):
    """A callback that is ready; asyncio's own, made without its bookkeeping for debug mode."""

    __slots__ = ()

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[object, ...],
        loop: TimingLoop,
        context: Context | None,
    ) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None


class Timer(asyncio.TimerHandle):
    """A callback at a time; ordered by its place in the heap and never by itself."""

    __slots__ = ()

    def __init__(
        self,
        when_s: float,
        callback: Callable[..., object],
        args: tuple[object, ...],
        loop: TimingLoop,
        context: Context | None,
    ) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None
        self._when = when_s
        self._scheduled = True

    def cancel(self) -> None:
        """Forget the callback; the heap forgets the timer later."""
        if not self._cancelled:
            self._cancelled = True
            if self._scheduled:
                self._scheduled = False
                self._loop.forget_timer()
            self._callback = None  # type: ignore[assignment]  # as asyncio.Handle does, so that nothing is kept alive
            self._args = None  # type: ignore[assignment]

    def due(self, ready: deque[object]) -> None:
        """Go from the heap into the queue."""
        self._scheduled = False
        ready.append(self)

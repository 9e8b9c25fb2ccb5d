"""A bound on the time of a block, on any event loop: what `asyncio.timeout` does, for code that every call goes through.

`asyncio.timeout` needs two coroutines and asks for the running loop four times; a call may have several bounds, and nearly all of
them are never reached.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class TimeLimit:
    """Context manager: cancels the task that entered it when its time is over, and turns that into a `TimeoutError`.

    Args:
        limit_s: Time that the block may take [s].

    Raises:
        TimeoutError: The block took longer; raised at its end.
    """

    __slots__ = ("_cancelling", "_limit_s", "_task", "_timer", "is_over")

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self.is_over = False
        """Whether the time was over before the block ended."""

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None, "a time limit is set in a task"
        self._task = task
        self._cancelling = task.cancelling()
        self._timer = task.get_loop().call_later(self._limit_s, self._end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._timer.cancel()
        # Who else cancels the task wants it to end.
        if self.is_over and self._task.uncancel() <= self._cancelling and _is_cancellation(kind):
            raise TimeoutError from error

    def _end(self) -> None:
        self.is_over = True
        self._task.cancel()


def _is_cancellation(kind: type[BaseException] | None) -> bool:
    return kind is not None and issubclass(kind, asyncio.CancelledError)

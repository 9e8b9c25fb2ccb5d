"""A clock that stops a run at one of its events, as a crash does."""

from __future__ import annotations

from collections.abc import Callable

from harness.kernel.kernel import Kernel


class Killed(BaseException):
    """The run was killed; no `except Exception` of a program catches it."""


class StoppingKernel(Kernel):
    """A kernel whose run is killed.

    Args:
        stop_at_event: The event at which the run is killed, 1 for the first; an event is an event of the provider, a timer,
            or a turn of the loop. What is cleaned up after the end of a run is no part of it.
        on_stop: Called then, before anything is cleaned up.
        horizon_s: Virtual time that the run may not pass [s].
    """

    def __init__(
        self, stop_at_event: int, on_stop: Callable[[], None], *, horizon_s: float
    ) -> None:
        super().__init__(horizon_s=horizon_s)
        self._left = stop_at_event
        self._on_stop = on_stop

    def count_step(self, at_s: float) -> None:
        """Note that something happens at a time, and check the bounds.

        Raises:
            Killed: It is the event at which the run is killed.
        """
        if not self._cleaning_up:
            self._left -= 1
            if self._left == 0:
                self._on_stop()
                raise Killed
        super().count_step(at_s)

"""A run is stopped at one of its events, as a crash does."""

from __future__ import annotations

from collections.abc import Callable

from harness.kernel.kernel import Kernel


class Killed(BaseException):
    """The run was killed; no `except Exception` of a program catches it."""


def stop_at_event(kernel: Kernel, event: int, on_stop: Callable[[], None]) -> None:
    """Let the run of a kernel be killed.

    Args:
        kernel: The clock of the run.
        event: The event at which it is killed, 1 for the first; an event is an event of the provider, a timer, or a turn of the
            loop. What is cleaned up after the end of a run is no part of it.
        on_stop: Called then, before anything is cleaned up.
    """
    counted = kernel.count_step
    left = event

    def count_step(at_s: float) -> None:
        nonlocal left
        if not kernel._cleaning_up:  # noqa: SLF001 - of this package
            left -= 1
            if left == 0:
                on_stop()
                raise Killed
        counted(at_s)

    kernel.count_step = count_step  # type: ignore[method-assign]  # of this kernel alone, whatever its class is

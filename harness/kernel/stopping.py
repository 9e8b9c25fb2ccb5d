"""A run is stopped at one of its events, as a crash does."""

from __future__ import annotations

from collections.abc import Callable

from harness.errors import HarnessError
from harness.kernel.kernel import Halt, Kernel


class RunKilled(HarnessError):  # noqa: N818 - names the condition
    """The run was killed at the event that was asked for."""


class Killed(Halt):
    """Stops whatever runs when the run is killed."""


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
        if not kernel.is_cleaning_up:
            left -= 1
            if left == 0:
                kernel.fail(RunKilled(f"killed at event {event}"))
                on_stop()
            if (
                left <= 0 and kernel.baton.current is kernel.baton.main
            ):  # which ends the other threads
                raise Killed
        counted(at_s)

    kernel.count_step = count_step  # type: ignore[method-assign]  # of this kernel alone, whatever its class is

"""Background work in virtual time: a generator that yields what it waits for.

It is SimPy's process, but for one thing: an error inside it leaves the kernel as the very object that was raised,
where SimPy would build another of its class and break it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from heapq import heappush
from typing import Any

import simpy
from simpy.events import NORMAL, EventPriority

from harness.kernel.kernel import Kernel

Wait = simpy.Event | float | Callable[[Callable[[], None]], object]
"""What a process waits for: an event, a time [s], or a function that gets the callback to resume it."""

Steps = Generator[Wait, Any, None]
"""The work of a process; each wait gives the value of its event, or None."""


class Process:
    """Begins at the present instant, after what runs now; ends when its generator does, or when it is stopped.

    Args:
        kernel: The clock.
        steps: The work.
    """

    __slots__ = ("_kernel", "_steps", "_waiting_for")

    def __init__(self, kernel: Kernel, steps: Steps) -> None:
        self._kernel = kernel
        self._steps = steps
        self._waiting_for: simpy.Event | None = None
        self._go_on_now()

    def stop(self) -> None:
        """End it where it stands; it may clean up, and not wait any more."""
        self._waiting_for = None
        self._steps.close()

    def _go_on_now(self) -> None:
        self._wait(simpy.Timeout(self._kernel.env, 0.0))

    def _wait(self, event: simpy.Event) -> None:
        self._waiting_for = event
        if event.callbacks is None:
            event = self._waiting_for = simpy.Timeout(self._kernel.env, 0.0, event.value)
        assert event.callbacks is not None
        event.callbacks.append(self._go_on)

    def _go_on(self, event: simpy.Event) -> None:
        if event is not self._waiting_for:
            return  # stopped meanwhile
        self._waiting_for = None
        try:
            wanted = self._steps.send(event.value if event._ok else None)  # noqa: SLF001 - `ok` is a property
        except StopIteration:
            return
        if isinstance(wanted, simpy.Event):
            self._wait(wanted)
        elif callable(wanted):
            wanted(self._go_on_now)
        elif (
            wanted < math.inf
        ):  # what never comes is not planned, so that a program that is stuck is seen to be
            self._wait(moment(self._kernel.env, wanted))


def moment(env: simpy.Environment, at_s: float, order: int = NORMAL) -> simpy.Event:
    """The event that a time has come; `now + (at - now)`, which SimPy's own would be, is not always that time.

    Args:
        env: Where it happens.
        at_s: The time [s]; now if it is past.
        order: Of the events of one time, those with a lower order happen first.
    """
    event = simpy.Event(env)
    event._ok, event._value = True, None  # noqa: SLF001 - as simpy.Timeout does
    priority = EventPriority(order)
    heappush(env._queue, (max(env.now, at_s), priority, next(env._eid), event))  # noqa: SLF001 - see above
    return event

"""The clock, and the only thing that moves it.

One SimPy environment holds the virtual time and the planned events. Code runs in threads: the main one, and those that
a program starts. A thread that has nothing to do parks with a `Waiter`; the kernel then takes events in order of time
until one of them wakes somebody. While there is a single thread that happens right here; the baton between several is
in `baton.py`. Nothing else in the house may step the environment.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import simpy

from harness.errors import Deadlock, LimitExceeded, NotSimulated
from harness.kernel.baton import Baton, Waiter

DEFAULT_HORIZON_S = 10 * 365 * 86_400.0
"""Ten years: no real program waits longer, and a clock that runs away is stopped in the end."""

DEFAULT_STEPS_PER_INSTANT = 1_000_000
"""A million steps without time moving takes about a second; a hundred thousand agents that start at once need
half of it, and a loop that spins on `sleep(0)` never ends."""


class Kernel:
    """The virtual clock of one run, starting at 0.

    Args:
        horizon_s: Virtual time that the run may not pass [s].
        steps_per_instant: How many steps may happen without time moving.
    """

    def __init__(
        self,
        *,
        horizon_s: float = DEFAULT_HORIZON_S,
        steps_per_instant: int = DEFAULT_STEPS_PER_INSTANT,
    ) -> None:
        self.env = simpy.Environment()
        self.horizon_s = horizon_s
        self.steps_per_instant = steps_per_instant
        self.describe_stuck: Callable[[], str] = str
        """Asked for the report when nothing can ever run again; set by the loop, or by the world."""
        self.baton = Baton(self)
        self.refused: NotSimulated | None = None
        """What a thread of the run was refused, which the program may have swallowed."""
        self._instant_s = 0.0
        self._steps = 0

    def now_s(self) -> float:
        """The virtual time [s]."""
        return self.env._now  # noqa: SLF001 - `env.now` is a property, twice as slow and asked for all the time

    def wake(self, waiter: Waiter) -> None:
        """Let a parked waiter go on as soon as the current event is done."""
        waiter.woken = True
        if waiter.queued:
            self.baton.line_up(waiter)

    def park(self, waiter: Waiter, until_s: float = math.inf) -> bool:
        """Wait until woken, or until a time; meanwhile events happen in the order of their times.

        Args:
            waiter: What waits.
            until_s: When to go on in any case [s].

        Returns:
            Whether it was woken; False when the time came first.

        Raises:
            Deadlock: Nothing is planned that could ever wake it.
            LimitExceeded: The next event lies beyond the horizon, or time has stopped moving.
        """
        baton = self.baton
        if baton.threads and not baton.others_rest():
            return baton.park(waiter, until_s)
        env, ready = self.env, baton.ready
        queue = env._queue  # noqa: SLF001 - `env.peek()` per step costs as much as the step
        while not waiter.woken:
            if queue and queue[0][0] <= until_s:
                self.count_step(queue[0][0])
                env.step()
                if ready:  # the event has woken another thread
                    return baton.park(waiter, until_s)
            elif until_s < math.inf:
                self.count_step(until_s)
                if until_s > env._now:  # noqa: SLF001 - a time already past, as of `call_later(-1, ...)`, is now
                    env._now = until_s  # noqa: SLF001 - nothing is planned before; SimPy has no cheaper way to let time pass
                return False
            else:
                baton.main.waits_for = waiter
                raise Deadlock(self.now_s(), self.describe_stuck())
        waiter.woken = False
        return True

    def run_due(self) -> None:
        """Let the events of this very instant happen, as a loop that polls its selector would see them."""
        env = self.env
        queue = env._queue  # noqa: SLF001 - see `park`
        now_s = env._now  # noqa: SLF001
        while queue and queue[0][0] <= now_s:
            self.count_step(now_s)
            env.step()

    def count_step(self, at_s: float) -> None:
        """Note that something happens at a time, and check the bounds on time and steps.

        Raises:
            LimitExceeded: It lies beyond the horizon, or too much has happened at one instant.
        """
        if at_s > self._instant_s:
            if at_s > self.horizon_s:
                raise LimitExceeded(
                    "horizon_s",
                    self.horizon_s,
                    "The program still waits for something at the horizon. Raise `horizon_s` if that is meant.",
                )
            self._instant_s = at_s
            self._steps = 0
        self._steps += 1
        if self._steps > self.steps_per_instant:
            self._steps = 0  # the clean-up of what is left needs steps too
            raise LimitExceeded(
                "steps_per_instant",
                self.steps_per_instant,
                f"Virtual time stands still at {self._instant_s:.6f} s: something polls without waiting, such as "
                "`while ...: await asyncio.sleep(0)`, or retries without a back-off.",
            )

    def count_turn(self) -> None:
        """Note that a loop had a turn at this instant; bounds programs that never wait."""
        self.count_step(self.env._now)  # noqa: SLF001 - see `now_s`

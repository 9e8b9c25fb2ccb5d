"""The virtual clock. Only the kernel advances it.

One SimPy environment holds the virtual time and the scheduled events. Code runs in threads: the main one, and those that
a program starts. A thread that has nothing to do parks with a `Waiter`; the kernel then takes events in order of time
until one of them wakes a thread. While there is a single thread that happens right here; the baton between several is
in `baton.py`. No other code may step the environment.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import simpy

from harness.chance.choices import Choices
from harness.errors import Deadlock, LimitExceeded
from harness.kernel.baton import Baton
from harness.kernel.sim_thread import Waiter
from harness.kernel.watcher import AGENTS, Watcher

DEFAULT_HORIZON_S = 7 * 86_400.0
"""One week: a program that waits longer than that in a test never ends, and a heartbeat of seconds is through it in one."""

DEFAULT_CALLS_PER_TASK = 10_000
"""More than a task of a real program makes; two agents that hand over to each other for ever make as many in half a
minute of real time."""

DEFAULT_REPEATS_PER_TASK = 150
"""A poll that asks every ten seconds makes as many calls in 25 minutes; a loop does in less than half a second of real time."""

CLEANUP_S = 86_400.0
"""How long tasks may go on after they were cancelled at the end of a run [s]: long enough for last calls that are retried."""

DEFAULT_STEPS_PER_INSTANT = 1_000_000
"""A million steps without time moving takes about a second; a hundred thousand agents that start at once need
half of it, and a loop that spins on `sleep(0)` never ends."""


_FIRST_LOOK = 1_000
"""After so many time steps without a call the tasks are looked at."""

_LOOK_FACTOR = 1.25
"""And after so many times as many again, and so on."""

_CIRCLE_S = 6 * 3600.0
"""How long agents wait for one another beside timers until they are stopped [s]: who gives up on them after a time has done so."""

_LIKELY_CIRCLE_S = 2 * 86_400.0
"""How long they do where it is only likely that they wait for one another, and not for work [s]."""

_CIRCLE_INSTANTS = 60_000
"""Or how many time steps; they take half a second of real time."""

BEFORE_THE_RUN = "what comes before the run"
"""What the waiter is called that lets time pass until a run begins."""


class Halt(BaseException):
    """Stops code that continues after a limit was exceeded; `except Exception` does not catch it."""


class FindsCircle(Protocol):
    """Finds agents that wait for one another although timers go on."""

    def __call__(self, *, strict: bool) -> object:
        """Return what is equal while the same agents wait, or None if there are none; `strict` leaves out what is only likely."""


def not_known() -> None:
    """Outside of a world it is not known what timers reach."""


def no_circle(*, strict: bool) -> object:
    """Outside of a world no circle is looked for."""
    return None


class Kernel:
    """The virtual clock of one run.

    Args:
        horizon_s: Virtual time that the run may not pass [s].
        steps_per_instant: Maximum number of steps without time moving.
        instants_without_call: Maximum number of time steps between two calls of the program.
        begin_s: Where it starts [s]; before 0 for what comes before a run.
    """

    choices: Choices | None = None
    """The object that overrides and records the choices of the run; None means none."""
    open_calls: int = 0
    """How many calls of the program wait for their response; counted by the servers."""

    def __init__(
        self,
        *,
        horizon_s: float = DEFAULT_HORIZON_S,
        steps_per_instant: int = DEFAULT_STEPS_PER_INSTANT,
        instants_without_call: float = math.inf,
        begin_s: float = 0.0,
    ) -> None:
        self.env = simpy.Environment(begin_s)
        self.horizon_s = horizon_s
        self.steps_per_instant = steps_per_instant
        self.instants_without_call = instants_without_call
        self.describe_stuck: Callable[[], str] = str
        """Asked what every task is doing, when nothing can ever run again or a bound was passed; set by the loop, or by
        the world."""
        self.find_circle: FindsCircle = no_circle
        """Finds agents that wait for one another although timers go on; set by the world."""
        self.nothing_reached: Callable[[], str | None] = not_known
        """Returns what is equal while only timers tick that can do nothing to those who wait, or None; set by the world."""
        self.idle_at_s = math.inf
        """When the work that is left is given up: if nothing is planned before, the run is idle [s]."""
        self.on_idle: Callable[[], bool] = bool
        """Called when the run is idle or agents wait for one another; ends what is stuck, and tells whether there was any."""
        self.describe_work: Callable[[], str] = str
        """Asked which calls were made, when a bound was passed; set by the servers."""
        self.watcher = Watcher()
        """Observer of the program's mistakes with its loops and tasks; set by the code that records them."""
        self.skew_s: Callable[[], float] | None = None
        """Tells how far the wall clock is ahead for the code that reads it now [s]; None for not at all."""
        self.limit: LimitExceeded | None = None
        """The first bound that was passed, which the program may have swallowed."""
        self.failure: Exception | None = None
        """The first error that fails the run even if the program swallows it: something that is not simulated, a mistake in
        what a test describes, or one of ours."""
        self.halted = False
        """Whether the program may not go on after it."""
        self.gave_up = False
        """Whether a program was stopped that would never have ended."""
        self._cleaning_up = False
        self.baton = Baton(self)
        self._instant_s = begin_s
        self._steps = 0
        self._instants = 0
        self._look_at: float = _FIRST_LOOK
        self._called_s = begin_s
        self._circle: object = None
        self._still: str | None = None

    def now_s(self) -> float:
        """The virtual time [s]."""
        return self.env._now  # noqa: SLF001 - `env.now` is a property, twice as slow and asked for all the time

    def reach(self, at_s: float) -> None:
        """Set the clock to the start of a run; earlier work must be done by then [s]."""
        if self.env._now < at_s:  # noqa: SLF001 - see `now_s`
            self.park(Waiter(BEFORE_THE_RUN), at_s)
        self.env._now = at_s  # noqa: SLF001 - sums of its waits may differ from it in the last bit

    def wake(self, waiter: Waiter) -> None:
        """Wake a parked waiter as soon as the current event is done."""
        waiter.woken = True
        if waiter.queued:
            self.baton.line_up(waiter)

    def park(self, waiter: Waiter, until_s: float = math.inf) -> bool:
        """Wait until woken, or until a time; meanwhile events happen in the order of their times.

        Args:
            waiter: What waits.
            until_s: Latest time to wake [s].

        Returns:
            Whether it was woken; False when the time came first.

        Raises:
            Deadlock: Nothing is scheduled that could wake it.
            LimitExceeded: The next event lies beyond the horizon, or time has stopped moving.
        """
        baton = self.baton
        if baton.threads and not baton.others_rest():
            return baton.park(waiter, until_s)
        env, ready = self.env, baton.ready
        began_s = env._now  # noqa: SLF001 - see `now_s`
        queue = env._queue  # noqa: SLF001 - `env.peek()` per step costs as much as the step
        while not waiter.woken:
            if queue and queue[0][0] <= until_s:
                self.count_step(queue[0][0])
                env.step()
                if ready:  # the event has woken another thread
                    return baton.park(waiter, until_s)
            elif until_s < math.inf:
                if until_s >= self.idle_at_s and self.on_idle():
                    continue
                self.count_step(until_s)
                if until_s > env._now:  # noqa: SLF001 - a time already past, as of `call_later(-1, ...)`, is now
                    env._now = until_s  # noqa: SLF001 - nothing is planned before; SimPy has no cheaper way to let time pass
                return False
            else:
                baton.main.waits_for, baton.main.since_s = waiter, began_s
                raise self.stuck()
        waiter.woken = False
        return True

    def ended_stuck(self, at_s: float) -> bool:
        """Whether what is stuck was ended, because nothing is planned before a time [s] at which it would be given up."""
        return at_s >= self.idle_at_s and self.on_idle()

    def next_s(self) -> float:
        """When something happens next, or a thread goes on [s]; infinite where nothing is planned."""
        return min(self.env.peek(), self.baton.next_alarm_s())

    def run_due(self) -> None:
        """Process the events of this instant, as a loop that polls its selector would see them."""
        env = self.env
        queue = env._queue  # noqa: SLF001 - see `park`
        now_s = env._now  # noqa: SLF001
        while queue and queue[0][0] <= now_s:
            self.count_step(now_s)
            env.step()

    def fail(self, error: Exception, *, halt: bool = True) -> None:
        """Fail the run with an error, even if the program catches it.

        Args:
            error: The error; the first one counts.
            halt: Whether the program may not go on.
        """
        self.failure = self.failure or error
        self.halted = self.halted or halt

    def exceeded(
        self, limit: str, value: float, advice: str, kind: type[LimitExceeded] = LimitExceeded
    ) -> LimitExceeded:
        """The error for a bound that was passed; the run fails with the first even if the program swallows it.

        Args:
            limit: Name of the bound.
            value: The bound.
            advice: What is probably wrong, and how to raise the bound.
            kind: The class of the error.

        Raises:
            Halt: The program goes on although a bound was passed before.
        """
        if self.limit is not None and not self._cleaning_up:
            raise Halt
        # Before anything is cancelled: afterwards the tasks that matter are gone.
        tasks = self.describe_stuck()
        if tasks.startswith(AGENTS):
            self.watcher.deadlocked(tasks.splitlines()[0].strip())
        report = "\n".join(filter(None, (tasks, self.describe_work())))
        error = kind(limit, value, advice, report)
        if self.limit is None:
            self.limit = error
            self.horizon_s = (
                self.now_s() + CLEANUP_S
            )  # a program that runs its own loop cleans up by itself
        self.gave_up = True
        return error

    @property
    def is_cleaning_up(self) -> bool:
        """Whether the run is over, and what it left behind is being ended."""
        return self._cleaning_up

    def why_halted(self) -> Exception:
        """The error behind a `Halt`."""
        error = self.limit or self.failure
        assert error is not None, "nothing else halts a program"
        return error

    @contextmanager
    def clean_up(self) -> Iterator[None]:
        """Context manager for cleanup after a program; time may pass, also beyond the horizon."""
        outer = self.horizon_s, self._cleaning_up
        self.horizon_s, self._cleaning_up = self.now_s() + CLEANUP_S, True
        try:
            yield
        finally:
            self.horizon_s, self._cleaning_up = outer

    def stuck(self, *why: str) -> Deadlock:
        """The error for a program in which nothing can run again, or for another reason in words."""
        self.gave_up = True
        report = self.describe_stuck()
        self.watcher.deadlocked(report.splitlines()[0].strip() if report else "")
        return Deadlock(self.now_s(), report, *why)

    def note_call(self) -> None:
        """Record that the program made a call; limits programs that wait for ever in small steps."""
        self._instants = 0
        self._look_at = _FIRST_LOOK
        self._called_s = self.env._now  # noqa: SLF001 - see `now_s`

    def count_step(self, at_s: float) -> None:
        """Note that something happens at a time, and check the bounds on time and steps.

        Raises:
            LimitExceeded: It lies beyond the horizon, or too much has happened at one instant.
            Halt: Time would move although the run has failed.
        """
        if at_s > self._instant_s:
            if self.halted and not self._cleaning_up:
                raise Halt
            if at_s > self.horizon_s:
                raise self._beyond_horizon()
            self._instant_s = at_s
            self._steps = 0
            self._instants += 1
            if self._instants > self._look_at:
                self._look_for_circle()
            if self._instants > self.instants_without_call:
                self._instants = 0
                raise self.exceeded(
                    "instants_without_call",
                    self.instants_without_call,
                    "Something polls, such as `while not done: await asyncio.sleep(0.01)`, and nothing else happens.",
                )
        self._steps += 1
        if self._steps > self.steps_per_instant:
            self._steps = 0  # the clean-up of what is left needs steps too
            raise self.exceeded(
                "steps_per_instant",
                self.steps_per_instant,
                f"Virtual time stands still at {self._instant_s:.6f} s: something polls without waiting, such as "
                "`while ...: await asyncio.sleep(0)`, or retries without a back-off.",
            )

    def _look_for_circle(self) -> None:
        """Look whether only timers go on, while agents wait for one another.

        Raises:
            Deadlock: It has been so for long, or nothing that goes on can end it.
        """
        self._look_at *= _LOOK_FACTOR
        if self._cleaning_up:
            return
        waited_s = self.now_s() - self._called_s
        before, still_before = self._circle, self._still
        is_quiet = not self.open_calls and not self.env._queue  # noqa: SLF001 - nothing is planned but by timers
        self._still = self.nothing_reached() if is_quiet else None
        self._circle = self.find_circle(strict=self._still is None and waited_s < _LIKELY_CIRCLE_S)
        if self._circle is None or self._circle != before:
            return
        is_for_ever = self._still is not None and self._still == still_before
        waits_long = waited_s >= _CIRCLE_S or self._instants >= _CIRCLE_INSTANTS
        if (is_for_ever or waits_long) and not self.on_idle():
            raise self._stuck_beside_timers()

    def _stuck_beside_timers(self) -> Deadlock:
        error = self.stuck("agents wait for one another, and only timers go on")
        self.fail(error, halt=False)
        self.horizon_s = self.now_s() + CLEANUP_S  # as with a bound that was passed
        return error

    def _beyond_horizon(self) -> LimitExceeded | Deadlock:
        if not self._cleaning_up and self.limit is None and self.find_circle(strict=False):
            return self._stuck_beside_timers()
        if self._cleaning_up:
            return self.exceeded(
                "cleanup_s",
                CLEANUP_S,
                "The program has ended and its tasks were cancelled, but one goes on. Let it end on CancelledError.",
            )
        return self.exceeded(
            "horizon_s",
            self.horizon_s,
            "The program still waits for something at the horizon. Raise `horizon_s` if that is meant.",
        )

    def count_turn(self) -> None:
        """Note that a loop had a turn at this instant; bounds programs that never wait."""
        self.count_step(self.env._now)  # noqa: SLF001 - see `now_s`

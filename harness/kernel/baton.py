"""Threads on one kernel: each is a real OS thread, and only the one that holds the baton runs.

A thread passes the baton on when it parks, and when it ends. Next are the threads that were woken,
in the order in which they were woken; then the earliest event of the kernel or alarm of a thread. The
main thread is the one that the run was started in. Errors of events, deadlocks and exceeded limits are raised there,
whichever thread was running.
"""

from __future__ import annotations

import _thread
import math
import sys
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from itertools import count
from typing import Any, Protocol

import simpy

from harness.errors import HarnessError
from harness.kernel.sim_thread import RunIsOver, SimThread, Waiter, acquire, release, take_gate

PATIENCE_WALL_S = 10.0
"""Real time that a thread may hold the baton without parking, before the run is ended [s]."""

_DAEMON_ROUNDS = 5_000
"""So often in a row may only daemon threads run before the rest is looked at; takes a quarter of a second."""

_ENDINGS = 1_000
"""So often is a thread that the run leaves behind told to end; one that swallows all of that never runs again."""


class Clock(Protocol):
    """The part of the kernel that the baton uses."""

    env: simpy.Environment
    horizon_s: float

    def now_s(self) -> float:
        """The virtual time [s]."""

    def wake(self, waiter: Waiter) -> None:
        """Wake a parked waiter as soon as the current event is done."""

    def run_due(self) -> None:
        """Let happen whatever is due now."""

    def count_turn(self) -> None:
        """Note that something ran."""

    def count_step(self, at_s: float) -> None:
        """Note that the clock is about to step to a time [s]; raises if a bound is passed."""

    def stuck(self) -> Exception:
        """The error for a run in which nothing can run again."""

    def ended_stuck(self, at_s: float) -> bool:
        """Whether what is stuck was ended, because nothing is planned before a time [s] at which it would be given up."""


class Baton:
    """Which thread of a kernel runs.

    Args:
        kernel: The clock.
    """

    def __init__(self, kernel: Clock) -> None:
        self._kernel = kernel
        self.main = SimThread(self, "the main thread", 0, ident=_thread.get_ident())
        self.current = self.main
        self.threads: dict[SimThread, None] = {}
        """Those beside the main one that have not ended, in the order of their start."""
        self.ready: deque[Waiter] = deque()
        """What was woken and has not got the baton yet."""
        self.choose: Callable[[Sequence[Waiter]], int] | None = None
        """Gives the place of the one that goes next among those that may; None means the first, and that a thread runs until it waits."""
        self.really_busy = 0
        """How many threads are outside of the world now, and may take as much real time as they need."""
        self.switches = 0
        """How often the baton went from one thread to another."""
        self._alarms: list[tuple[float, int, Waiter, int]] = []
        self._alarm_order = count()
        self._from_outside: deque[Waiter] = deque()
        """Woken by threads that do not belong to the run."""
        self._numbers = count(1)
        self._parks = 0
        self._daemon_rounds = 0
        self._stepping = False
        self._runaway: SimThread | None = None
        """A thread that the baton was taken from by force; it may still run."""

    # -- waking ---------------------------------------------------------------------------------------------------

    def line_up(self, waiter: Waiter) -> None:
        """Queue a woken waiter for the baton."""
        waiter.queued = False
        self.ready.append(waiter)

    def wake_from_outside(self, waiter: Waiter) -> None:
        """Wake a waiter from a thread that does not belong to the run; the moment does not depend on the seed."""
        self._from_outside.append(waiter)

    def others_rest(self) -> bool:
        """Whether the main thread runs and all others wait without a time; then it may step the clock by itself."""
        return (
            self.current is self.main
            and not (self.ready or self._alarms or self._from_outside)
            and self._runaway is None
        )

    # -- parking --------------------------------------------------------------------------------------------------

    def park(self, waiter: Waiter, until_s: float) -> bool:
        """Pass the baton on until the waiter is woken or its time has come; see `Kernel.park`."""
        me = self.current
        self._parks += 1
        if self._runaway is not None and self._runaway.ident == _thread.get_ident():
            self._end_here(self._runaway)
        if self._stepping:
            raise HarnessError(
                f"{waiter.name} inside an event of the simulation, which may not wait\n"
                "  How to fix: let a reply function return at once; time comes from the provider."
            )
        if me.ending:
            self._end_here(me)
        if self.ready or not waiter.woken:
            self._stand_in_line(waiter, until_s)
            self._give_away(me, waiter)
        woken, waiter.woken = waiter.woken, False
        return woken

    def let_others(self, waiter: Waiter) -> None:
        """Let threads run first that are ready at this instant; for a loop between two turns."""
        self._sound_alarms(self._kernel.now_s())
        if self.ready:
            waiter.woken = True
            self.park(waiter, math.inf)

    def offer(self) -> None:
        """Let another thread that is ready go first, if the choice falls on one; what a lock does before it is taken."""
        self._let_all_be_ready()
        if self.ready:
            self.park(Waiter("its turn", woken=True), math.inf)

    def _stand_in_line(self, waiter: Waiter, until_s: float) -> None:
        me = self.current
        waiter.thread, me.waits_for, me.since_s = me, waiter, self._kernel.now_s()
        waiter.ordinal += 1
        if waiter.woken:
            self.ready.append(waiter)
            return
        waiter.queued = True
        if until_s < math.inf:
            heappush(self._alarms, (until_s, next(self._alarm_order), waiter, waiter.ordinal))

    def _give_away(self, me: SimThread, waiter: Waiter) -> None:
        if me.entered is not None:
            me.entered.leave()
        try:
            next_one = self._next()
            if next_one is not waiter:
                self._pass_to(next_one)
                self._await_baton(me)
        finally:
            waiter.queued = False
            me.waits_for = None
            self.current = me
            if me.entered is not None:
                me.entered.enter()
        if me.failure is not None:
            failure, me.failure = me.failure, None
            raise failure
        if me.ending:
            self._end_here(me)

    def _pass_to(self, waiter: Waiter) -> None:
        self.switches += 1
        assert waiter.thread is not None, "only what a thread is parked with gets into line"
        release(waiter.thread.gate)

    # -- who is next ----------------------------------------------------------------------------------------------

    def _next(self) -> Waiter:
        """Let time pass until a thread may run; errors on the way are raised in the main thread."""
        try:
            while True:
                while self._from_outside:
                    self._kernel.wake(self._from_outside.popleft())
                if self.choose is not None and self.ready:
                    self._let_all_be_ready()
                if self.ready:
                    return self._chosen()
                self._let_time_pass()
        except BaseException as error:  # noqa: BLE001 - told where the run is
            self.main.failure = error
            waiting = self.main.waits_for
            assert waiting is not None, "the main thread is parked while another runs"
            if waiting in self.ready:
                self.ready.remove(waiting)
            return waiting

    def _let_all_be_ready(self) -> None:
        """Let everything of this instant happen, so that the choice is among all who may go on."""
        self._stepping = True
        try:
            self._kernel.run_due()
        finally:
            self._stepping = False
        self._sound_alarms(self._kernel.now_s())

    def _chosen(self) -> Waiter:
        kernel, ready = self._kernel, self.ready
        kernel.count_turn()
        if self.choose is not None and len(ready) > 1:
            place = self.choose(ready)
            chosen = ready[place]
            del ready[place]
        else:
            chosen = ready.popleft()
        assert chosen.thread is not None, "only what a thread is parked with gets into line"
        if not chosen.thread.daemon:
            self._daemon_rounds = 0
            return chosen
        self._daemon_rounds += 1
        if self._daemon_rounds > _DAEMON_ROUNDS:
            self._daemon_rounds = 0
            if self._only_daemons_move():
                raise kernel.stuck()
        return chosen

    def _let_time_pass(self) -> None:
        kernel, alarms = self._kernel, self._alarms
        env = kernel.env
        queue = env._queue  # noqa: SLF001 - see `Kernel.park`
        while alarms and not self._is_due_ever(alarms[0]):
            heappop(alarms)
        alarm_s = alarms[0][0] if alarms else math.inf
        if queue and queue[0][0] <= alarm_s:
            kernel.count_step(queue[0][0])
            self._stepping = True
            try:
                env.step()
            finally:
                self._stepping = False
        elif alarms:
            if alarm_s > kernel.horizon_s and self._only_daemons_move():
                raise kernel.stuck()
            if kernel.ended_stuck(alarm_s):
                return
            kernel.count_step(alarm_s)
            if alarm_s > env._now:  # noqa: SLF001 - see `Kernel.park`
                env._now = alarm_s  # noqa: SLF001
            self._sound_alarms(alarm_s)
        else:
            raise kernel.stuck()

    def has_alarm(self, waiter: Waiter) -> bool:
        """Whether a waiter goes on at a time that is set."""
        return any(it[2] is waiter and self._is_due_ever(it) for it in self._alarms)

    def next_alarm_s(self) -> float:
        """When the next thread goes on that waits for a time, or earlier [s]; infinite if none does."""
        return self._alarms[0][0] if self._alarms else math.inf

    def _sound_alarms(self, now_s: float) -> None:
        alarms = self._alarms
        while alarms and alarms[0][0] <= now_s:
            if self._is_due_ever(alarm := heappop(alarms)):
                self.line_up(alarm[2])

    @staticmethod
    def _is_due_ever(alarm: tuple[float, int, Waiter, int]) -> bool:
        return alarm[2].queued and alarm[2].ordinal == alarm[3]

    def _only_daemons_move(self) -> bool:
        """Whether nothing is planned but alarms of daemon threads."""
        return not self._kernel.env._queue and all(  # noqa: SLF001 - see `Kernel.park`
            alarm[2].thread is not None and alarm[2].thread.daemon
            for alarm in self._alarms
            if self._is_due_ever(alarm)
        )

    # -- the life of a thread -------------------------------------------------------------------------------------

    def spawn(
        self,
        name: str,
        start: Callable[[Callable[[], None]], Any],
        run: Callable[[], None],
        *,
        daemon: bool = False,
    ) -> tuple[SimThread, Any]:
        """Start an OS thread, which runs when it is its turn.

        Args:
            name: For reports.
            start: Starts the OS thread with the function that it is given.
            run: What the thread does.
            daemon: Whether the end of the program does not wait for it.

        Returns:
            The thread, and what `start` returned.
        """
        if self.current.ending:
            raise RunIsOver
        thread = SimThread(self, name, next(self._numbers), daemon)
        begin = Waiter("its first turn", woken=True, thread=thread)
        thread.waits_for, thread.since_s = begin, self._kernel.now_s()
        work: list[Callable[[], None]] = [run]

        def body() -> None:
            acquire(thread.gate)
            self.current = thread
            thread.waits_for = None
            thread.ident = _thread.get_ident()
            try:
                if not thread.ending:
                    work[0]()
            except RunIsOver:
                pass
            finally:
                work.clear()  # so that nothing of the program is finalized after the baton is gone
                self._finish(thread)

        started = start(body)
        self.threads[thread] = None
        self.ready.append(begin)
        return thread, started

    def _finish(self, thread: SimThread) -> None:
        """End the current thread and pass the baton on."""
        if thread.has_ended:
            return
        thread.has_ended = True
        del self.threads[thread]
        for waiter in thread.on_done:
            self._kernel.wake(waiter)
        if thread is self._runaway:
            return
        if thread.ending:
            release(self.main.gate)
        else:
            self._pass_to(self._next())

    def end_threads(self) -> None:
        """End every thread that the run leaves behind: each gets a `RunIsOver` where it waits, in the order of starting."""
        interrupt: BaseException | None = None
        for thread in list(self.threads):
            if thread is self._runaway:
                continue
            thread.ending = True
            release(thread.gate)
            taken = False
            while not taken:
                taken, error = take_gate(self.main.gate, PATIENCE_WALL_S)
                interrupt = error or interrupt
            self.current = self.main
        self.ready.clear()
        self._alarms.clear()
        if interrupt is not None:
            raise interrupt

    def _end_here(self, me: SimThread) -> None:
        me.endings += 1
        if me.endings > _ENDINGS:
            me.is_stuck = True
            self._finish(me)
            acquire(me.gate)
        raise RunIsOver

    # -- the real clock -------------------------------------------------------------------------------------------

    def _await_baton(self, me: SimThread) -> None:
        if me is not self.main:
            acquire(me.gate)
            return
        interrupt: BaseException | None = None
        parks = self._parks
        while True:
            taken, error = take_gate(me.gate, PATIENCE_WALL_S)
            interrupt = error or interrupt
            if taken:
                break
            if error is not None:
                if me.waits_for is not None:
                    self.wake_from_outside(me.waits_for)
                continue
            if self._parks == parks and interrupt is None and not self.really_busy:
                self._take_from_runaway()
            parks = self._parks
        if interrupt is not None:
            raise interrupt

    def _take_from_runaway(self) -> None:
        """End the run because a thread neither waits nor ends; it is told to end when it waits the next time."""
        runaway = self.current
        frame = sys._current_frames().get(runaway.ident)  # noqa: SLF001 - the documented way to see another thread
        stack = "".join(traceback.format_stack(frame))
        runaway.ending = True
        self._runaway = runaway
        raise HarnessError(
            f"thread {runaway.name} has run for {PATIENCE_WALL_S:g} real seconds without waiting for anything\n{stack}"
            "  How to fix: real input or output and long computations do not belong into a simulated run; stand in for "
            "them, for example with `sim.tool(..., replaces=...)`."
        )

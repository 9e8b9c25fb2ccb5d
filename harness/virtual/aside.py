"""User functions that run beside the program, such as reply functions of simulated agents.

They take their own time: each runs in a thread of the run that belongs to the kernel and not to the program, or, if it is
async, as a task on one loop that they all share. So it may sleep, wait for a lock or call a server, and what it takes is
virtual time. Threads are used again; a function that does not wait costs two changes of thread.
"""

from __future__ import annotations

import _thread
import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any, NamedTuple

from harness.errors import HarnessError
from harness.kernel.current_world import this_thread
from harness.kernel.kernel import Halt, Kernel
from harness.kernel.lineage import Lineage
from harness.kernel.loop import SimLoop
from harness.kernel.program import abandon
from harness.kernel.sim_thread import RunIsOver, Waiter

_start_thread = _thread.start_new_thread  # the real one, which is replaced while a world is open

IDLE = "a function to call"
"""What a thread waits for that has nothing to do."""

Outcome = Callable[[Any, BaseException | None], None]
"""Told what a function gave, or what it raised."""


class _Job(NamedTuple):
    name: str
    function: Callable[[], Any]
    context: Context
    done: Outcome


class Aside:
    """Calls user functions beside the program.

    Args:
        kernel: The clock.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._jobs: deque[_Job] = deque()
        self._idle: list[Waiter] = []
        self._one_comes = False
        """Whether a thread is in line that will look for jobs."""
        self._loop: SimLoop | None = None

    def call(
        self, name: str, function: Callable[[], object], context: Context, done: Outcome
    ) -> None:
        """Call a function, and await what it gives if that is awaitable; it begins after what runs now.

        Args:
            name: What is being done; for reports.
            function: What is called.
            context: The context variables that it sees.
            done: Called when it is over, with its result and its error. Only the end of the run leaves it uncalled.
        """
        self._jobs.append(_Job(name, function, context, done))
        if not self._one_comes:
            self._call_up()

    def _call_up(self) -> None:
        """Let a thread look for jobs."""
        self._one_comes = True
        if self._idle:
            self._kernel.wake(self._idle.pop())
        else:
            self._spawn("a thread for functions", self._work)

    def _work(self) -> None:
        me, thread = Waiter(IDLE), self._kernel.baton.current
        resting = thread.name
        try:
            while True:
                self._one_comes = False
                while self._jobs:
                    job = self._jobs.popleft()
                    if self._jobs and not self._one_comes:
                        self._call_up()  # to go on with the others if this one waits
                    thread.name = job.name
                    self._do(job)
                    thread.name = resting
                self._idle.append(me)
                self._kernel.park(me)
        finally:  # the run is over
            self._one_comes = False
            self._jobs.clear()
            self._idle.clear()

    def _do(self, job: _Job) -> None:
        try:
            result = job.context.run(job.function)
        except (RunIsOver, Halt):
            raise
        except BaseException as error:  # noqa: BLE001 - told where the result is waited for
            job.done(None, error)
            return
        if inspect.isawaitable(result):
            self._await(job, result)
        else:
            job.done(result, None)

    def _await(self, job: _Job, result: Awaitable[object]) -> None:
        if self._loop is None:
            self._loop = _new_loop(self._kernel)
            self._spawn("the loop for functions", self._run_loop)

        def tell(task: asyncio.Task[tuple[object, BaseException | None]]) -> None:
            if not task.cancelled():
                job.done(*task.result())
            elif not self._kernel.is_cleaning_up:
                error = f"{job.name} was cancelled by itself\n  How to fix: let it return or raise"
                job.done(None, HarnessError(error))

        task = self._loop.create_task(_outcome(result), name=job.name, context=job.context)
        task.add_done_callback(tell)

    def _run_loop(self) -> None:
        loop, alone = self._loop, this_thread.world is None
        assert loop is not None
        try:
            loop.run_forever()
        finally:
            self._loop = None
            if alone:  # a world ends its loops itself
                abandon(loop)

    def _spawn(self, name: str, run: Callable[[], None]) -> None:
        from harness.virtual.thread_locals import free_thread_locals

        world, network, commands = this_thread.world, this_thread.network, this_thread.commands

        def inside() -> None:
            this_thread.world, this_thread.network, this_thread.commands = world, network, commands
            try:
                run()
            finally:
                free_thread_locals()

        baton = self._kernel.baton
        thread, _ = baton.spawn(name, lambda body: _start_thread(body, ()), inside)
        thread.lineage = Lineage(thread, None, self._kernel.now_s())


async def _outcome(result: Awaitable[object]) -> tuple[object, BaseException | None]:
    """What comes of something awaitable; a SystemExit would end the loop if it were raised."""
    try:
        return await result, None
    except (RunIsOver, Halt, asyncio.CancelledError):
        raise
    except BaseException as error:  # noqa: BLE001 - told where the result is waited for
        return None, error


def _new_loop(kernel: Kernel) -> SimLoop:
    if this_thread.world is None:
        return SimLoop(kernel)
    from harness.virtual.program_loop import LoopAside

    return LoopAside(this_thread.world)

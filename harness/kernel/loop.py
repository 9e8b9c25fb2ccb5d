"""An asyncio event loop in virtual time.

Tasks, futures, timers, locks and queues are asyncio's own; only three things differ from a stock loop. Time is the
kernel's. When nothing is ready the loop parks instead of asking the operating system. And timers that fall on the
same instant fire in the order in which they were set, which on a real clock they do because no two are ever equal.

Everything that would reach the real world (sockets, processes, signals, threads) is refused with an error that names it.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, NoReturn, TypeVar, TypeVarTuple

import simpy

from harness.errors import HarnessBug, NotSimulated
from harness.kernel import deadlock_report
from harness.kernel.deterministic_asyncio import OrderedWeakSet, SimFuture, SimTask
from harness.kernel.handles import Handle, Timer
from harness.kernel.identity import is_wait_for, name_of
from harness.kernel.kernel import Kernel
from harness.kernel.lineage import child_of
from harness.kernel.sim_thread import Waiter
from harness.kernel.suspension import Suspension

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# asyncio itself rebuilds its heap when more than half of a hundred timers are cancelled ones (base_events.py).
_CANCELLED_TIMERS_MIN = 100

LOOP_WAITS = "an event loop with nothing to do"
"""What the waiter of a loop is called."""

_WAIT_FOR_SPAWNS = sys.version_info < (3, 12)
"""Whether `asyncio.wait_for` runs what it waits for in a task of its own."""


class SimLoop(asyncio.BaseEventLoop):
    """An asyncio event loop in virtual time.

    Created by `run` for one program, and closed with it.
    """

    # What BaseEventLoop keeps to itself and a subclass cannot do without; the types are those of base_events.py.
    _ready: deque[Any]
    _closed: bool
    _stopping: bool
    _check_closed: Callable[[], None]
    _task_factory: Callable[..., Any] | None
    _asyncgens: Any

    timer_class: type[Timer] = Timer
    """What its timers are."""

    is_aside = False
    """Whether it runs beside the program, and what blocks it is not the program's fault."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__()
        self.kernel = kernel
        self.waiter = Waiter(LOOP_WAITS)
        self.hash_order = count(1)
        """Gives tasks and futures their place in sets; see `order.py`."""
        self._timers: list[tuple[float, int, Timer | Suspension]] = []
        self._timer_order = count()
        self._timers_cancelled = 0
        self._task_numbers = count(1)
        self._asyncgens = OrderedWeakSet()  # asyncio's own is closed in the order of addresses

    # -- time ---------------------------------------------------------------------------------------------------

    def time(self) -> float:
        """The virtual time [s]."""
        return self.kernel.env._now  # noqa: SLF001 - see Kernel.now_s

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call back after `delay` virtual seconds."""
        if self._closed:
            self._check_closed()
        when_s = self.kernel.env._now + delay  # noqa: SLF001 - see Kernel.now_s
        timer = self.timer_class(when_s, callback, args, self, context)
        heappush(self._timers, (when_s, next(self._timer_order), timer))
        waiter = self.waiter
        waiter.woken = True  # see `call_soon`
        if waiter.queued:
            self.kernel.wake(waiter)
        return timer

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call back at the virtual time `when` [s]."""
        self._check_closed()
        timer = self.timer_class(when, callback, args, self, context)
        heappush(self._timers, (when, next(self._timer_order), timer))
        waiter = self.waiter
        waiter.woken = True  # see `call_soon`
        if waiter.queued:
            self.kernel.wake(waiter)
        return timer

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Call back in the next turn."""
        if self._closed:
            self._check_closed()
        handle = Handle(callback, args, self, context)
        self._ready.append(handle)
        # An event of the kernel may have called, or another thread, while the loop is parked.
        waiter = self.waiter
        waiter.woken = True
        if waiter.queued:
            self.kernel.wake(waiter)
        return handle

    def sleep_until(self, when_s: float) -> Suspension:
        """Await a virtual time [s]; what `asyncio.sleep` does inside a run.

        The `await` gives None when the time came, or the value with which `Suspension.end` ended it before.
        """
        suspension = Suspension(self)
        suspension._scheduled = True  # noqa: SLF001 - as call_at does with a handle
        heappush(self._timers, (when_s, next(self._timer_order), suspension))
        return suspension

    def forget_timer(self) -> None:
        """Note that a planned timer was cancelled; when most are, the heap is made anew without them."""
        self._timers_cancelled += 1
        if self._timers_cancelled > _CANCELLED_TIMERS_MIN and self._timers_cancelled * 2 > len(
            self._timers
        ):
            self._timers[:] = [timer for timer in self._timers if timer[2]._scheduled]  # noqa: SLF001 - ours
            heapify(self._timers)
            self._timers_cancelled = 0

    @property
    def has_work(self) -> bool:
        """Whether something is ready to run."""
        timers = self._timers
        return bool(self._ready) or bool(timers and timers[0][0] <= self.time())

    # -- running ------------------------------------------------------------------------------------------------

    def run_forever(self) -> None:
        """Run until stopped."""
        kernel = self.kernel
        outer = running.loop, kernel.describe_stuck
        running.loop = self
        if kernel.describe_stuck is str:
            kernel.describe_stuck = partial(deadlock_report.report, self)
        try:
            super().run_forever()
        finally:
            running.loop, kernel.describe_stuck = outer

    def close(self) -> None:
        """Close the loop; tasks that swallowed their cancellation are never destroyed, for they would run again then."""
        if self.kernel.gave_up and not self._closed:
            for task in deadlock_report.tasks_in_order(self):
                _keep_for_ever(task)
        super().close()

    # -- one turn of the loop -----------------------------------------------------------------------------------

    def _run_once(self) -> None:
        """Wait if nothing is ready, collect what is due, and run what was ready at that moment, as asyncio does."""
        ready = self._ready
        kernel = self.kernel
        timers = self._timers
        if ready or self._stopping:
            queue = kernel.env._queue  # noqa: SLF001 - nearly always nothing is due, and this is every turn
            if queue and queue[0][0] <= kernel.env._now:  # noqa: SLF001
                kernel.run_due()
            kernel.count_step(kernel.env._now)  # noqa: SLF001 - what `count_turn` does, at the price of a call
            if kernel.baton.threads and not kernel.baton.others_rest():
                kernel.baton.let_others(self.waiter)
        else:
            while timers and not timers[0][2]._scheduled:  # noqa: SLF001 - the handle is ours
                heappop(timers)
                self._timers_cancelled -= 1
            # Whatever woke it so far has been seen to, since nothing is ready.
            self.waiter.woken = False
            if timers:
                kernel.park(self.waiter, timers[0][0])
            else:
                kernel.park(self.waiter)
        now_s = kernel.env._now  # noqa: SLF001 - see Kernel.now_s
        while timers and timers[0][0] <= now_s:
            timer = heappop(timers)[2]
            if timer._scheduled:  # noqa: SLF001 - the handle is ours
                timer.due(ready)
            else:
                self._timers_cancelled -= 1
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:  # noqa: SLF001 - inlined from asyncio.Handle._run, which costs a call
                try:
                    handle._context.run(handle._callback, *handle._args)  # noqa: SLF001
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:  # noqa: BLE001 - as asyncio.Handle does: the loop's handler decides
                    self.call_exception_handler(
                        {
                            "message": f"Exception in callback {handle!r}",
                            "exception": error,
                            "handle": handle,
                        }
                    )

    def _write_to_self(self) -> None:
        self.kernel.wake(self.waiter)

    def _process_events(self, event_list: object) -> NoReturn:
        raise HarnessBug("a simulated loop has no selector")

    # -- tasks and futures ------------------------------------------------------------------------------------------------

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        **kwargs: object,
    ) -> asyncio.Task[T]:
        """A task named by its number in this loop, whose place in a set does not depend on its address."""
        if self._closed:
            self._check_closed()
        if self._task_factory is not None:
            task: asyncio.Task[T] = self._task_factory(self, coro, **kwargs)
            if name is not None:
                task.set_name(name)
            return task
        number = next(self._task_numbers)
        simulated: SimTask[T] = SimTask.__new__(SimTask)
        simulated.order = number  # before the rest, which puts it into a set
        if name is not None:
            known_as: str | None = str(name)
        else:
            known_as = None if _WAIT_FOR_SPAWNS and is_wait_for() else name_of(coro)
        kernel = self.kernel
        simulated.lineage = child_of(
            asyncio.current_task(self),
            simulated,
            kernel.env._now,  # noqa: SLF001 - see Kernel.now_s
            kernel.baton.current,
            known_as,
        )
        name = f"Task-{number}" if name is None else str(name)
        simulated.__init__(coro, loop=self, name=name, **kwargs)  # type: ignore[misc]  # made in two steps
        return simulated

    def create_future(self) -> asyncio.Future[Any]:
        """A future whose place in a set does not depend on its address."""
        future: SimFuture[Any] = SimFuture(loop=self)
        future.made_s = self.kernel.env._now  # noqa: SLF001 - see Kernel.now_s
        return future

    # -- what is not simulated ----------------------------------------------------------------------------------

    def run_in_executor(self, *_: object) -> NoReturn:
        """Refused: a real thread would run on real time beside the virtual one."""
        raise NotSimulated(
            "a thread pool (run_in_executor, asyncio.to_thread)",
            "await the work directly inside a run",
        )


def _keep_for_ever(task: asyncio.Task[object]) -> None:
    import ctypes

    task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - as asyncio.gather does
    # Its code runs when it is destroyed, and without a loop it might run for ever. A reference in Python would be
    # dropped when the interpreter ends, which would then hang.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(task))


def _refuse(name: str) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise NotSimulated(f"loop.{name}", "keep real input and output out of a simulated run")

    return refuse


for _name in [
    "add_reader",
    "add_signal_handler",
    "add_writer",
    "connect_accepted_socket",
    "connect_read_pipe",
    "connect_write_pipe",
    "create_connection",
    "create_datagram_endpoint",
    "create_server",
    "create_unix_connection",
    "create_unix_server",
    "getaddrinfo",
    "getnameinfo",
    "remove_reader",
    "remove_signal_handler",
    "remove_writer",
    "sendfile",
    "sock_accept",
    "sock_connect",
    "sock_recv",
    "sock_recv_into",
    "sock_recvfrom",
    "sock_recvfrom_into",
    "sock_sendall",
    "sock_sendfile",
    "sock_sendto",
    "start_tls",
    "subprocess_exec",
    "subprocess_shell",
]:
    setattr(SimLoop, _name, _refuse(_name))


class _Running(threading.local):
    loop: SimLoop | None = None
    """The simulated loop that runs in this thread. Asking asyncio would ask the operating system for the process each
    time, on Python 3.11, which costs a tenth of a sleep."""


running = _Running()


def happened(event: simpy.Event) -> Suspension:
    """Await a SimPy event from a coroutine that runs on a simulated loop; gives the event's value.

    An event must succeed: SimPy rebuilds exceptions and breaks them on the way, so errors cross as values.
    """
    # Asking asyncio for the running loop would ask the operating system for the process, on Python 3.11.
    loop = running.loop
    assert loop is not None, "events are awaited in a simulated loop"
    suspension = Suspension(loop)
    if event.callbacks is None:
        suspension.happened(event)
    else:
        event.callbacks.append(suspension.happened)
    return suspension


async def gone_through(times_s: Generator[float, None, T]) -> T:
    """Wait, in a coroutine on a simulated loop, for each time that a generator yields [s]; gives what it returns.

    So what a `Process` goes through beside the loop can be gone through in a task.
    """
    loop = running.loop
    assert loop is not None, "times are awaited in a simulated loop"
    try:
        while True:
            await loop.sleep_until(next(times_s))
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        times_s.close()

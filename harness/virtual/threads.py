"""Threads and pools of a program, in virtual time.

A thread is a real one that runs only while it holds the baton (`kernel/baton.py`), and whatever it waits for is a lock
(`locks.py`), a sleep or a read, which park. So conditions, events, timers, barriers, queues, futures and pools need no
code of ours. What is left for this file: how threads start, are joined and end; what a pool keeps from run to run; and
what Python counts or orders by address.
"""

from __future__ import annotations

import _thread
import asyncio
import concurrent.futures
import math
import os
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

from harness.errors import HarnessError
from harness.kernel.current_world import Notification, World, lineage_here, this_thread
from harness.kernel.identity import Identity, name_of_thread, name_of_work
from harness.kernel.lineage import NO_TASK, Lineage
from harness.kernel.sim_thread import RunIsOver, Waiter
from harness.virtual.locks import OUTSIDER_WALL_S
from harness.virtual.patching import Attribute, StandIn, method, stand_in
from harness.virtual.thread_locals import free_thread_locals

T = TypeVar("T")

_GOING_WALL_S = 5.0
"""How long the operating system may take to end a thread that has nothing more to do [real s]."""

_real_start = _thread.start_new_thread
_real_start_joinable: Any = getattr(_thread, "start_joinable_thread", None)
"""What `Thread.start` calls since Python 3.13."""
_real_join, _real_is_alive = threading.Thread.join, threading.Thread.is_alive
_real_submit = ThreadPoolExecutor.submit


# -- starting -----------------------------------------------------------------------------------------------


def _start_new_thread(
    world: World,
    function: Callable[..., object],
    args: tuple[object, ...],
    kwargs: dict[str, Any] | None = None,
) -> int:
    def run() -> None:
        function(*args, **(kwargs or {}))

    started: int = _spawn(world, function, run, lambda body: _real_start(body, ()))
    return started


def _start_joinable_thread(world: World, function: Callable[[], None], **kwargs: object) -> Any:  # noqa: ANN401 - a handle
    return _spawn(world, function, function, lambda body: _real_start_joinable(body, **kwargs))


def _spawn(
    world: World,
    function: Callable[..., object],
    run: Callable[[], object],
    start: Callable[[Callable[[], None]], Any],
) -> Any:  # noqa: ANN401 - whatever the real start returns
    owner = getattr(function, "__self__", None)
    thread = owner if isinstance(owner, threading.Thread) else None
    name = getattr(function, "__qualname__", "a thread") if thread is None else thread.name
    work = [run]
    network, commands = this_thread.network, this_thread.commands

    def inside() -> None:
        this_thread.world, this_thread.network, this_thread.commands = world, network, commands
        try:
            work.pop()()
        finally:
            free_thread_locals()

    parent = lineage_here()
    simulated, started = world.kernel.baton.spawn(
        name, start, inside, daemon=thread is not None and thread.daemon
    )
    simulated.lineage = Lineage(simulated, parent, world.kernel.now_s())
    target = function if thread is None else getattr(thread, "_target", None) or type(thread)
    simulated.identity = Identity(_identity_of(world, parent), name_of_thread(name, target))
    if thread is not None:
        world.threads[thread] = simulated
    return started


def _identity_of(world: World, lineage: Lineage | None) -> Identity:
    """Of what spawns something; of the thread, where a callback of a loop does."""
    if lineage is None or lineage is NO_TASK:
        return world.kernel.baton.current.identity
    return lineage.identity


async def in_thread(function: Callable[..., T], *args: object) -> T:
    """Call a function in a thread of its own, with the context variables of the task that awaits it.

    `asyncio.to_thread` would do so in a pool, whose size is one more limit.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = copy_context()

    def end(settle: Callable[[Any], None], outcome: object) -> None:
        if not future.cancelled():
            settle(outcome)

    def run() -> None:
        try:
            result = context.run(function, *args)
        except Exception as error:  # noqa: BLE001 - it is raised where the result is awaited
            loop.call_soon_threadsafe(end, future.set_exception, error)
        else:
            loop.call_soon_threadsafe(end, future.set_result, result)

    threading.Thread(target=run).start()
    return await future


# -- joining ------------------------------------------------------------------------------------------------


def _join(world: World, thread: threading.Thread, timeout: float | None = None) -> None:
    simulated = world.threads.get(thread)
    if simulated is None:
        _join_outsider(thread, timeout)
        return
    kernel = world.kernel
    if simulated is kernel.baton.current:
        raise RuntimeError("cannot join current thread")
    if not simulated.has_ended:
        me = Waiter(f"the end of thread {simulated.name}")
        simulated.on_done.append(me)
        try:
            began_s = kernel.now_s()
            until_s = math.inf if timeout is None else began_s + max(timeout, 0)
            ended = kernel.park(me, until_s)
            world.note_blocked(began_s)
            if not ended:
                return
        finally:
            if me in simulated.on_done:
                simulated.on_done.remove(me)
    with _outside():  # it has nothing more to do, and is gone in a moment
        _real_join(thread, _GOING_WALL_S)


def _join_outsider(thread: threading.Thread, timeout: float | None) -> None:
    with _outside():
        _real_join(thread, OUTSIDER_WALL_S if timeout is None else min(timeout, OUTSIDER_WALL_S))
        alive = _real_is_alive(thread)
    if alive:
        raise HarnessError(
            f"thread {thread.name} does not belong to the run, and virtual time cannot wait for its end\n"
            "  How to fix: start it inside the run."
        )


@contextmanager
def _outside() -> Iterator[None]:
    """Context manager: this thread is in no world: locks really block."""
    world, this_thread.world = this_thread.world, None
    try:
        yield
    finally:
        this_thread.world = world


def _is_alive(world: World, thread: threading.Thread) -> bool:
    simulated = world.threads.get(thread)
    if simulated is None:
        with _outside():
            return _real_is_alive(thread)
    return thread._started.is_set() and not simulated.has_ended  # type: ignore[attr-defined]  # noqa: SLF001 - as the original asks


# -- ending -------------------------------------------------------------------------------------------------


def end_threads(world: World) -> None:
    """End the threads that the program left, and restore its pools.

    Raises:
        HarnessError: A thread cannot be ended.
    """
    for pool in list(world.pools):
        pool._shutdown = True  # noqa: SLF001 - so that its workers go home
    for items in world.work_queues:
        _empty(
            items
        )  # so that workers begin nothing new, also those of a pool that is gone already
    world.work_queues.clear()
    baton = world.kernel.baton
    left = list(baton.threads)
    baton.end_threads()
    _forget_unstarted(world)
    with _outside():
        for thread, simulated in world.threads.items():
            if simulated in left and simulated.is_stuck:
                _keep_from_exit(thread)
            elif simulated in left and thread.ident is not None:
                _real_join(thread, _GOING_WALL_S)
    for pool, before in world.pools.items():
        for name, value in before.items():
            setattr(pool, name, value)
    world.pools.clear()
    stuck = [simulated.name for simulated in left if simulated.is_stuck]
    if stuck:
        raise HarnessError(
            f"thread {', '.join(stuck)} cannot be ended: it swallows the exception that ends it at the end of a run\n"
            "  How to fix: let `except` name what it expects, or catch `Exception`, which SystemExit is not."
        )


def _empty(items: queue.SimpleQueue[Any]) -> None:
    while True:
        try:
            items.get_nowait()
        except queue.Empty:
            return


def _forget_unstarted(world: World) -> None:
    """A thread that never had its first turn stays in limbo, where `threading.enumerate` finds it."""
    for thread in list(world.threads):  # others may be starting just now in the real world
        threading._limbo.pop(thread, None)  # type: ignore[attr-defined]  # noqa: SLF001 - no other way


def _keep_from_exit(thread: threading.Thread) -> None:
    """Let Python exit without waiting for a thread that never ends."""
    lock = getattr(thread, "_tstate_lock", None)
    if lock is not None:
        threading._shutdown_locks.discard(lock)  # type: ignore[attr-defined]  # noqa: SLF001 - up to Python 3.12
    else:
        thread._handle._set_done()  # type: ignore[attr-defined]  # noqa: SLF001 - since Python 3.13


@contextmanager
def silent_ends() -> Iterator[None]:
    """Context manager: threads that end because their run is over report nothing to `threading.excepthook`."""
    report = threading.excepthook

    def report_others(failed: Any) -> None:  # noqa: ANN401 - of a type with no public name
        if not issubclass(failed.exc_type, RunIsOver):
            report(failed)

    threading.excepthook = report_others
    try:
        yield
    finally:
        if threading.excepthook is report_others:
            threading.excepthook = report


# -- pools --------------------------------------------------------------------------------------------------


_INSIDES = ("_threads", "_work_queue", "_idle_semaphore", "_shutdown")
"""What a pool keeps of its workers; it has no public way to be made anew."""


def _submit(world: World, pool: ThreadPoolExecutor, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - a Future
    """Submit work, to fresh insides of the pool: workers of before the run are no threads of it."""
    if pool not in world.pools:
        world.pools[pool] = {name: getattr(pool, name) for name in _INSIDES}
        items: queue.SimpleQueue[Any] = queue.SimpleQueue()
        world.work_queues.append(items)
        fresh: dict[str, object] = {
            "_threads": set(),
            "_work_queue": items,
            "_idle_semaphore": threading.Semaphore(0),
        }
        for name, value in fresh.items():
            setattr(pool, name, value)
    if not args:
        return _real_submit(pool, **kwargs)  # type: ignore[call-arg]  # it says what is missing
    function, *rest = args
    work = Identity(_identity_of(world, lineage_here()), name_of_work(function, tuple(rest)))
    return _real_submit(pool, partial(_working_as, work, world, function), *rest, **kwargs)


def _working_as(
    work: Identity,
    world: World,
    function: Callable[..., T],
    *args: Any,  # noqa: ANN401 - the work's own
    **kwargs: Any,  # noqa: ANN401 - likewise
) -> T:
    """Do the work of a pool under the path of the task that submitted it."""
    __tracebackhide__ = True
    worker = world.kernel.baton.current
    before, worker.identity = worker.identity, work
    try:
        return function(*args, **kwargs)
    finally:
        worker.identity = before


# -- notifications ------------------------------------------------------------------------------------------


_real_notify = threading.Condition.notify


def _notify(world: World, condition: threading.Condition, n: int = 1) -> None:
    """Notify, and remember who did, for reports of deadlocks. Events, queues, semaphores, barriers and futures come here too."""
    awaited = bool(condition._waiters)  # type: ignore[attr-defined]  # noqa: SLF001 - no public way to ask
    _real_notify(condition, n)
    kernel = world.kernel
    world.notified[condition] = Notification(kernel.baton.current, kernel.now_s(), awaited)


# -- order, names -------------------------------------------------------------------------------------------


def _place(thing: Any) -> int:  # noqa: ANN401 - a Future or a Thread
    """Things that are made in a run stand in sets in the order in which they first came into one, not by address."""
    place: int | None = thing.__dict__.get("_place_in_sets")
    if place is None:
        world = this_thread.world
        place = object.__hash__(thing) if world is None else next(world.places)
        thing._place_in_sets = place  # noqa: SLF001 - ours
    return place


@contextmanager
def ordered_sets() -> Iterator[None]:
    """Context manager: futures and threads that runs make have an order in sets; those that are there keep theirs."""
    kinds: tuple[Any, ...] = (concurrent.futures.Future, threading.Thread)
    # Also those not started. A copy is made at once, whatever threads begin and end meanwhile.
    for reference in threading._dangling.data.copy():  # type: ignore[attr-defined]  # noqa: SLF001
        if (thread := reference()) is not None:
            _place(thread)
    for kind in kinds:
        kind.__hash__ = _place
    try:
        yield
    finally:
        for kind in kinds:
            del kind.__hash__


def _thread_number(world: World) -> int:
    return world.next_count("threading.Thread") + 1


def _pool_number(world: World) -> int:
    return world.next_count("ThreadPoolExecutor")


_counter_of_threads = threading._counter  # type: ignore[attr-defined]  # noqa: SLF001 - gives names, and with them keys of entropy
_counter_of_pools = ThreadPoolExecutor._counter  # type: ignore[attr-defined]  # noqa: SLF001 - likewise

CORES = 8
"""How many a run's computer has. The default size of a pool follows from it, and with it the times of a program."""


def _cores(_: World) -> int:
    return CORES


STAND_INS: tuple[StandIn, ...] = (
    *(
        stand_in(getattr(os, name), _cores)
        for name in ("cpu_count", "process_cpu_count")
        if hasattr(os, name)
    ),
    stand_in(_real_start, _start_new_thread),
    *(
        ()
        if _real_start_joinable is None
        else (stand_in(_real_start_joinable, _start_joinable_thread),)
    ),
)
ATTRIBUTES: tuple[Attribute, ...] = (
    method(ThreadPoolExecutor, "submit", _submit),
    Attribute(threading, "_counter", stand_in(_counter_of_threads, _thread_number).replacement),
    Attribute(
        ThreadPoolExecutor, "_counter", stand_in(_counter_of_pools, _pool_number).replacement
    ),
    method(threading.Condition, "notify", _notify),
    method(threading.Thread, "join", _join),
    method(threading.Thread, "is_alive", _is_alive),
)

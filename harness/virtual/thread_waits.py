"""What a thread waits for, from its stack: a lock, a notification, a result, another thread.

Conditions, events, queues and futures wait by means of a lock of their own. The frames between that lock and the code of
the program tell what it belongs to.
"""

from __future__ import annotations

import asyncio
import linecache
import queue
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent import futures
from dataclasses import dataclass
from types import FrameType, FunctionType
from typing import Any

from harness.kernel.awaited import AnyTask, name_of, names_in
from harness.kernel.code_places import PACKAGES
from harness.kernel.current_world import World
from harness.kernel.loop import SimLoop
from harness.kernel.sim_thread import SimThread, Waiter
from harness.virtual import locks, pool_workers

_KINDS = {"lock": "Lock", "SemLock": "Lock of multiprocessing"}
"""What the program calls a class that has another name in C."""

_PRIMITIVES = (
    queue.Queue,
    threading.Barrier,
    threading.Condition,
    threading.Event,
    threading.Semaphore,
    futures.Future,
)
_WAITS_OF_FUTURES = ("as_completed", "wait")
_RUNS_LOOP = SimLoop._run_once.__code__  # noqa: SLF001 - the function in which a loop runs callbacks

Doer = SimThread | AnyTask
"""Who may be waited for."""


@dataclass(frozen=True, slots=True)
class ThreadWait:
    """The wait of one thread."""

    what: str
    """In words, such as "Lock `page` (made at app.py:12)"."""
    why: str = ""
    """Why it does not come, such as "Thread-1 (work) has held it since 2.000000 s"."""
    on: Doer | None = None
    """Who would have to act first."""


def frames_of_thread(thread: SimThread) -> list[FrameType]:
    """The frames of a thread, outermost first."""
    frame = sys._current_frames().get(thread.ident)  # noqa: SLF001 - the documented way to see another thread
    frames: list[FrameType] = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return frames[::-1]


def thing_of_thread(thread: SimThread) -> object:
    """The lock, queue, event or future that a thread waits for; None if it waits for something else."""
    lock = None if thread.waits_for is None else locks.waited_for.get(thread.waits_for)
    if lock is None:
        return None
    held = locks.held.get(id(lock))
    if held is not None and held.thread is not thread:
        return lock
    return _primitive(frames_of_thread(thread)) or lock


def wait_of_thread(world: World, thread: SimThread) -> ThreadWait:
    """The wait of a thread."""
    waiter = thread.waits_for
    if waiter is None:
        return ThreadWait("its turn")
    frames = frames_of_thread(thread)
    lock = locks.waited_for.get(waiter)
    if lock is None:
        return ThreadWait(waiter.name, on=_joined(world, waiter))
    held = locks.held.get(id(lock))
    if held is not None and held.thread is not thread:
        on = None if held.thread.has_ended else held.thread
        ended = "" if on else " and has ended"
        why = f"{held.thread.name} has held it since {held.since_s:.6f} s{ended}"
        return ThreadWait(_told(world, lock, frames), why, on)
    primitive = _primitive(frames)
    if isinstance(primitive, futures.Future):
        return _wait_for_future(world, primitive, frames)
    if primitive is not None:
        name = _told(world, primitive, frames)
        state = _state(primitive, frames)
        return ThreadWait(f"{_part(primitive, frames)} {name}", state + _notified(world, frames))
    why = "it has taken it itself" if held is not None else ""
    return ThreadWait(_told(world, lock, frames), why)


def _joined(world: World, waiter: Waiter) -> SimThread | None:
    """The thread whose end is waited for."""
    threads = world.kernel.baton.threads
    return next((thread for thread in threads if waiter in thread.on_done), None)


def _own(frame: FrameType) -> bool:
    return not frame.f_code.co_filename.startswith(PACKAGES)


def _primitive(frames: list[FrameType]) -> object:
    """The outermost thing of the standard library that waits, between the program and the lock."""
    found: object = None
    for frame in reversed(frames):
        if _own(frame):
            break
        thing = frame.f_locals.get("self")
        if isinstance(thing, _PRIMITIVES):
            found = thing
        elif frame.f_code.co_name in _WAITS_OF_FUTURES and frame.f_globals is vars(futures._base):  # noqa: SLF001 - where they are
            fs: Iterable[futures.Future[Any]] = frame.f_locals.get("fs", ())
            waiting = [future for future in fs if not future.done()]
            found = waiting[0] if waiting else found
    return found


def _part(thing: object, frames: list[FrameType]) -> str:
    match thing:
        case queue.Queue() if _in_method(frames, "get"):
            return "an item of"
        case queue.Queue() if _in_method(frames, "put"):
            return "room in"
        case queue.Queue():
            return "task_done of all items of"
        case threading.Barrier():
            return "the others at"
        case threading.Semaphore():
            return "a permit of"
    return "a notification of"


def _state(thing: object, frames: list[FrameType]) -> str:
    match thing:
        case queue.Queue() if _in_method(frames, "get"):
            return "it is empty; "
        case queue.Queue() if _in_method(frames, "put"):
            return f"it is full at {thing.maxsize}; "
        case threading.Barrier():
            return f"{thing.n_waiting} of {thing.parties} have arrived; "
    return ""


def _in_method(frames: list[FrameType], method: str) -> bool:
    return any(
        frame.f_code.co_name == method and frame.f_globals is vars(queue) for frame in frames
    )


def _notified(world: World, frames: list[FrameType]) -> str:
    """Who gave the notification before, and could have given this one."""
    condition = next(
        thing
        for frame in reversed(frames)
        if isinstance(thing := frame.f_locals.get("self"), threading.Condition)
    )
    last = world.notified.get(condition)
    if last is None:
        return "no thread has ever notified it"
    missed = "" if last.was_awaited else ", when no thread waited"
    gone = "; that thread has ended" if last.thread.has_ended else ""
    return f"the last notification came from {last.thread.name} at {last.at_s:.6f} s{missed}{gone}"


# -- results ------------------------------------------------------------------------------------------------


def _wait_for_future(
    world: World, future: futures.Future[Any], frames: list[FrameType]
) -> ThreadWait:
    task = source_of(future)
    if isinstance(task, asyncio.Task):
        return ThreadWait(f"the result of {task.get_name()}", on=task)
    worker = worker_of(world, future)
    if worker is not None:
        return ThreadWait(f"the result of work that {worker.name} does", on=worker)
    if any(future is item.future for pool in world.pools for item in _queued(pool)):
        return ThreadWait("the result of work that has not begun", "no worker of its pool is free")
    blocked = [frame.f_locals["self"] for frame in frames if frame.f_code is _RUNS_LOOP]
    why = "the loop of this thread is blocked meanwhile and has work to do"
    has_work = any(loop.has_work for loop in blocked)
    return ThreadWait("a Future that was never completed", why if has_work else "")


def _queued(pool: futures.ThreadPoolExecutor) -> list[Any]:
    """What a pool has not begun; the queue can only be looked at by emptying it, and the run is over."""
    items = pool._work_queue  # noqa: SLF001 - no public way to ask
    waiting: list[Any] = []
    while not items.empty():
        waiting.append(items.get_nowait())
    for item in waiting:
        items.put(item)
    return [item for item in waiting if item is not None]


def worker_of(world: World, future: object) -> SimThread | None:
    """The thread that works on what a future is the result of."""
    for thread in world.kernel.baton.threads:
        for frame in frames_of_thread(thread):
            if frame.f_code is pool_workers.RUNS_WORK and frame.f_locals["self"].future is future:
                return thread
    return None


def thread_of(world: World, loop: asyncio.AbstractEventLoop) -> SimThread | None:
    """The thread in which a loop has called something that blocks."""
    baton = world.kernel.baton
    for thread in (baton.main, *baton.threads):
        if thread.waits_for is not None and thread.waits_for is not getattr(loop, "waiter", None):
            for frame in frames_of_thread(thread):
                if frame.f_code is _RUNS_LOOP and frame.f_locals["self"] is loop:
                    return thread
    return None


def source_of(future: object) -> object:
    """The task or future that asyncio has chained a future to; None if there is none."""
    callbacks = getattr(future, "_done_callbacks", None) or [
        callback for callback, _ in getattr(future, "_callbacks", None) or ()
    ]
    for callback in callbacks:
        if isinstance(callback, FunctionType) and callback.__name__ == "_call_check_cancel":
            cells = dict(
                zip(callback.__code__.co_freevars, callback.__closure__ or (), strict=True)
            )
            return cells["source"].cell_contents
    return None


# -- names --------------------------------------------------------------------------------------------------


def _told(world: World, thing: object, frames: list[FrameType]) -> str:
    """What a thing is called, and where it was made: "Lock `page` (made at app.py:12)"."""
    kind = _KINDS.get(type(thing).__name__, type(thing).__name__)
    # A lock of multiprocessing keeps the thing that is waited for to itself.
    names = list(dict.fromkeys(it.removesuffix("._semlock") for it in _names(world, thing, frames)))
    for name in names:
        for place in _makings(name, kind, frames):
            return f"{kind} `{name}` (made at {place})"
    return f"{kind} `{names[0]}`" if names else name_of(thing, [], kind)


def _names(world: World, thing: object, frames: list[FrameType]) -> Iterator[str]:
    """What the program calls a thing: where it waits, in the modules of that code, and where other threads are."""
    own = [frame for frame in reversed(frames) if _own(frame)]
    for frame in own:
        yield from names_in(frame.f_locals, thing)
    for frame in own:
        yield from names_in(frame.f_globals, thing)
    for thread in (world.kernel.baton.main, *world.kernel.baton.threads):
        for frame in reversed(frames_of_thread(thread)):
            if _own(frame):
                yield from names_in(frame.f_locals, thing)


def _makings(name: str, kind: str, frames: list[FrameType]) -> Iterator[str]:
    """The lines of the program that look as if they gave a variable or attribute a thing of that kind."""
    variable = re.split(r"\W+", re.sub(r"\[.*", "", name))[-1]
    made = re.compile(rf"\b{re.escape(variable)}\b[^=]*=(?!=).*\b{kind}\b")
    files = dict.fromkeys(frame.f_code.co_filename for frame in reversed(frames) if _own(frame))
    for file in files:
        for number, line in enumerate(linecache.getlines(file), 1):
            if made.search(line):
                yield f"{file}:{number}"

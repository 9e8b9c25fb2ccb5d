"""Locks and simple queues that park instead of blocking while a world is open.

Everything of `threading`, `queue` and `concurrent.futures` that waits is Python on top of three types that are written
in C: `lock`, `RLock` and `SimpleQueue`. Their methods are replaced in the types' own dictionaries, so that locks work
whenever and by whomever they were made. Each method tries without blocking, and parks where it would have blocked.
"""

from __future__ import annotations

import _queue
import _thread
import ctypes
import gc
import logging
import math
import queue
import sys
import sysconfig
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any, NamedTuple

from harness.errors import HarnessError
from harness.kernel.current_world import World, this_thread
from harness.kernel.sim_thread import RunIsOver, SimThread, Waiter
from harness.virtual import pool_workers
from harness.virtual.outsiders import comes_from_outside, given_by_outsider, threads_outside

OUTSIDER_WALL_S = 1.0
"""How long a lock is waited for that a thread outside of the run holds [real s]; logging holds its locks for microseconds."""

_LOCK: Any = type(_thread.allocate_lock())
_RLOCK: Any = _thread.RLock
_QUEUE: Any = _queue.SimpleQueue

# Types that are written in C are changed in their own dictionaries; there is no other way in.
_lock_fields, _rlock_fields, _queue_fields = (
    gc.get_referents(kind.__dict__)[0] for kind in (_LOCK, _RLOCK, _QUEUE)
)
_acquire, _release = _lock_fields["acquire"], _lock_fields["release"]
_rlock_acquire, _rlock_release = _rlock_fields["acquire"], _rlock_fields["release"]
_rlock_is_owned = _rlock_fields["_is_owned"]
_rlock_save, _rlock_restore = _rlock_fields["_release_save"], _rlock_fields["_acquire_restore"]
_queue_get, _queue_put = _queue_fields["get"], _queue_fields["put"]


_WAITS = threading.Condition.wait.__code__
"""Tries a lock that it has taken itself, where no time is left."""

_ASK_ONCE = frozenset(
    (threading.Condition._is_owned.__code__, threading.Semaphore.acquire.__code__)  # type: ignore[attr-defined]  # noqa: SLF001 - to know them
)
"""Finds a lock taken in the ordinary course: a condition asks whether its lock is held, and a pool looks for an idle worker
before each job."""

_LIFE_OF_A_THREAD = frozenset(
    {"start", "_bootstrap", "_bootstrap_inner", "join", "_delete", "__init__"}
)
"""Methods of `threading.Thread` that take locks."""


_IMPORT = "<frozen importlib._bootstrap>"
"""Where modules are imported, each under a lock of its own."""

_LOGGERS = logging._lock  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other way to know it
"""The lock of all loggers; each handler has one of its own."""

_INSTALLED = tuple(sysconfig.get_path(name) for name in ("purelib", "platlib"))
_STANDARD = (sysconfig.get_path("stdlib"), "<frozen ")
"""Where the code of installed packages and of Python itself is; installed packages may lie within the latter."""


class Held(NamedTuple):
    """The holder of a lock."""

    thread: SimThread
    since_s: float
    """Virtual [s]."""


held: dict[int, Held] = {}
"""The locks that threads of runs have taken, by id. One that is not here is free, or held by a thread of no run."""

waited_for: dict[Waiter, Any] = {}
"""The lock or queue that each waiter waits for."""

_lines: dict[int, deque[Waiter]] = {}
"""What waits for each lock or queue, by id."""

_woken_by: dict[Waiter, str] = {}
"""The threads outside of the run that gave waiters what these wait for."""


def wait_in_line(
    world: World, thing: object, words: str, until_s: float, attempt: Callable[[], object]
) -> Any:  # noqa: ANN401 - what the attempt gives
    """Park until an attempt returns a value other than None, or until a time."""
    me = Waiter(words, thread=world.kernel.baton.current)
    key = id(thing)
    _lines.setdefault(key, deque()).append(me)
    waited_for[me] = thing
    try:
        while True:
            began_s = world.kernel.now_s()
            woken = world.kernel.park(me, until_s)
            world.note_blocked(began_s)
            got = attempt()
            if me in _woken_by:
                raise comes_from_outside(_woken_by.pop(me))
            if got is None and not woken and given_by_outsider(world, attempt):
                raise comes_from_outside(", ".join(threads_outside(world)))
            if got is not None or not woken:
                return got
            # Somebody was faster. The line may have been taken away and made anew since.
            line = _lines.setdefault(key, deque())
            if me not in line:
                line.appendleft(me)
    finally:
        del waited_for[me]
        _woken_by.pop(me, None)
        line = _lines.get(key, deque())
        if me in line:
            line.remove(me)
        if not line:
            _lines.pop(key, None)


def wake_next(thing: object, *, is_given: bool = False) -> None:
    """Wake what waits first for a lock or queue; with a choice of order, any that waits.

    Args:
        thing: What it waits for.
        is_given: Whether a thread outside of the run that comes here gives what a thread of the run waits for, and does
            not only put back what it had itself.
    """
    line = _lines.get(id(thing))
    if not line:
        return
    world = this_thread.world
    if world is None:
        waiter = line.popleft()
        assert waiter.thread is not None, "it waits, so it has one"
        baton = waiter.thread.baton
        if is_given and baton.current.ident != _thread.get_ident():
            _woken_by[waiter] = threading.current_thread().name
        baton.wake_from_outside(waiter)
        return
    choose = world.kernel.baton.choose
    place = choose(line) if choose is not None and len(line) > 1 else 0
    waiter = line[place]
    del line[place]
    world.kernel.wake(waiter)


# -- lock and RLock -----------------------------------------------------------------------------------------


def _parking(real: Callable[..., bool], words: str) -> Callable[..., bool]:
    """An `acquire` that parks where the real one would block."""

    def acquire(lock: object, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002 - as the original
        world = this_thread.world
        if world is None:
            return real(lock, blocking, timeout)
        kernel = world.kernel
        if kernel.baton.choose is not None and not is_housekeeping(lock):
            kernel.baton.offer()
        if real(lock, False):  # noqa: FBT003 - it takes no keyword in all versions
            held[id(lock)] = Held(kernel.baton.current, kernel.now_s())
            return True
        if not blocking or timeout == 0 or (timeout < 0 and timeout != -1):
            taken = real(lock, blocking, timeout)  # which knows all errors
            if not taken and _is_looked_for(sys._getframe(1)):  # noqa: SLF001 - who tries
                world.look_in_vain()
            return taken
        if timeout > threading.TIMEOUT_MAX:
            raise OverflowError("timestamp too large to convert to C _PyTime_t")

        def attempt() -> bool | None:
            if real(lock, False):  # noqa: FBT003 - see above
                held[id(lock)] = Held(kernel.baton.current, kernel.now_s())
                return True
            return None

        if _is_imported_elsewhere(world):
            return real(lock, blocking, timeout)
        holder = held.get(id(lock))
        if (holder is None or holder.thread.baton is not kernel.baton) and outsider_releases(
            real, lock, world
        ):
            held[id(lock)] = Held(kernel.baton.current, kernel.now_s())
            return True
        until_s = math.inf if timeout < 0 else kernel.now_s() + timeout
        return wait_in_line(world, lock, words, until_s, attempt) is not None

    return acquire


def _is_looked_for(frame: FrameType) -> bool:
    """Whether code that finds a lock taken may try again, until it is free or a time is over."""
    asks = frame.f_back if frame.f_code is _WAITS else frame
    return asks is None or asks.f_code not in _ASK_ONCE


def _is_imported_elsewhere(world: World) -> bool:
    """Whether the lock is that of a module which a thread of another run, or of none, imports just now."""
    frame = sys._getframe(2)  # noqa: SLF001 - who takes the lock
    if frame.f_code.co_filename != _IMPORT:
        return False
    owner = getattr(frame.f_locals.get("self"), "owner", None)
    baton = world.kernel.baton
    return owner not in {thread.ident for thread in (baton.main, *baton.threads)}


def is_housekeeping(lock: object) -> bool:
    """Whether no choice of order is due where a lock is taken, because of what it is for.

    Choices where threads start and end would drown those that the program has. Modules are imported, loggers learn their
    level and installed packages fill their caches in the first of several runs in a process only, and one seed must find the
    same order in all of them.
    """
    if lock is _LOGGERS:
        return True
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - who takes the lock
    while frame is not None and frame.f_code.co_filename == threading.__file__:
        if frame.f_code.co_name in _LIFE_OF_A_THREAD:
            return True
        frame = frame.f_back
    is_own = False
    while frame is not None:
        file = frame.f_code.co_filename
        if file == _IMPORT or (not is_own and file.startswith(_INSTALLED)):
            return True
        is_own = is_own or not file.startswith(_STANDARD)
        frame = frame.f_back
    return False


def outsider_releases(real: Callable[..., bool], lock: object, world: World) -> bool:
    """Wait in real time for a lock that no thread of the run has taken.

    Raises:
        HarnessError: Another thread of the process keeps it.
    """
    others = threads_outside(world)
    if not others:
        return False  # it was taken before the run, in this thread: a deadlock, which the kernel reports
    if real(lock, True, OUTSIDER_WALL_S):  # noqa: FBT003 - see above
        return True
    raise HarnessError(
        f"a lock is held by a thread that does not belong to the run ({', '.join(others)}), and virtual time cannot wait "
        "for real time\n  How to fix: start that thread inside the run, or not at all in tests."
    )


_park_for_lock = _parking(_acquire, "a Lock")
_park_for_rlock = _parking(_rlock_acquire, "an RLock")


def _release_lock(lock: object) -> None:
    _release(lock)
    # Each thread that waits for a Condition waits for a lock that it has taken before, and the thread that notifies releases it.
    was_of_run = held.pop(id(lock), None) is not None
    if not was_of_run and this_thread.world is not None:
        this_thread.world.woken_outside = True
    if _lines:
        wake_next(lock, is_given=was_of_run)


def _release_rlock(lock: object) -> None:
    _rlock_release(lock)
    if not _rlock_is_owned(lock):
        held.pop(id(lock), None)
        if _lines:
            wake_next(lock)


def _save_rlock(lock: object) -> Any:  # noqa: ANN401 - a lock, and its state
    state = _rlock_save(lock)
    held.pop(id(lock), None)
    if _lines:
        wake_next(lock)
    return state


def _restore_rlock(lock: object, state: object) -> None:
    if this_thread.world is not None:
        _park_for_rlock(lock)
        _rlock_release(
            lock
        )  # `restore` takes it again, and does not wait since no other thread runs
    _rlock_restore(lock, state)


def _leave_lock(lock: object, *_: object) -> None:
    _release_lock(lock)


def _leave_rlock(lock: object, *_: object) -> None:
    _release_rlock(lock)


# -- SimpleQueue --------------------------------------------------------------------------------------------


def _get(q: object, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ANN401, FBT001, FBT002 - as the original
    world = this_thread.world
    if world is None:
        return _queue_get(q, block, timeout)
    if not block or (timeout is not None and timeout < 0):
        try:
            return _queue_get(q, block, timeout)
        except queue.Empty:
            world.look_in_vain()
            raise

    def attempt() -> tuple[Any] | None:
        try:
            return (_queue_get(q, False),)  # noqa: FBT003 - as above
        except queue.Empty:
            return None

    until_s = math.inf if timeout is None else world.kernel.now_s() + timeout
    try:
        got = attempt() or wait_in_line(world, q, "an item of a queue", until_s, attempt)
    except RunIsOver:
        # A pool logs whatever ends its workers; with None they go home, because `end_threads` has shut the pool.
        if sys._getframe(1).f_code is pool_workers.WORKER:  # noqa: SLF001 - who calls
            return None
        raise
    if got is None:
        raise queue.Empty
    return got[0]


def _get_nowait(q: object) -> Any:  # noqa: ANN401 - as above
    return _get(q, block=False)


def _put(q: object, item: object, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002 - as the original
    _queue_put(q, item)
    if _lines:
        wake_next(q, is_given=True)


def _put_nowait(q: object, item: object) -> None:
    _put(q, item)


# -- putting them in ----------------------------------------------------------------------------------------

_CHANGES: tuple[tuple[type, dict[str, Any], dict[str, Callable[..., object]]], ...] = (
    (
        _LOCK,
        _lock_fields,
        {
            "acquire": _park_for_lock,
            "acquire_lock": _park_for_lock,
            "__enter__": _park_for_lock,
            "release": _release_lock,
            "release_lock": _release_lock,
            "__exit__": _leave_lock,
        },
    ),
    (
        _RLOCK,
        _rlock_fields,
        {
            "acquire": _park_for_rlock,
            "__enter__": _park_for_rlock,
            "release": _release_rlock,
            "__exit__": _leave_rlock,
            "_release_save": _save_rlock,
            "_acquire_restore": _restore_rlock,
        },
    ),
    (
        _QUEUE,
        _queue_fields,
        {"get": _get, "get_nowait": _get_nowait, "put": _put, "put_nowait": _put_nowait},
    ),
)


@contextmanager
def parking_locks() -> Iterator[None]:
    """Context manager: locks and simple queues park in a world; elsewhere they do what they always did."""
    with ExitStack() as changes:
        for kind, fields, new in _CHANGES:
            changes.enter_context(changed_type(kind, fields, new))
        try:
            yield
        finally:
            held.clear()
            _lines.clear()
            _woken_by.clear()


@contextmanager
def changed_type(
    kind: type, fields: dict[str, Any], new: dict[str, Callable[..., object]]
) -> Iterator[None]:
    """Context manager: a type that is written in C has other methods.

    Args:
        kind: The type.
        fields: Its dictionary.
        new: The methods, by name.
    """
    before = {name: fields[name] for name in new}
    _write(kind, fields, new)
    try:
        yield
    finally:
        _write(kind, fields, before)


def _write(kind: type, fields: dict[str, Any], methods: dict[str, Callable[..., object]]) -> None:
    fields.update(methods)
    # Attributes are looked up in a cache.
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))

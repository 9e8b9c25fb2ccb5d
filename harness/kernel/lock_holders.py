"""Which tasks hold an asyncio lock or semaphore permits, and which used a queue last.

asyncio does not keep this. A report of a deadlock needs it to say who would have to act.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from harness.kernel.mail import forget_mail, note_put, note_taken

AnyTask = asyncio.Task[object]

_lock_holders: dict[asyncio.Lock, AnyTask | None] = {}
_permit_holders: dict[asyncio.Semaphore, list[AnyTask | None]] = {}
_last_put: WeakKeyDictionary[asyncio.Queue[Any], AnyTask | None] = WeakKeyDictionary()
_last_taken: WeakKeyDictionary[asyncio.Queue[Any], AnyTask | None] = WeakKeyDictionary()


def lock_holder(lock: asyncio.Lock) -> AnyTask | None:
    """The task that holds a lock; None if it was taken before this run."""
    return _lock_holders.get(lock)


def permit_holders(semaphore: asyncio.Semaphore) -> list[AnyTask]:
    """The tasks that hold permits of a semaphore, in the order in which they took them; one task may hold several."""
    return [task for task in _permit_holders.get(semaphore, ()) if task is not None]


def held_for_ever() -> list[str]:
    """The locks and permits that tasks took which have ended since, in words; nobody is left who would give them back."""
    locks = [("a Lock", task) for task in _lock_holders.values()]
    permits = [
        (f"a permit of a {type(semaphore).__name__}", task)
        for semaphore, tasks in _permit_holders.items()
        for task in tasks
    ]
    return sorted(
        f"{what} is never given back, taken by {_name(task)}, which has ended"
        for what, task in (*locks, *permits)
        if task is not None and task.done()
    )


def _name(task: AnyTask) -> str:
    lineage = getattr(task, "lineage", None)
    return task.get_name() if lineage is None else str(lineage.path)


def last_putter(queue: asyncio.Queue[Any]) -> AnyTask | None:
    """The task that put the latest item into a queue; None if none did in this run."""
    return _last_put.get(queue)


def last_taker(queue: asyncio.Queue[Any]) -> AnyTask | None:
    """The task that took the latest item from a queue; None if none did in this run."""
    return _last_taken.get(queue)


@contextmanager
def noted_holders() -> Iterator[None]:
    """Context manager: locks, semaphores and queues note the task that uses them; what was noted is forgotten at the end."""
    lock_acquire, lock_release = asyncio.Lock.acquire, asyncio.Lock.release
    acquire, release = asyncio.Semaphore.acquire, asyncio.Semaphore.release
    put, take = asyncio.Queue.put_nowait, asyncio.Queue.get_nowait

    async def acquire_lock(lock: asyncio.Lock) -> Any:  # noqa: ANN401 - Literal[True], by typeshed
        taken = await lock_acquire(lock)
        _lock_holders[lock] = asyncio.current_task()
        return taken

    def release_lock(lock: asyncio.Lock) -> None:
        lock_release(lock)
        _lock_holders.pop(lock, None)

    async def acquire_permit(semaphore: asyncio.Semaphore) -> Any:  # noqa: ANN401 - as above
        taken = await acquire(semaphore)
        _permit_holders.setdefault(semaphore, []).append(asyncio.current_task())
        return taken

    def release_permit(semaphore: asyncio.Semaphore) -> None:
        release(semaphore)
        _forget_one(semaphore)

    def put_nowait(queue: asyncio.Queue[Any], item: object) -> None:
        put(queue, item)
        task = _last_put[queue] = _current_task()
        if task is not None:
            note_put(queue, task, task.get_loop().time())

    def get_nowait(queue: asyncio.Queue[Any]) -> Any:  # noqa: ANN401 - the program's
        item = take(queue)
        task = _last_taken[queue] = _current_task()
        if task is not None:
            note_taken(queue, task, queue.qsize())
        return item

    asyncio.Lock.acquire = acquire_lock  # type: ignore[method-assign, assignment]
    asyncio.Lock.release = release_lock  # type: ignore[method-assign, assignment]
    asyncio.Semaphore.acquire = acquire_permit  # type: ignore[method-assign, assignment]
    asyncio.Semaphore.release = release_permit  # type: ignore[method-assign, assignment]
    asyncio.Queue.put_nowait = put_nowait  # type: ignore[method-assign, assignment]
    asyncio.Queue.get_nowait = get_nowait  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        asyncio.Lock.acquire = lock_acquire  # type: ignore[method-assign]
        asyncio.Lock.release = lock_release  # type: ignore[method-assign]
        asyncio.Semaphore.acquire = acquire  # type: ignore[method-assign]
        asyncio.Semaphore.release = release  # type: ignore[method-assign]
        asyncio.Queue.put_nowait = put  # type: ignore[method-assign]
        asyncio.Queue.get_nowait = take  # type: ignore[method-assign]
        for noted in (_lock_holders, _permit_holders, _last_put, _last_taken):
            noted.clear()
        forget_mail()


def _forget_one(semaphore: asyncio.Semaphore) -> None:
    """Forget the permit of the task that releases; a task that holds none gives back the permit of another."""
    holders = _permit_holders.get(semaphore)
    if holders:
        me = _current_task()
        holders.remove(me if me in holders else holders[0])
        if not holders:
            del _permit_holders[semaphore]


def _current_task() -> AnyTask | None:
    """The task that runs, if any: a callback may put an item too."""
    try:
        return asyncio.current_task()
    except RuntimeError:  # no loop runs in this thread
        return None

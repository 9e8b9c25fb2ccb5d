"""What makes asyncio's own sets iterate in one order.

`TaskGroup`, `wait`, `as_completed` and `all_tasks` keep tasks and futures in sets, which iterate by hash, and the
default hash is an address. Tasks and futures of a simulated loop hash to the order of their creation instead; the sets
that asyncio builds of coroutines, which nobody can give a hash, become insertion-ordered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class SimTask(asyncio.Task[T]):
    """A task that hashes to the order in which its loop first put it, or a future, into a set."""

    order: int

    def __hash__(self) -> int:
        return _place(self)


class SimFuture(asyncio.Future[T]):
    """A future that hashes to the order in which its loop first put it, or a task, into a set."""

    order: int

    def __hash__(self) -> int:
        return _place(self)


def _place(future: SimTask[Any] | SimFuture[Any]) -> int:
    """Give a number on the first question: most futures are never put into a set, and should not pay for it."""
    try:
        return future.order
    except AttributeError:
        future.order = next(future.get_loop().hash_order)  # type: ignore[attr-defined]  # only a SimLoop makes them
        return future.order


class OrderedSet(set[T]):
    """A set that iterates in order of insertion; it stands in for `set` inside asyncio.tasks.

    Only what it was made of is kept in order, which is all that asyncio asks of it: the coroutines given to
    `as_completed` and `wait`. What is added later are tasks, and those have a deterministic hash.
    """

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._first = dict.fromkeys(items)
        super().__init__(self._first)

    def __iter__(self) -> Iterator[T]:
        yield from (item for item in self._first if item in self)
        yield from (item for item in super().__iter__() if item not in self._first)


_held_by: dict[asyncio.Lock, asyncio.Task[Any] | None] = {}


def holder(lock: asyncio.Lock) -> asyncio.Task[Any] | None:
    """The task that holds a lock, if one took it in this run."""
    return _held_by.get(lock)


@contextmanager
def deterministic_asyncio(sleep: Callable[..., Coroutine[Any, Any, Any]]) -> Iterator[None]:
    """While inside, asyncio.tasks builds ordered sets, locks remember who holds them, and `asyncio.sleep` is ours."""
    stock_sleep = asyncio.sleep
    acquire, release = asyncio.Lock.acquire, asyncio.Lock.release

    async def acquire_and_note(lock: asyncio.Lock) -> Any:  # noqa: ANN401 - Literal[True], by typeshed
        taken = await acquire(lock)
        _held_by[lock] = asyncio.current_task()
        return taken

    def release_and_note(lock: asyncio.Lock) -> None:
        release(lock)
        _held_by.pop(lock, None)

    asyncio.sleep = sleep
    asyncio.tasks.set = OrderedSet  # type: ignore[attr-defined]
    asyncio.Lock.acquire = acquire_and_note  # type: ignore[method-assign]
    asyncio.Lock.release = release_and_note  # type: ignore[method-assign]
    try:
        yield
    finally:
        asyncio.sleep = stock_sleep
        del asyncio.tasks.set  # type: ignore[attr-defined]
        asyncio.Lock.acquire = acquire  # type: ignore[method-assign]
        asyncio.Lock.release = release  # type: ignore[method-assign]
        _held_by.clear()

"""Deterministic iteration order for asyncio's own sets.

`TaskGroup`, `wait`, `as_completed` and `all_tasks` keep tasks and futures in sets, which iterate by hash, and the
default hash is an address. Tasks and futures of a simulated loop hash to the order of their creation instead; the sets
that asyncio builds of coroutines and async generators, whose hash cannot be set, become insertion-ordered.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from harness.kernel.lineage import Lineage
from harness.kernel.lock_holders import noted_holders
from harness.kernel.shared_patch import SharedChange

T = TypeVar("T")


class SimTask(asyncio.Task[T]):
    """A task that hashes to its number in its loop."""

    __slots__ = ("lineage", "order")
    order: int
    """1 for the first task of the loop; given by the loop before anything else."""
    lineage: Lineage
    """Which tasks it descends from; given by the loop as well."""

    def __hash__(self) -> int:
        return self.order

    def set_name(self, value: object, /) -> None:
        """Name the task; before its first step the name becomes part of its path, as a name given to `create_task` is."""
        super().set_name(value)
        coro: Any = self.get_coro()
        if getattr(coro, "cr_frame", None) and inspect.getcoroutinestate(coro) == "CORO_CREATED":
            self.lineage.identity.rename(str(value))


class SimFuture(asyncio.Future[T]):
    """A future that hashes to the order in which its loop first put it, or a task, into a set."""

    __slots__ = ("made_s", "order")
    made_s: float
    """When it was made, which is when a task begins to wait for a primitive of asyncio [virtual s]."""
    order: int

    def __hash__(self) -> int:
        return _place(self)


class SimGather(asyncio.tasks._GatheringFuture):  # type: ignore[name-defined, misc]  # noqa: SLF001 - what gather makes
    """What `gather` returns, hashing like any other future."""

    order: int

    def __hash__(self) -> int:
        return _place(self)


def _place(future: SimFuture[Any] | SimGather) -> int:
    """Give a number on the first question: most futures are never put into a set, and should not pay for it."""
    order = getattr(future, "order", None)  # half the price of an exception
    if order is None:
        numbers = getattr(future.get_loop(), "hash_order", None)
        # Without numbers it is a gather on a stock loop in another thread, met while a run is active in this one.
        order = future.order = object.__hash__(future) if numbers is None else next(numbers)
    return order


class OrderedSet(set[T]):
    """A set that iterates in order of insertion; it stands in for `set` inside asyncio.tasks.

    It knows the order of what it was made of and of what `add` brought, which is all that asyncio does with it: the
    coroutines given to `as_completed` and `wait`, and the futures that `wait` returns. Whatever comes in another way
    follows by its hash.
    """

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._in_order = dict.fromkeys(items)
        super().__init__(self._in_order)

    def add(self, item: T) -> None:
        """Add an item at the end."""
        super().add(item)
        self._in_order[item] = None

    def __iter__(self) -> Iterator[T]:
        yield from (item for item in self._in_order if item in self)
        yield from (item for item in super().__iter__() if item not in self._in_order)


class OrderedWeakSet(WeakKeyDictionary[T, None]):
    """What a loop keeps its async generators in, to close them when it ends in the order in which they began."""

    def add(self, item: T) -> None:
        """Add an item at the end."""
        self[item] = None

    def discard(self, item: T) -> None:
        """Forget an item, if it is there."""
        self.pop(item, None)


@contextmanager
def _changed_asyncio(sleep: Callable[..., Coroutine[object, None, Any]]) -> Iterator[None]:
    stock_sleep, stock_all_tasks = asyncio.sleep, asyncio.all_tasks
    stock_gather = asyncio.tasks._GatheringFuture  # type: ignore[attr-defined]  # noqa: SLF001 - made by gather alone

    def all_tasks_in_order(
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> set[asyncio.Task[object]]:
        tasks = stock_all_tasks(loop)
        # asyncio copies them from a set of all loops' tasks, where those of an earlier run may stand in the way.
        return OrderedSet(sorted(tasks, key=lambda task: getattr(task, "order", 0)))

    asyncio.sleep = sleep
    asyncio.all_tasks = asyncio.tasks.all_tasks = all_tasks_in_order
    asyncio.tasks._GatheringFuture = SimGather  # type: ignore[attr-defined]  # noqa: SLF001 - made by gather alone
    asyncio.tasks.set = OrderedSet  # type: ignore[attr-defined]
    try:
        with noted_holders():
            yield
    finally:
        asyncio.sleep = stock_sleep
        asyncio.all_tasks = asyncio.tasks.all_tasks = stock_all_tasks
        asyncio.tasks._GatheringFuture = stock_gather  # type: ignore[attr-defined]  # noqa: SLF001 - see above
        del asyncio.tasks.set  # type: ignore[attr-defined]


deterministic_asyncio = SharedChange(_changed_asyncio)
"""Context manager: asyncio keeps everything in order, locks, semaphores and queues remember who used them, and `asyncio.sleep` is the given one."""

"""What programs do with threads, and what a run makes of it: the rows of docs/threads.md, each with a program."""

# ruff: noqa: ANN401, TID251 - programs of the user's
from __future__ import annotations

import _thread
import asyncio
import contextvars
import queue
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from harness.errors import Deadlock, HarnessError
from tests.isolation.way import Way

T = TypeVar("T")


def _in_threads(*works: Callable[[], object]) -> float:
    """How long it takes to do them side by side [s]."""
    began_s = time.monotonic()
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - began_s


def _sleep(seconds: float = 2) -> None:
    time.sleep(seconds)


def _later(work: Callable[[], T]) -> T:
    _sleep()
    return work()


def _takes(seconds: float, work: Callable[[], object]) -> bool:
    began_s = time.monotonic()
    work()
    return time.monotonic() - began_s == seconds


def _waits_until_told(wait: Callable[[], object], tell: Callable[[], object]) -> bool:
    """Whether one thread waits until another, after two seconds, ends that."""
    return _in_threads(wait, lambda: _later(tell)) == 2


# -- threading ------------------------------------------------------------------------------------------------


def _timer() -> bool:
    told: list[float] = []
    timer = threading.Timer(2, lambda: told.append(time.monotonic()))
    timer.start()
    timer.join()
    return told == [2]


def _lock(kind: Callable[[], Any]) -> bool:
    lock = kind()

    def hold() -> None:
        with lock:
            _sleep()

    return _in_threads(hold, hold, hold) == 6


def _lock_in_vain() -> bool:
    lock = threading.Lock()
    lock.acquire()
    return _takes(2, lambda: lock.acquire(timeout=2))


def _condition() -> bool:
    ready = threading.Condition()

    def wait() -> None:
        with ready:
            ready.wait()

    def tell() -> None:
        with ready:
            ready.notify()

    return _waits_until_told(wait, tell)


def _event() -> bool:
    event = threading.Event()
    return _waits_until_told(event.wait, event.set)


def _semaphore() -> bool:
    permits = threading.Semaphore(2)

    def use() -> None:
        with permits:
            _sleep()

    return _in_threads(use, use, use, use) == 4


def _barrier() -> bool:
    barrier = threading.Barrier(2)
    return _waits_until_told(barrier.wait, barrier.wait)


def _local() -> bool:
    local, seen = threading.local(), list[bool]()

    def work() -> None:
        seen.append(hasattr(local, "value"))
        local.value = 1
        _sleep()

    _in_threads(work, work)
    return seen == [False, False]


def _bare_thread() -> bool:
    done = threading.Event()
    _thread.start_new_thread(_later, (done.set,))
    return _takes(2, done.wait)


# -- queues and pools -----------------------------------------------------------------------------------------


def _queue(kind: Callable[[], Any]) -> bool:
    items = kind()
    return _waits_until_told(items.get, lambda: items.put(1))


def _full_queue() -> bool:
    items: queue.Queue[int] = queue.Queue(1)
    items.put(1)
    return _waits_until_told(lambda: items.put(2), items.get)


def _pool() -> bool:
    def work() -> None:
        with ThreadPoolExecutor(5) as pool:
            list(pool.map(_sleep, [10] * 5))

    return _takes(10, work)


def _pool_with_more() -> bool:
    began: list[float] = []

    def work() -> None:
        began.append(time.monotonic())
        _sleep()

    pool = ThreadPoolExecutor(1, initializer=_sleep, initargs=(1,))
    jobs = [pool.submit(work) for _ in range(3)]
    jobs[0].result()
    pool.shutdown(cancel_futures=True)
    return began == [1, 3] and jobs[2].cancelled()


def _futures() -> bool:
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(_sleep, seconds) for seconds in (3, 1, 2)]
        first = futures.wait(jobs, return_when=futures.FIRST_COMPLETED).done
        in_order = list(futures.as_completed(jobs, timeout=9))
    return first == {jobs[1]} and in_order == [jobs[1], jobs[2], jobs[0]]


@contextmanager
def _warmed_pool() -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(2)
    pool.submit(int).result()
    yield pool
    assert pool.submit(int).result() == 0
    pool.shutdown()


def _pool_of_before(pool: ThreadPoolExecutor) -> bool:
    return _takes(4, lambda: list(pool.map(_sleep, [2] * 4)))


# -- asyncio and anyio ----------------------------------------------------------------------------------------


def _in_loop(main: Callable[[], Coroutine[Any, Any, bool]]) -> Callable[[object], bool]:
    return lambda _: asyncio.run(main())


async def _side_by_side(wait: Callable[[], Coroutine[Any, Any, object]]) -> bool:
    await asyncio.gather(*(wait() for _ in range(3)))
    return asyncio.get_running_loop().time() == 2


async def _to_thread() -> bool:
    return await _side_by_side(lambda: asyncio.to_thread(_sleep))


async def _in_executor() -> bool:
    loop = asyncio.get_running_loop()

    async def wait() -> None:
        await loop.run_in_executor(None, _sleep)

    return await _side_by_side(wait)


async def _threadsafe() -> bool:
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def work() -> None:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(1), loop).result()
        _sleep(1)
        loop.call_soon_threadsafe(told.set)

    threading.Thread(target=work).start()
    await told.wait()
    return loop.time() == 2


async def _loops() -> bool:
    return await _side_by_side(lambda: asyncio.to_thread(lambda: asyncio.run(asyncio.sleep(2))))


async def _anyio() -> bool:
    import anyio

    def work() -> None:
        anyio.from_thread.run(anyio.sleep, 1)
        _sleep(1)

    return await _side_by_side(lambda: anyio.to_thread.run_sync(work))


async def _context() -> bool:
    tag: contextvars.ContextVar[str] = contextvars.ContextVar("tag", default="none")
    tag.set("mine")
    loop = asyncio.get_running_loop()
    return [await asyncio.to_thread(tag.get), await loop.run_in_executor(None, tag.get)] == [
        "mine",
        "none",
    ]


async def _blocked_loop() -> bool:
    async def blocks() -> None:
        _sleep(5)

    other = asyncio.create_task(asyncio.to_thread(lambda: _later(time.monotonic)))
    await asyncio.sleep(0)
    _, at_s = await asyncio.gather(blocks(), other)
    return at_s == 2 and time.monotonic() == 5


# -- ends, and what cannot be waited for ----------------------------------------------------------------------


def _outlives() -> bool:
    threading.Thread(target=_sleep, args=(1000,)).start()
    return _takes(2, _sleep)


def _deadlock() -> None:
    locks = threading.Lock(), threading.Lock()

    def take(first: Any, second: Any) -> None:
        with first:
            _sleep()
            with second:
                pass

    _in_threads(lambda: take(*locks), lambda: take(*locks[::-1]))


def _heartbeat() -> None:
    def beat() -> None:
        while True:
            _sleep()

    threading.Thread(target=beat, daemon=True).start()
    threading.Event().wait()


@contextmanager
def _outsider() -> Iterator[tuple[threading.Thread, Any]]:
    lock, taken, done = threading.Lock(), threading.Event(), threading.Event()

    def work() -> None:
        with lock:
            taken.set()
            done.wait(20)

    thread = threading.Thread(target=work, name="outsider")
    thread.start()
    taken.wait()
    yield thread, lock
    done.set()
    thread.join()


def _has_the_lock(prepared: tuple[threading.Thread, Any]) -> None:
    with prepared[1]:
        pass


_made_before = threading.Lock()

GROUPS: dict[str, tuple[Way, ...]] = {
    "Threads and locks": (
        Way(
            what="`threading.Thread`, `join`",
            outcome="virtual",
            program=lambda _: _in_threads(_sleep, _sleep) == 2,
        ),
        Way(what="`threading.Timer`", outcome="virtual", program=lambda _: _timer()),
        Way(what="`threading.Lock`", outcome="virtual", program=lambda _: _lock(threading.Lock)),
        Way(what="`threading.RLock`", outcome="virtual", program=lambda _: _lock(threading.RLock)),
        Way(
            what="`acquire(timeout=...)`",
            outcome="virtual",
            program=lambda _: _lock_in_vain(),
            consequence="the time-out is virtual",
        ),
        Way(
            what="a lock that was made before the run",
            outcome="virtual",
            program=lambda _: _lock(lambda: _made_before),
        ),
        Way(what="`threading.Condition`", outcome="virtual", program=lambda _: _condition()),
        Way(what="`threading.Event`", outcome="virtual", program=lambda _: _event()),
        Way(what="`threading.Semaphore`", outcome="virtual", program=lambda _: _semaphore()),
        Way(what="`threading.Barrier`", outcome="virtual", program=lambda _: _barrier()),
        Way(what="`threading.local`", outcome="virtual", program=lambda _: _local()),
        Way(what="`_thread.start_new_thread`", outcome="virtual", program=lambda _: _bare_thread()),
    ),
    "Queues and pools": (
        Way(what="`queue.Queue`", outcome="virtual", program=lambda _: _queue(queue.Queue)),
        Way(what="`queue.LifoQueue`", outcome="virtual", program=lambda _: _queue(queue.LifoQueue)),
        Way(
            what="`queue.PriorityQueue`",
            outcome="virtual",
            program=lambda _: _queue(queue.PriorityQueue),
        ),
        Way(
            what="`queue.SimpleQueue`",
            outcome="virtual",
            program=lambda _: _queue(queue.SimpleQueue),
        ),
        Way(what="`put` into a full queue", outcome="virtual", program=lambda _: _full_queue()),
        Way(
            what="`ThreadPoolExecutor`, `map`",
            outcome="virtual",
            program=lambda _: _pool(),
            consequence="five calls of 10 s in a pool of five take 10 virtual seconds",
        ),
        Way(
            what="its `initializer`, `shutdown(cancel_futures=True)`",
            outcome="virtual",
            program=lambda _: _pool_with_more(),
        ),
        Way(what="`futures.wait`, `as_completed`", outcome="virtual", program=lambda _: _futures()),
        Way(
            what="a pool that was used before the run",
            outcome="virtual",
            program=_pool_of_before,
            prepare=_warmed_pool,
            consequence="it has fresh workers in the run, and its own again afterwards",
        ),
    ),
    "Event loops": (
        Way(what="`asyncio.to_thread`", outcome="virtual", program=_in_loop(_to_thread)),
        Way(what="`loop.run_in_executor`", outcome="virtual", program=_in_loop(_in_executor)),
        Way(
            what="`run_coroutine_threadsafe`, `call_soon_threadsafe`",
            outcome="virtual",
            program=_in_loop(_threadsafe),
        ),
        Way(what="`asyncio.run` in several threads", outcome="virtual", program=_in_loop(_loops)),
        Way(
            what="`anyio.to_thread`, `anyio.from_thread`",
            outcome="virtual",
            program=_in_loop(_anyio),
            needs="anyio",
        ),
        Way(
            what="`contextvars`",
            outcome="virtual",
            program=_in_loop(_context),
            consequence="carried by `to_thread`, not by a bare executor, as in production",
        ),
        Way(
            what="a blocking call inside async code",
            outcome="virtual",
            program=_in_loop(_blocked_loop),
            consequence="stops its loop and nothing else; told as `blocked_loop` with its line",
        ),
    ),
    "Ends, and what cannot be waited for": (
        Way(
            what="a thread that outlives the program",
            outcome="virtual",
            program=lambda _: _outlives(),
            consequence="is ended where it waits: it gets a `SystemExit`, and its `finally` runs",
        ),
        Way(
            what="a deadlock",
            outcome="refused",
            program=lambda _: _deadlock(),
            raises=Deadlock,
            names="cycle: Thread-1",
            consequence="names the locks, who has held them since when, the lines, and the cycle",
        ),
        Way(
            what="a deadlock beside a daemon that ticks",
            outcome="refused",
            program=lambda _: _heartbeat(),
            raises=Deadlock,
            names="a notification of an Event",
            consequence="the daemon does not hide it",
        ),
        Way(
            what="`join` of a thread from before the run",
            outcome="refused",
            program=lambda prepared: prepared[0].join(),
            raises=HarnessError,
            names="outsider does not belong to the run",
            prepare=_outsider,
            consequence="it is given a second of real time",
        ),
        Way(
            what="a lock that such a thread holds",
            outcome="refused",
            program=_has_the_lock,
            raises=HarnessError,
            names="outsider",
            prepare=_outsider,
            consequence="likewise",
        ),
    ),
}

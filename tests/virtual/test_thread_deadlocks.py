"""A deadlock among threads is told with everything that explains it."""

# ruff: noqa: ANN401, TID251 - programs of the user's do all of this

from __future__ import annotations

import asyncio
import inspect
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import pytest

from harness.errors import Deadlock
from harness.kernel import Kernel
from harness.virtual.pool_workers import is_idle_worker
from harness.virtual.world import run_program

FILE = __file__

MODULE_LOCK = threading.Lock()


class Account:
    def __init__(self) -> None:
        self.guard = threading.RLock()


account = Account()


@pytest.fixture(autouse=True)
def let_go() -> Iterator[None]:
    yield
    for lock in (MODULE_LOCK, account.guard):
        assert lock.acquire(timeout=0)
        lock.release()


def stuck(program: Callable[[], Any]) -> str:
    with pytest.raises(Deadlock) as caught:
        run_program(Kernel(), program, seed=1)
    return caught.value.report


def line_of(place: Callable[..., Any] | None, text: str) -> int:
    """The number of the line of this file that has a text, from a function or class on."""
    lines = Path(FILE).read_text(encoding="utf-8").splitlines()
    begin = 1 if place is None else inspect.getsourcelines(place)[1]
    return next(n for n, line in enumerate(lines, 1) if n >= begin and text in line)


def started(*works: Callable[[], object]) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, name=work.__name__) for work in works]
    for thread in threads:
        thread.start()
    return threads


def joined(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join()


# -- locks --------------------------------------------------------------------------------------------------


def take(first: Any, second: Any) -> None:
    with first:
        time.sleep(1)
        with second:
            pass


def test_cycle_of_locks_is_told_with_their_names_holders_times_and_lines() -> None:
    def main() -> None:
        one, two = threading.Lock(), threading.RLock()
        joined(started(lambda: take(one, two), lambda: take(two, one)))

    report = stuck(main)
    made = line_of(main, "one, two = ")
    waits = line_of(take, "with second:")
    assert f"<lambda> waits for RLock `two` (made at {FILE}:{made}) since 1.000000 s" in report
    assert f"<lambda> waits for Lock `one` (made at {FILE}:{made}) since 1.000000 s" in report
    assert "<lambda> has held it since 0.000000 s" in report
    assert f"at {FILE}:{waits} in take: with second:" in report
    assert "cycle: <lambda> -> <lambda> -> <lambda>" in report


def test_locks_of_a_module_and_of_an_object_have_the_names_that_the_program_gave_them() -> None:
    def one_way() -> None:
        take(MODULE_LOCK, account.guard)

    def other_way() -> None:
        take(account.guard, MODULE_LOCK)

    report = stuck(lambda: joined(started(one_way, other_way)))
    assert f"RLock `account.guard` (made at {FILE}:{line_of(Account, 'self.guard = ')})" in report
    assert f"Lock `MODULE_LOCK` (made at {FILE}:{line_of(None, 'MODULE_LOCK = ')})" in report
    assert "cycle: one_way -> other_way -> one_way" in report


def test_thread_that_ended_with_a_lock_is_told() -> None:
    lock = threading.Lock()

    def forgets() -> None:
        lock.acquire()

    def main() -> None:
        joined(started(forgets))
        time.sleep(2)
        lock.acquire()

    report = stuck(main)
    assert "the main thread waits for Lock `lock`" in report
    assert "since 2.000000 s; forgets has held it since 0.000000 s and has ended" in report


def test_lock_that_is_taken_twice_is_told() -> None:
    def main() -> None:
        lock = threading.Lock()
        with lock, lock:
            pass

    assert "it has taken it itself" in stuck(main)


def test_join_and_a_lock_make_a_cycle() -> None:
    def main() -> None:
        lock = threading.Lock()

        def work() -> None:
            with lock:
                pass

        with lock:
            joined(started(work))

    assert "cycle: the main thread -> work -> the main thread" in stuck(main)


# -- notifications ------------------------------------------------------------------------------------------


def test_missed_notification_tells_who_gave_it_and_is_gone() -> None:
    ready = threading.Condition()

    def notifier() -> None:
        time.sleep(1)
        with ready:
            ready.notify()

    def main() -> None:
        joined(started(notifier))
        with ready:
            ready.wait()

    report = stuck(main)
    made = line_of(test_missed_notification_tells_who_gave_it_and_is_gone, "ready = ")
    assert (
        f"the main thread waits for a notification of Condition `ready` (made at {FILE}:{made}) since 1.000000 s; the last "
        "notification came from notifier at 1.000000 s, when no thread waited; that thread has ended"
    ) in report


def test_event_that_was_cleared_too_early_tells_who_set_it() -> None:
    ready = threading.Event()

    def main() -> None:
        joined(started(ready.set, ready.clear))
        ready.wait()

    assert "`ready`" in (report := stuck(main))
    assert "the last notification came from set at 0.000000 s, when no thread waited" in report


def fill() -> None:
    full: queue.Queue[int] = queue.Queue(1)
    full.put(1)
    full.put(2)


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (lambda: queue.Queue[int]().get(), "an item of a Queue since 0.000000 s; it is empty"),
        (lambda: queue.SimpleQueue[int]().get(), "a SimpleQueue"),
        (lambda: threading.Event().wait(), "a notification of an Event"),
        (lambda: threading.Semaphore(0).acquire(), "a permit of a Semaphore"),
        (lambda: threading.Barrier(2).wait(), "the others at a Barrier since 0.000000 s; 1 of 2"),
        (fill, "room in Queue `full`"),
    ],
)
def test_wait_for_what_nobody_gives_is_told_by_its_kind(
    wait: Callable[[], object], words: str
) -> None:
    report = stuck(wait)
    assert f"the main thread waits for {words}" in report


# -- results ------------------------------------------------------------------------------------------------


def test_work_that_waits_for_work_of_its_own_pool_is_told() -> None:
    def main() -> None:
        pool = ThreadPoolExecutor(1)
        pool.submit(lambda: pool.submit(int).result()).result()

    assert "work that has not begun since 0.000000 s; no worker of its pool is free" in stuck(main)


def test_result_that_as_completed_waits_for_is_told_with_its_worker() -> None:
    def main() -> None:
        pool = ThreadPoolExecutor(2)
        jobs: list[Future[Any]] = [pool.submit(int), pool.submit(threading.Event().wait)]
        for _ in as_completed(jobs):
            pass

    assert "the main thread waits for the result of work that ThreadPoolExecutor-0_0 does" in stuck(
        main
    )


def test_cycle_of_tasks_and_threads_is_named() -> None:
    async def main() -> None:
        loop, lock = asyncio.get_running_loop(), asyncio.Lock()

        async def needs_it() -> None:
            async with lock:
                pass

        def asks() -> None:
            asyncio.run_coroutine_threadsafe(needs_it(), loop).result()

        async with lock:
            await asyncio.to_thread(asks)

    report = stuck(main)
    assert "asyncio_0 waits for the result of Task-2" in report
    assert "cycle: asyncio_0 -> Task-2 -> Task-1 -> asyncio_0" in report


def test_cycle_through_a_loop_that_a_lock_blocks_is_named() -> None:
    async def main() -> None:
        lock, taken = threading.Lock(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def holds() -> None:
            with lock:
                loop.call_soon_threadsafe(taken.set)
                asyncio.run_coroutine_threadsafe(asyncio.sleep(1), loop).result()

        work = asyncio.create_task(asyncio.to_thread(holds))
        await taken.wait()
        lock.acquire()
        await work

    report = stuck(main)
    assert "the main thread waits for Lock `lock`" in report
    assert "asyncio_0 has held it" in report


def test_loop_that_waits_for_itself_is_told() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        asyncio.run_coroutine_threadsafe(asyncio.sleep(1), loop).result()

    assert "the loop of this thread is blocked meanwhile and has work to do" in stuck(main)


# -- heartbeats ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("period_s", [0.0, 0.001, 1.0, 3600.0])
def test_heartbeat_of_a_daemon_does_not_hide_a_deadlock(period_s: float) -> None:
    def beat() -> None:
        while True:
            time.sleep(period_s)

    def main() -> None:
        threading.Thread(target=beat, daemon=True, name="heart").start()
        threading.Event().wait()

    report = stuck(main)
    beats_until_s = min(5_000 * period_s, Kernel().horizon_s)
    assert f"heart waits for time.sleep since {beats_until_s:.6f} s" in report
    assert "the main thread waits for a notification of an Event" in report


def test_two_heartbeats_that_wake_each_other_do_not_hide_a_deadlock() -> None:
    ticks: queue.Queue[int] = queue.Queue()

    def ticker() -> None:
        while True:
            time.sleep(1)
            ticks.put(1)

    def counter() -> None:
        while True:
            ticks.get()

    def main() -> None:
        for work in (ticker, counter):
            threading.Thread(target=work, daemon=True, name=work.__name__).start()
        threading.Lock().acquire()
        threading.Event().wait()

    assert "ticker waits for time.sleep since 2500.000000 s" in stuck(main)


def test_heartbeat_does_not_keep_a_finished_run_alive() -> None:
    beats: list[float] = []

    def beat() -> None:
        while True:
            time.sleep(1)
            beats.append(time.monotonic())

    def main() -> str:
        threading.Thread(target=beat, daemon=True).start()
        time.sleep(3.5)
        return "done"

    assert run_program(Kernel(), main, seed=1) == "done"
    assert beats == [1, 2, 3]


def test_program_that_a_daemon_feeds_is_no_deadlock() -> None:
    def main() -> int:
        done = threading.Event()

        def work() -> None:
            for _ in range(4_000):
                time.sleep(1)
            done.set()

        threading.Thread(target=work, daemon=True).start()
        done.wait()
        return int(time.monotonic())

    assert run_program(Kernel(), main, seed=1) == 4_000


def test_workers_without_work_that_earlier_programs_left_are_not_told() -> None:
    """They would make what is said of a run depend on what ran before."""
    pool, busy = ThreadPoolExecutor(2), threading.Event()
    began = threading.Barrier(2)
    pool.submit(lambda: began.wait() + busy.wait())
    pool.submit(began.wait)

    async def waits_for_nothing() -> None:
        await asyncio.get_running_loop().create_future()

    try:
        while not any(is_idle_worker(frame) for frame in sys._current_frames().values()):
            time.sleep(0.001)
        told = stuck(lambda: asyncio.run(waits_for_nothing()))
        assert len([name for name in told.split() if name.startswith("ThreadPoolExecutor")]) == 1
    finally:
        busy.set()
        pool.shutdown()

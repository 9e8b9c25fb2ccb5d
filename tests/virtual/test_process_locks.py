"""Locks of multiprocessing that threads of a program share, as progress bars do."""

# ruff: noqa: TID251 - programs of the user's read the clock

from __future__ import annotations

import multiprocessing as mp
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.errors import Deadlock, HarnessError
from harness.kernel import Kernel
from harness.virtual.world import choose_order, run_program

lock_from_before = mp.RLock()
condition_from_before = mp.Condition()


def simulated(program: Callable[[], Any], order: int | None = None) -> Any:  # noqa: ANN401 - the program's
    kernel = Kernel()
    if order is not None:
        choose_order(kernel, order)
    return run_program(kernel, lambda: (program(), kernel.now_s()), seed=1)


def three_inside(lock: Any) -> list[float]:  # noqa: ANN401 - a lock
    """How long each of three threads waited for a lock that each keeps for two seconds."""

    def work(_: int) -> float:
        began_s = time.monotonic()
        with lock:
            waited_s = time.monotonic() - began_s
            time.sleep(2)
            return waited_s

    with ThreadPoolExecutor(3) as pool:
        return sorted(pool.map(work, range(3)))


@pytest.mark.parametrize("order", [None, 1, 2])
@pytest.mark.parametrize("make", [mp.Lock, mp.RLock, lambda: lock_from_before])
def test_lock_lets_in_one_thread_at_a_time(make: Callable[[], Any], order: int | None) -> None:
    assert simulated(lambda: three_inside(make()), order) == ([0, 2, 4], 6)


@pytest.mark.parametrize("order", [None, 1, 2])
def test_semaphore_lets_in_as_many_as_it_counts(order: int | None) -> None:
    assert simulated(lambda: three_inside(mp.BoundedSemaphore(2)), order) == ([0, 0, 2], 4)


def test_semaphore_is_waited_for_beside_a_thread_of_no_run() -> None:
    over = threading.Event()
    outsider = threading.Thread(target=over.wait)
    outsider.start()
    try:
        assert simulated(lambda: three_inside(mp.Semaphore(1))) == ([0, 2, 4], 6)
    finally:
        over.set()
        outsider.join()


@pytest.mark.parametrize("lock", [lock_from_before, mp.Lock()])
def test_wait_for_a_lock_ends_at_its_timeout(lock: Any) -> None:  # noqa: ANN401 - a lock
    def keep() -> None:
        lock.acquire()
        time.sleep(5)
        lock.release()

    def program() -> list[bool]:
        thread = threading.Thread(target=keep)
        thread.start()
        time.sleep(1)
        got = [lock.acquire(block=False), lock.acquire(timeout=0), lock.acquire(timeout=2)]
        thread.join()
        return [*got, lock.acquire(), bool(lock.release())]

    assert simulated(program) == ([False, False, False, True, False], 5)


@pytest.mark.parametrize("make", [mp.Condition, lambda: condition_from_before])
def test_condition_wakes_who_waits_for_it(make: Callable[[], Any]) -> None:
    condition = make()

    def notify() -> None:
        time.sleep(3)
        with condition:
            condition.notify_all()

    def program() -> bool:
        threading.Thread(target=notify).start()
        with condition:
            return bool(condition.wait(60))

    assert simulated(program) == (True, 3)


def test_event_is_waited_for() -> None:
    def program() -> bool:
        event = mp.Event()
        threading.Timer(4, event.set).start()
        return event.wait()

    assert simulated(program) == (True, 4)


def test_deadlock_names_who_holds_the_lock() -> None:
    def program() -> None:
        first, second = mp.Lock(), mp.Lock()

        def take(one: Any, other: Any) -> None:  # noqa: ANN401 - locks
            with one:
                time.sleep(1)
                with other:
                    pass

        threading.Thread(target=take, args=(first, second), name="there").start()
        take(second, first)

    with pytest.raises(
        Deadlock, match=r"there waits for Lock of multiprocessing `other`.* the main"
    ):
        simulated(program)


def test_lock_that_a_thread_of_no_run_keeps_is_told_by_name() -> None:
    lock, taken, over = mp.Lock(), threading.Event(), threading.Event()

    def keep() -> None:
        with lock:
            taken.set()
            over.wait()

    def program() -> None:
        lock.acquire()

    keeper = threading.Thread(target=keep, name="keeper")
    keeper.start()
    taken.wait()
    try:
        with pytest.raises(HarnessError, match="keeper"):
            simulated(program)
    finally:
        over.set()
        keeper.join()


def test_locks_are_real_again_after_a_run() -> None:
    made: list[Any] = []
    simulated(lambda: made.append(mp.Lock()))
    for lock in (lock_from_before, *made):
        with lock:
            assert "acquire" in vars(lock)
        assert lock.acquire(timeout=0.01)
        lock.release()
    with condition_from_before:
        assert not condition_from_before.wait(0.001)

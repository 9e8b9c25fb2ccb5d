"""What goes wrong when threads are simulated carelessly: one test for each trap that was met."""

# ruff: noqa: ANN401, TID251 - programs of the user's do all of this
from __future__ import annotations

import _thread
import asyncio
import concurrent.futures
import contextlib
import gc
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import Deadlock, HarnessError
from harness.kernel import Kernel, baton
from harness.virtual.world import choose_order, run_program
from tests.examples import examples


def simulated(program: Callable[[], Any], *, order: int | None = None) -> Any:
    kernel = Kernel()
    if order is not None:
        choose_order(kernel, order)
    return run_program(kernel, program, seed=1)


def five_seconds() -> float:
    time.sleep(5)
    return time.monotonic()


# -- order that follows from addresses ----------------------------------------------------------------------


def test_sets_of_futures_and_threads_are_in_the_order_in_which_they_were_filled() -> None:
    def main() -> None:
        kept = [bytearray(n) for n in range(0, 5000, 7)]  # so that addresses are in no order
        pool = ThreadPoolExecutor(4)
        given = [pool.submit(time.sleep, 1) for _ in range(50)]
        threads = [threading.Thread(target=int) for _ in range(50)]
        del kept[::2]
        done, _ = concurrent.futures.wait(given)
        assert list(done) == given
        assert list(set(threads)) == threads
        # What is done already, it takes from the end of the list that it makes of its set.
        assert list(concurrent.futures.as_completed(given)) == given[::-1]

    simulated(main)


# -- locks --------------------------------------------------------------------------------------------------


@settings(max_examples=examples(60), deadline=None, derandomize=True, database=None)
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from([None, 0, 0.5, 1, 2]),  # how long to wait for it [s]
                st.sampled_from([0, 0, 0.5, 1]),  # how long to have it
            ),
            min_size=1,
            max_size=4,
        ),
        min_size=2,
        max_size=5,
    ),
    st.none() | st.integers(0, 3),
    st.sampled_from([threading.Lock, threading.RLock, threading.Semaphore, threading.Condition]),
)
def test_no_wake_up_is_lost_in_the_line_of_a_lock(
    works: list[list[tuple[float | None, float]]], order: int | None, kind: Callable[[], Any]
) -> None:
    """Time-outs, barging and lines that empty and fill again: whoever waits without a time-out gets it, one at a time."""
    had: list[tuple[float, float]] = []

    def main() -> None:
        lock = kind()

        def work(steps: list[tuple[float | None, float]]) -> None:
            for at_most, duration in steps:
                began = time.monotonic()
                if lock.acquire(
                    timeout=-1 if at_most is None and kind is not threading.Semaphore else at_most
                ):
                    got = time.monotonic()
                    time.sleep(duration)
                    had.append((got, time.monotonic()))
                    lock.release()
                else:
                    assert time.monotonic() == began + (at_most or 0)

        threads = [threading.Thread(target=work, args=(steps,)) for steps in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert lock.acquire(blocking=False)
        lock.release()

    simulated(main, order=order)
    assert all(end <= begin for (_, end), (begin, _) in pairwise(had))
    wanted = sum(at_most is None for steps in works for at_most, _ in steps)
    assert len(had) >= wanted


@settings(max_examples=examples(40), deadline=None, derandomize=True, database=None)
@given(
    st.integers(1, 4),
    st.lists(st.sampled_from([0, 0, 1, 2]), min_size=1, max_size=12),
    st.none() | st.integers(0, 3),
    st.sampled_from([queue.Queue, queue.SimpleQueue, queue.LifoQueue]),
)
def test_no_item_of_a_queue_is_left_with_somebody_waiting_for_it(
    takers: int, pauses: list[int], order: int | None, kind: Callable[[], Any]
) -> None:
    def main() -> list[int]:
        items, taken = kind(), list[int]()

        def take() -> None:
            while (item := items.get()) is not None:
                taken.append(item)
                time.sleep(item % 2)

        threads = [threading.Thread(target=take) for _ in range(takers)]
        for thread in threads:
            thread.start()
        for number, pause in enumerate(pauses):
            items.put(number)
            time.sleep(pause)
        time.sleep(100)
        for _ in threads:
            items.put(None)
        for thread in threads:
            thread.join()
        return taken

    assert sorted(simulated(main, order=order)) == list(range(len(pauses)))


# -- time ---------------------------------------------------------------------------------------------------


def test_loop_that_spins_does_not_starve_the_due_alarm_of_a_thread() -> None:
    async def main() -> tuple[int, float]:
        done: list[bool] = []

        def work() -> None:
            time.sleep(1)
            time.sleep(0)
            done.append(True)

        threading.Thread(target=work).start()
        await asyncio.sleep(1)
        spins = 0
        while not done:
            await asyncio.sleep(0)
            spins += 1
        return spins, time.monotonic()

    spins, ended_s = simulated(main)
    assert spins < 10
    assert ended_s == 1


# -- the end ------------------------------------------------------------------------------------------------


class Closed:
    """Says in what time it is finalized."""

    def __init__(self, log: list[float]) -> None:
        self.log = log

    def __del__(self) -> None:
        self.log.append(time.monotonic())


def test_what_an_abandoned_thread_keeps_is_finalized_in_virtual_time() -> None:
    log: list[float] = []

    def work(kept: Closed) -> None:
        with contextlib.suppress(ValueError):
            time.sleep(100)
        assert kept.log == []

    def main() -> None:
        threading.Thread(target=work, args=(Closed(log),)).start()
        time.sleep(7)

    simulated(main)
    gc.collect()
    assert log == [7]


def test_pool_that_is_left_behind_reports_nothing(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    ended: list[str] = []

    def work() -> None:
        try:
            time.sleep(100)
        finally:
            ended.append("work")

    def main() -> None:
        pool = ThreadPoolExecutor(2)
        for _ in range(4):
            pool.submit(work)
        pool.submit(int)
        ThreadPoolExecutor(1).submit(int).result()
        time.sleep(1)

    caplog.set_level(logging.DEBUG)
    simulated(main)
    assert ended == ["work", "work"]
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.filterwarnings("error")
def test_hook_of_pytest_reports_no_abandoned_thread() -> None:
    hook = threading.excepthook

    def main() -> None:
        threading.Thread(target=time.sleep, args=(100,)).start()
        time.sleep(1)

    simulated(main)
    assert threading.excepthook is hook


def test_thread_that_swallows_every_exception_is_named_and_the_next_run_is_not_disturbed() -> None:
    def work() -> None:
        while True:
            with contextlib.suppress(BaseException):
                time.sleep(1)

    with pytest.raises(HarnessError, match="stubborn cannot be ended"):
        simulated(lambda: threading.Thread(target=work, name="stubborn").start())
    assert simulated(five_seconds) == 5


@pytest.mark.parametrize("order", [None, 0, 1, 2])
def test_thread_that_never_began_leaves_nothing_behind(order: int | None) -> None:
    before = threading.enumerate()
    began: list[int] = []

    def main() -> str:
        unstarted = threading.Thread(target=began.append, args=(1,))
        _thread.start_new_thread(began.append, (2,))
        assert not unstarted.is_alive()
        with pytest.raises(RuntimeError, match="before it is started"):
            unstarted.join()
        return "done"

    assert simulated(main, order=order) == "done"
    assert threading.enumerate() == before
    assert began in ([], [2])


# -- the real clock -----------------------------------------------------------------------------------------


@pytest.fixture
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baton, "PATIENCE_WALL_S", 0.2)


def computes_for_ever(stop: list[bool]) -> None:
    while not stop:
        pass


@pytest.mark.usefixtures("little_patience")
def test_thread_that_never_waits_ends_the_run_with_its_stack() -> None:
    stop: list[bool] = []

    def main() -> None:
        thread = threading.Thread(target=computes_for_ever, args=(stop,), name="busy")
        thread.start()
        thread.join()

    try:
        with pytest.raises(HarnessError) as caught:
            simulated(main)
    finally:
        stop.append(True)
    assert "thread busy has run for 0.2 real seconds without waiting" in str(caught.value)
    assert "in computes_for_ever" in str(caught.value)
    assert "while not stop:" in str(caught.value)


def test_interrupt_comes_to_the_main_thread_when_it_has_the_baton_again() -> None:
    ended: list[str] = []

    def work() -> None:
        try:
            _thread.interrupt_main()
            for _ in range(1000):
                time.sleep(1)
        finally:
            ended.append("work")

    def main() -> None:
        threading.Thread(target=work).start()
        threading.Event().wait()

    with pytest.raises(KeyboardInterrupt):
        simulated(main)
    assert ended == ["work"]
    assert simulated(five_seconds) == 5


# -- threads of the real world ------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[queue.Queue[Any]]:
    """A thread of a library, from before the run, that completes the futures that it is given."""
    inbox: queue.Queue[Any] = queue.Queue()

    def serve() -> None:
        while (future := inbox.get()) is not None:
            until_s = time.monotonic() + 0.2
            while not future._condition._waiters and time.monotonic() < until_s:
                time.sleep(
                    0.001
                )  # an answer that is there before anybody waits is like any other value
            future.set_result("answer")

    thread = threading.Thread(target=serve, name="old server")
    thread.start()
    yield inbox
    inbox.put(None)
    thread.join()


@pytest.mark.parametrize("timeout", [None, 5])
@pytest.mark.parametrize("beside", [True, False])
def test_wait_for_an_answer_of_a_thread_of_before_the_run_is_told_by_name(
    server: queue.Queue[Any], timeout: float | None, beside: bool
) -> None:
    def tick() -> None:
        while True:
            time.sleep(0.1)

    def main() -> object:
        if beside:
            threading.Thread(target=tick, daemon=True).start()
        future: Future[str] = Future()
        server.put(future)
        return future.result(timeout)

    began_s = time.monotonic()
    with pytest.raises((HarnessError, Deadlock), match="old server"):
        simulated(main)
    assert time.monotonic() - began_s < 5


def test_thread_of_before_the_run_that_is_only_told_something_disturbs_nothing(
    server: queue.Queue[Any],
) -> None:
    def main() -> float:
        server.put(Future())
        with pytest.raises(queue.Empty):
            queue.Queue[int]().get(timeout=3)
        return time.monotonic()

    assert simulated(main) == 3


def test_bare_thread_of_before_the_run_is_told_by_its_function() -> None:
    lock, taken, done = threading.Lock(), threading.Event(), threading.Event()

    def keeps_the_lock() -> None:
        with lock:
            taken.set()
            done.wait(20)

    _thread.start_new_thread(keeps_the_lock, ())
    taken.wait()
    try:
        with pytest.raises(
            HarnessError, match=r"a bare thread in .*keeps_the_lock \(.*test_thread_traps.py:"
        ):
            simulated(lambda: lock.acquire())  # noqa: PLW0108 - a bound method of C would block
    finally:
        done.set()
        assert lock.acquire(timeout=20)

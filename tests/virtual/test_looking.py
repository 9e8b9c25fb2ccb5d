"""Threads that look for something over and over, and do not wait for it."""

# ruff: noqa: ANN401, TID251 - programs of the user's do all of this

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import pytest

from harness.kernel import Kernel
from harness.kernel.looking import LOOKS_PER_INSTANT, SHORTEST_S
from harness.virtual.world import run_program


def simulated(program: Callable[[], Any]) -> Any:
    return run_program(Kernel(), program, seed=1)


def test_as_completed_ends_at_its_timeout() -> None:
    def main() -> tuple[str, float, list[bool]]:
        pool = ThreadPoolExecutor(2)
        jobs = [pool.submit(time.sleep, seconds) for seconds in (5, 30, 30, 30)]
        done = 0
        try:
            for _ in as_completed(jobs, timeout=15):
                done += 1
        except TimeoutError as error:
            pool.shutdown(wait=False, cancel_futures=True)
            return f"{done} done, {error}", time.monotonic(), [job.cancelled() for job in jobs]
        raise AssertionError

    words, at_s, cancelled = simulated(main)
    assert words == "1 done, 3 (of 4) futures unfinished"
    assert at_s == 15 + SHORTEST_S
    assert cancelled == [False, False, False, True]


def test_event_that_is_awaited_for_no_time_after_the_deadline_ends() -> None:
    def main() -> float:
        stop, end_s = threading.Event(), time.time() + 5
        while time.time() <= end_s:
            stop.wait(max(0.0, end_s - time.time()))
        return time.monotonic()

    assert simulated(main) == pytest.approx(5, abs=2 * SHORTEST_S)


@pytest.mark.parametrize("held_s", [0.001, 10.0])
def test_lock_that_is_tried_in_a_loop_is_taken_when_it_is_free(held_s: float) -> None:
    def main() -> float:
        lock = threading.Lock()

        def hold() -> None:
            with lock:
                time.sleep(held_s)

        threading.Thread(target=hold).start()
        while not lock.acquire(blocking=False):
            pass
        return time.monotonic()

    assert simulated(main) == held_s


def test_simple_queue_that_is_polled_gives_what_is_put_later() -> None:
    def main() -> tuple[str, float]:
        answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Timer(2, answers.put, ["here"]).start()
        while True:
            try:
                return answers.get_nowait(), time.monotonic()
            except queue.Empty:
                continue

    assert simulated(main) == ("here", 2)


def test_many_jobs_and_items_in_one_instant_take_no_time() -> None:
    def main() -> float:
        items: queue.Queue[int] = queue.Queue()
        for number in range(LOOKS_PER_INSTANT + 1):
            items.put(number)
        with ThreadPoolExecutor(2) as pool:
            for number in range(LOOKS_PER_INSTANT + 1):
                pool.submit(abs, number)
        return time.monotonic()

    assert simulated(main) == 0

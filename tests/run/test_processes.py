"""A pool of processes: what ends them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from harness import wall
from harness.run.pool import process_pool
from harness.run.undisturbed import ENDING

BASE, EXPONENT = 7, 6_000_000
"""A power that takes seconds and is larger than a pipe."""


def test_pool_that_lost_a_process_ends_the_one_that_still_works_on_a_large_answer() -> None:
    before = multiprocessing.active_children()
    with process_pool(2) as executor:
        futures = [executor.submit(pow, BASE, EXPONENT) for _ in range(2)]
        one, other = (it for it in multiprocessing.active_children() if it not in before)
        assert one.pid is not None
        os.kill(one.pid, signal.SIGKILL)
        with pytest.raises(BrokenProcessPool):
            futures[0].result()
    assert not one.is_alive()
    assert not other.is_alive()


def held_back(arrived: Path, together: int) -> tuple[int, Iterable[int]]:
    """The process's number and the signals that were blocked when it began, as soon as so many processes are at work."""
    (arrived / str(os.getpid())).touch()
    while len(list(arrived.iterdir())) < together:
        wall.sleep(0.01)
    return os.getpid(), signal.pthread_sigmask(signal.SIG_BLOCK, [])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows blocks no signals")
def test_no_process_hears_of_an_interruption_before_it_can_ignore_it(tmp_path: Path) -> None:
    with process_pool(3) as executor:
        told = [executor.submit(held_back, tmp_path, 3).result for _ in range(3)]
        blocked = dict(tell() for tell in told)
    assert len(blocked) == 3
    assert all(set(ENDING) <= set(signals) for signals in blocked.values())


STARTS = """
import threading
from harness.run.pool import copied
print(copied().get_start_method())
threading.Thread(target=threading.Event().wait, daemon=True).start()
print(copied().get_start_method())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux alone")
def test_processes_are_copies_only_while_there_is_one_thread() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTS], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["fork", "spawn"]


def fail_among_many() -> None:
    with process_pool(3) as executor:
        wrong = executor.submit(pow, 0, -1)
        for _ in range(6):
            executor.submit(pow, BASE, EXPONENT)
        wrong.result()


@pytest.mark.parametrize("_", range(3))
def test_pool_that_is_stopped_has_ended_all_of_its_processes(_: int) -> None:
    before = multiprocessing.active_children()
    with pytest.raises(ZeroDivisionError):
        fail_among_many()
    assert multiprocessing.active_children() == before

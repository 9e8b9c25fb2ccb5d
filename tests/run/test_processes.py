"""A pool of processes: what ends them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures.process import BrokenProcessPool

import pytest

from harness.run.many import process_pool

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

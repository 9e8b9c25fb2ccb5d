"""The one door to the real clock.

Everything else lives in virtual time; `ruff` bans `time` and `datetime.now` elsewhere. Real time is needed to say
when a run was made, how long it took, and to wait for a file that another process holds. The functions are bound here
by name, so that they stay real while a run shows virtual ones to everybody else.
"""

from __future__ import annotations

import datetime
from time import perf_counter
from time import sleep as _sleep
from time import time as _time


def now_utc() -> datetime.datetime:
    """The present moment, in UTC and without a time zone, as stores keep it."""
    return datetime.datetime.fromtimestamp(_time(), datetime.UTC).replace(tzinfo=None)


def elapsed_s() -> float:
    """A clock [s] whose differences are real elapsed time."""
    return perf_counter()


def sleep(wall_s: float) -> None:
    """Wait in real time [s]; only for files that another process holds."""
    _sleep(wall_s)

"""The one door to the real clock.

Everything else lives in virtual time; `ruff` bans `time` and `datetime.now` elsewhere. Real time is needed to say
when a run was made, how long it took, and to wait for a file that another process holds.
"""

from __future__ import annotations

import datetime
import time


def now_utc() -> datetime.datetime:
    """The present moment, in UTC and without a time zone, as stores keep it."""
    return datetime.datetime.now(tz=datetime.UTC).replace(tzinfo=None)


def elapsed_s() -> float:
    """A clock [s] whose differences are real elapsed time."""
    return time.perf_counter()


def sleep(wall_s: float) -> None:
    """Wait in real time [s]; only for files that another process holds."""
    time.sleep(wall_s)

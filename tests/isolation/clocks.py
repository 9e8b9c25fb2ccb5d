"""Ways to the real time."""

from __future__ import annotations

import asyncio
import datetime
import email.utils
import logging
import os
import queue
import resource
import sched
import select
import selectors
import tempfile
import threading
import time  # noqa: TID251 - what programs do is tried here
from collections.abc import Callable
from pathlib import Path

from harness.errors import Deadlock
from tests.isolation.made import module_with
from tests.isolation.way import Way

_EPOCH_S = 1_767_225_600.0
"""2026-01-01, when each run begins."""

_FIRST_DAY = (datetime.date(2025, 12, 31), datetime.date(2026, 1, 1))
"""In any time zone."""


def _is_epoch(read: Callable[[], float]) -> Callable[[object], bool]:
    return lambda _: read() == _EPOCH_S


def _is_zero(read: Callable[[], float]) -> Callable[[object], bool]:
    return lambda _: read() == 0


def _sleeps(wait: Callable[[], object]) -> Callable[[object], bool]:
    """Whether a wait of an hour takes an hour of virtual time."""

    def program(_: object) -> bool:
        wait()
        return time.monotonic() == 3600.0

    return program


async def _asleep() -> None:
    await asyncio.sleep(3600)


async def _timed_out() -> None:
    try:
        async with asyncio.timeout(3600):
            await asyncio.Event().wait()
    except TimeoutError:
        return


def _records() -> logging.LogRecord:
    time.sleep(5)
    return logging.LogRecord("", 0, "", 0, "", None, None)


def _scheduled() -> None:
    schedule = sched.scheduler(time.monotonic, time.sleep)
    schedule.enter(3600, 0, lambda: None)
    schedule.run()


def _file_time() -> float:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "x")
        file.touch()
        return file.stat().st_mtime


def _held_lock() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=3600)


def _empty_queue() -> None:
    try:
        queue.Queue[int]().get(timeout=3600)
    except queue.Empty:
        return


def _is_real(read: Callable[[], float]) -> Callable[[object], bool]:
    return lambda _: read() > 0


_KEEPS = """
import dataclasses, datetime, functools, time
import pydantic

@dataclasses.dataclass
class Note:
    at: float = dataclasses.field(default_factory=time.time)

class Model(pydantic.BaseModel):
    at: datetime.datetime = pydantic.Field(default_factory=datetime.datetime.now)

class Tool:
    clock = time.time

def default(clock=time.time):
    return clock()

partial, kept = functools.partial(time.time), {"clocks": [(time.time,)]}

def read():
    return {Note().at, Model().at.timestamp(), Tool.clock(), default(), partial(), kept["clocks"][0][0]()}
"""
_GENERATOR = """
import time

def moments():
    clock = time.time
    while True:
        yield clock()

MOMENTS = moments()
next(MOMENTS)
"""

_MEASURES_THE_COMPUTER = (
    "It measures what the computer did, and the program is really computed. Results that depend on it differ from run "
    "to run."
)

WAYS = (
    Way(what="`time.time`", outcome="virtual", program=_is_epoch(time.time), consequence="Begins at 2026-01-01T00:00:00Z."),
    Way(what="`time.time_ns`", outcome="virtual", program=lambda _: time.time_ns() == int(_EPOCH_S) * 10**9),
    Way(what="`time.monotonic`", outcome="virtual", program=lambda _: time.monotonic() == 0, consequence="Begins at 0, as `loop.time()` does."),
    Way(what="`time.monotonic_ns`", outcome="virtual", program=lambda _: time.monotonic_ns() == 0),
    Way(what="`time.perf_counter`", outcome="virtual", program=lambda _: time.perf_counter() == 0),
    Way(what="`time.perf_counter_ns`", outcome="virtual", program=lambda _: time.perf_counter_ns() == 0),
    Way(what="`time.clock_gettime(CLOCK_REALTIME)`", outcome="virtual", program=lambda _: time.clock_gettime(time.CLOCK_REALTIME) == _EPOCH_S),
    Way(what="`time.clock_gettime(CLOCK_MONOTONIC)`", outcome="virtual", program=lambda _: time.clock_gettime(time.CLOCK_MONOTONIC) == 0),
    Way(what="`time.clock_gettime_ns`", outcome="virtual", program=lambda _: time.clock_gettime_ns(time.CLOCK_MONOTONIC) == 0),
    Way(what="`time.sleep`", outcome="virtual", program=_sleeps(lambda: time.sleep(3600))),
    Way(what="`time.localtime`, `gmtime`, `ctime`, `asctime`, `strftime` of now", outcome="virtual", program=lambda _: (
        time.gmtime()[:3] == (2026, 1, 1) and time.localtime() == time.localtime(_EPOCH_S)
        and time.ctime() == time.asctime() == time.ctime(_EPOCH_S) and time.strftime("%s") == str(int(_EPOCH_S))
    ), consequence="The time zone stays the computer's; set `TZ` where it matters."),
    Way(what="`datetime.now`, `utcnow`, `today`", outcome="virtual", program=lambda _: (
        datetime.datetime.now(datetime.UTC).timestamp() == _EPOCH_S == datetime.datetime.today().timestamp()  # noqa: DTZ002, TID251 - see above
    )),
    Way(what="`date.today`", outcome="virtual", program=lambda _: datetime.date.today() in _FIRST_DAY),  # noqa: DTZ011
    Way(what="`email.utils.formatdate`, `localtime`", outcome="virtual", program=lambda _: email.utils.localtime().timestamp() == _EPOCH_S),
    Way(what="`asyncio.sleep`, `loop.time`", outcome="virtual", program=_sleeps(lambda: asyncio.run(_asleep()))),  # noqa: TID251
    Way(what="`asyncio.timeout`, `wait_for`", outcome="virtual", program=_sleeps(lambda: asyncio.run(_timed_out()))),  # noqa: TID251
    Way(what="`threading.Event.wait(timeout)`, `Condition.wait(timeout)`", outcome="virtual", program=_sleeps(lambda: threading.Event().wait(3600))),
    Way(what="`queue.Queue.get(timeout)`", outcome="virtual", program=_sleeps(_empty_queue)),
    Way(what="`select.select(timeout)`", outcome="virtual", program=_sleeps(lambda: select.select([], [], [], 3600)), consequence="A descriptor is ready at once or not at all."),
    Way(what="`select.select` without a timeout", outcome="refused", program=lambda _: select.select([], [], []), raises=Deadlock, names="deadlock", consequence="Nothing could ever end it."),
    Way(what="`select.poll`", outcome="virtual", program=_sleeps(lambda: select.poll().poll(3_600_000))),
    Way(what="`selectors` with a timeout", outcome="virtual", program=_sleeps(lambda: selectors.DefaultSelector().select(3600))),
    Way(what="`sched.scheduler(time.monotonic, time.sleep)`", outcome="virtual", program=_sleeps(_scheduled)),
    Way(what="`logging`: `created`, `asctime`", outcome="virtual", program=lambda _: _records().created == _EPOCH_S + 5),
    Way(what="`logging`: `relativeCreated`", outcome="virtual", program=lambda _: _records().relativeCreated == 5000),
    Way(what="a function that the program's modules keep: `dataclass(default_factory=time.time)`, `Field(default_factory=datetime.now)`, `partial(time.time)`, in a container, a closure, a default argument, an attribute", outcome="virtual",
        prepare=module_with(_KEEPS), program=lambda module: module.read() == {_EPOCH_S},
        consequence="Found by a walk through the modules; models of pydantic are compiled again for the run."),
    Way(what="a function in a local variable of a generator that has begun", outcome="real", prepare=module_with(_GENERATOR), program=lambda module: next(module.MOMENTS) != _EPOCH_S,
        consequence="Python cannot change it. `sim.fresh` imports the module in the world, a `target:` does so anyway, and with `sim_patch_early = true` it keeps a stand-in."),
    Way(what="a clock in a default argument of a library, such as `sched.scheduler()`", outcome="real", program=lambda _: sched.scheduler().timefunc() != 0,
        consequence="Libraries are not looked through. Give the library the clock: `sched.scheduler(time.monotonic, time.sleep)`."),
    Way(what="`time.process_time`, `thread_time`", outcome="real", program=_is_real(time.process_time), consequence=_MEASURES_THE_COMPUTER),
    Way(what="`time.clock_gettime(CLOCK_PROCESS_CPUTIME_ID)`", outcome="real", program=lambda _: time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID) > 0, consequence=_MEASURES_THE_COMPUTER),
    Way(what="`os.times`", outcome="real", program=lambda _: os.times().user > 0, consequence=_MEASURES_THE_COMPUTER),
    Way(what="`resource.getrusage`", outcome="real", program=lambda _: resource.getrusage(resource.RUSAGE_SELF).ru_utime > 0, consequence=_MEASURES_THE_COMPUTER),
    Way(what="times of files: `os.stat`, `os.utime(path)`", outcome="real", program=lambda _: _file_time() != _EPOCH_S,
        consequence="Files are real. A cache that compares the age of a file with `time.time()` is wrong by months; set times with `os.utime(path, times)`."),
    Way(what="`Lock.acquire(timeout)` of a lock that is held", outcome="virtual", program=_sleeps(_held_lock)),
)  # fmt: skip

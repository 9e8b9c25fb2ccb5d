"""What a program has that may stay real: a database in a file, and its like."""

# ruff: noqa: ANN401, TID251 - a program of a user's

from __future__ import annotations

import asyncio
import contextvars
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from typing import Any

user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")
lock = threading.RLock()
opened: list[sqlite3.Connection] = []
"""The connection to the database, which belongs to the thread that has opened it."""


def connect(path: str) -> None:
    """Open it."""
    opened.append(sqlite3.connect(path))
    opened[0].execute("create table said (text)")


def say(text: str) -> list[str]:
    """Add a text; gives all that are there."""
    with lock, opened[0]:
        opened[0].execute("insert into said values (?)", (text,))
        return [row[0] for row in opened[0].execute("select text from said order by text")]


def takes_time(wall_s: float = 0.01) -> bool:
    """Whether the clock is real."""
    began_s = time.perf_counter()
    time.sleep(wall_s)
    return time.perf_counter() - began_s >= wall_s and time.time() > 1.7e9


async def takes_time_async(wall_s: float = 0.01) -> str:
    """The kind of loop it runs on."""
    await asyncio.sleep(wall_s)
    return type(asyncio.get_running_loop()).__name__


async def loop_is(number: int) -> bool:
    """Whether it is the loop of that number; 0 begins."""
    now = id(asyncio.get_running_loop())
    if number == 0:
        loops.clear()
    loops.append(now)
    return loops[0] == now


loops: list[int] = []


def chance() -> tuple[float, bytes]:
    """Random values."""
    return random.random(), os.urandom(8)


def who() -> str:
    """A context variable."""
    return user.get()


def fail() -> None:
    """Raise what a database raises."""
    raise sqlite3.OperationalError("no such table: said")


async def fail_async() -> None:
    """Likewise."""
    raise sqlite3.OperationalError("no such table: said")


def stop() -> None:
    """What Ctrl-C does."""
    raise KeyboardInterrupt


def fetch(url: str) -> int:
    """The status of a page."""
    with urllib.request.urlopen(urllib.request.Request(url, b"")) as response:
        return response.status  # type: ignore[no-any-return]


def in_process() -> str:
    """What another process says."""
    return subprocess.run(
        [sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True, check=True
    ).stdout.strip()


def in_threads() -> int:
    """How many of its threads have worked."""
    done: list[int] = []
    threads = [threading.Thread(target=done.append, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done)


def twice(text: str) -> list[str]:
    """Call another function that stays real."""
    say(text)
    return say(text)


def rows() -> Iterator[int]:
    """A generator."""
    yield 1


async def async_rows() -> AsyncIterator[int]:
    """An async generator."""
    yield 1


class Store:
    """A class with methods."""

    def __init__(self, name: str) -> None:
        self.name = name

    def get(self, key: str) -> Any:
        """Of an object."""
        return self.name, key, takes_time(0.001)

    @classmethod
    def kind(cls) -> Any:
        """Of the class."""
        return cls.__name__, takes_time(0.001)

    @staticmethod
    def version() -> Any:
        """Of nothing."""
        return 3, takes_time(0.001)

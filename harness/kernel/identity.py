"""Identities of tasks and threads that do not depend on what else runs.

A task is known by its path: the path of the task that spawned it, its name, and how many of that name the same task spawned
before. `main/worker#2/fetch` is the first `fetch` of the second `worker` of `main`. The numbers that asyncio and `threading` give
(`Task-7`, `Thread-3`) count everything in the program, so that one task more renames all later ones; a path stays.

The name is the one that the program gives, else that of the coroutine function. Work that is submitted to a pool belongs to the
task or thread that submitted it, whichever worker takes it.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import re
import sys
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

_PATH_MAX = 300
"""Characters of a parent's path that are kept; tasks may spawn one another in a row without end."""

_DEFAULT_THREAD_NAME = re.compile(r"Thread-\d+(?: \((.*)\))?")

_CREATORS = tuple(
    getattr(creator, "__code__", None)
    for creator in (asyncio.create_task, asyncio.TaskGroup.create_task)
)
"""What creates nearly all tasks, under their caller's name."""


class Identity:
    """The path of one task, and the names of what it spawned.

    Args:
        spawner: The identity of the task or thread that spawned it.
        name: Its name.
    """

    __slots__ = ("_above", "_counts", "_name", "_number", "_path", "_prefix", "_spawned")

    def __init__(self, spawner: Identity, name: str) -> None:
        # This runs for every task of a simulation, and a path is asked for of few.
        self._path: str | None = None
        self._prefix: str | None = None
        self._spawned: dict[str, int] | None = None
        self._name = name
        self._above = spawner._prefix or spawner.prefix
        counts = spawner._spawned
        if counts is None:
            counts = spawner._spawned = {}
        self._counts = counts
        self._number = counts[name] = counts.get(name, 0) + 1

    @property
    def path(self) -> str:
        """The path; the same in every run in which this task exists."""
        path = self._path
        if path is None:
            number = "" if self._number == 1 else f"#{self._number}"
            path = self._path = f"{self._above}{self._name}{number}"
        return path

    @property
    def name(self) -> str:
        """Its name, which its siblings may share."""
        return self._name

    @property
    def prefix(self) -> str:
        """What the paths of spawned tasks begin with."""
        path = self.path
        if len(path) > _PATH_MAX:
            path = f"...{blake2b(path.encode(), digest_size=8).hexdigest()}"
        self._prefix = f"{path}/"
        return self._prefix

    def rename(self, name: str) -> None:
        """Give the task its name, which Python up to 3.11 does after spawning it."""
        counts = self._counts
        if counts.get(self._name) == self._number:
            counts[self._name] -= 1
        self._name, self._path, self._prefix = name, None, None
        self._number = counts[name] = counts.get(name, 0) + 1

    def become(self, path: str) -> None:
        """Set the path as a whole, for tasks whose caller knows a better one; what is spawned from now on is counted anew."""
        self._path, self._prefix, self._spawned = path, None, None


class RootIdentity(Identity):
    """The identity of the main thread of a run, which what it spawns does not repeat."""

    __slots__ = ()

    def __init__(self) -> None:
        self._path, self._prefix, self._spawned = "main thread", None, None
        self._above, self._name, self._number, self._counts = "", "main thread", 1, {}

    @property
    def prefix(self) -> str:
        """Nothing."""
        return ""


@functools.lru_cache(maxsize=4096)
def _short(qualified: str) -> str:
    return qualified.rpartition("<locals>.")[2]


def name_of(made: object) -> str:
    """Return the name of a function, a coroutine or the like, without the function that it is defined in."""
    name = getattr(made, "__qualname__", None)
    return _short(name) if name is not None else type(made).__name__


def name_of_work(function: Any, args: tuple[object, ...]) -> str:  # noqa: ANN401 - the program's
    """Return the name of work that a pool is given: of the function inside `functools.partial` and `Context.run`."""
    while True:
        if isinstance(function, functools.partial):
            function, args = function.func, (*function.args, *args)
        elif getattr(function, "__name__", "") == "run" and inspect.isbuiltin(function) and args:
            function, args = args[0], args[1:]
        else:
            return name_of(function)


def name_of_thread(name: str, target: Callable[..., object] | None) -> str:
    """Return the name of a thread: the one that the program gave it, else that of what it does."""
    default = _DEFAULT_THREAD_NAME.fullmatch(name)
    if default is None:
        return name
    return default[1] or name_of(target)


def is_wait_for() -> bool:
    """Whether the task that is being created is `asyncio.wait_for`'s own, which exists up to Python 3.11 alone.

    Its caller must be `create_task` itself.
    """
    frame: Any = sys._getframe(2)  # noqa: SLF001 - `inspect` has it from there, at a hundred times the price
    if frame.f_code in _CREATORS:  # each frame that is looked at costs an object
        return False
    while frame.f_code.co_name == "create_task":  # of a class below
        frame = frame.f_back
    if frame.f_code.co_name != "_ensure_future":
        return False
    caller = frame.f_back.f_back
    return bool(
        caller.f_code.co_name == "wait_for" and caller.f_globals["__name__"] == "asyncio.tasks"
    )

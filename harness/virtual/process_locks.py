"""Locks and semaphores of multiprocessing that a program uses among threads, as tqdm does.

They are made of one C type, `_multiprocessing.SemLock`, and treated like the locks of `threading` (`locks.py`): each
tries without blocking, and parks where it would have blocked. No other process takes part in a run.
"""

from __future__ import annotations

import _multiprocessing  # type: ignore[import-not-found]  # of C, and without stubs
import gc
import math
import multiprocessing.synchronize as mp
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from harness.kernel.current_world import this_thread
from harness.virtual.locks import (
    Held,
    changed_type,
    held,
    is_housekeeping,
    outsider_releases,
    wait_in_line,
    wake_next,
)
from harness.virtual.patching import Attribute

_TYPE: Any = _multiprocessing.SemLock
_fields = gc.get_referents(_TYPE.__dict__)[0]
_acquire, _release = _fields["acquire"], _fields["release"]


def _park_for(lock: Any, block: bool = True, timeout: float | None = None) -> bool:  # noqa: ANN401, FBT001, FBT002 - as the original
    world = this_thread.world
    if world is None:
        return bool(_acquire(lock, block, timeout))
    kernel = world.kernel
    if kernel.baton.choose is not None and not is_housekeeping(lock):
        kernel.baton.offer()

    def attempt() -> bool | None:
        if not _acquire(lock, False):  # noqa: FBT003 - as the original
            return None
        held[id(lock)] = Held(kernel.baton.current, kernel.now_s())
        return True

    if attempt():
        return True
    if not block or (timeout is not None and timeout <= 0):
        return False
    holder = held.get(id(lock))
    is_foreign = lock.maxvalue == 1 and (holder is None or holder.thread.baton is not kernel.baton)
    if is_foreign and outsider_releases(_acquire, lock, world):
        held[id(lock)] = Held(kernel.baton.current, kernel.now_s())
        return True
    until_s = math.inf if timeout is None else kernel.now_s() + timeout
    return wait_in_line(world, lock, "a lock of multiprocessing", until_s, attempt) is not None


def _give_back(lock: Any, *_: object) -> None:  # noqa: ANN401 - a lock
    _release(lock)
    if not lock._is_mine():  # noqa: SLF001 - the only way to ask
        held.pop(id(lock), None)
    wake_next(lock)


_METHODS: dict[str, Callable[..., object]] = {
    "acquire": _park_for,
    "__enter__": _park_for,
    "release": _give_back,
    "__exit__": _give_back,
}


def parking_process_locks() -> AbstractContextManager[None]:
    """Context manager: locks of multiprocessing park in a world; elsewhere they do what they always did."""
    return changed_type(_TYPE, _fields, _METHODS)


class _OfTheType:
    """Looks a method up in the lock's type; each lock keeps its methods from when it was made, maybe before the run."""

    def __init__(self, keeper: str, name: str) -> None:
        self._keeper = keeper
        self._name = name

    def __get__(self, owner: object, _: type) -> Any:  # noqa: ANN401 - a method
        return self if owner is None else getattr(getattr(owner, self._keeper), self._name)

    def __set__(self, owner: object, value: object) -> None:
        vars(owner)[self._name] = value


ATTRIBUTES = tuple(
    Attribute(owner, name, _OfTheType(keeper, name))
    for owner, keeper in ((mp.SemLock, "_semlock"), (mp.Condition, "_lock"))
    for name in ("acquire", "release")
)

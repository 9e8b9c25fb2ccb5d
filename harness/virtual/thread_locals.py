"""Values of `threading.local` for a thread of a run, and when they are freed."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any

from harness.kernel.current_world import this_thread

_IN_THE_STATE_DICT = sys.version_info < (3, 13)
"""Whether the values are in the dictionary of the thread's state; since then each `threading.local` holds those of all threads."""

_thread_state_dict = ctypes.pythonapi.PyThreadState_GetDict
_thread_state_dict.restype = (
    ctypes.c_void_p
)  # a borrowed reference, which `py_object` would take for its own


def free_thread_locals() -> None:
    """Free what `threading.local` keeps for this thread, while it is still its turn.

    Python does so after the thread's last line, when another holds the baton, so that finalizers would run beside it.
    """
    if not _IN_THE_STATE_DICT:
        for watchdog in _watchdogs():
            watchdog.__callback__(watchdog)  # as Python does at the thread's end
        return
    kept = ctypes.cast(_thread_state_dict(), ctypes.py_object).value
    ours = f"thread.local.{id(this_thread):#x}"  # Modules/_threadmodule.c, local_new
    for key in list(kept):
        if key != ours:
            del kept[key]


def _watchdogs() -> Iterator[Any]:
    """Yield the weak references whose callbacks free the values of this thread, in the order in which it first used each local.

    A thread has one sentinel object, and each `threading.local` that it uses watches for its end; the callback holds the
    local (Modules/_threadmodule.c, local_create). The sentinel is found through a new local, which no other thread uses.
    """
    probe = threading.local()
    probe.used = True
    (watching,) = (held for held in gc.get_referents(probe) if isinstance(held, set))
    (of_probe,) = watching
    for watchdog in reversed(weakref.getweakrefs(of_probe())):  # the newest comes first
        local = watchdog.__callback__.__self__[0]()
        if local is not this_thread and local is not probe:
            yield watchdog

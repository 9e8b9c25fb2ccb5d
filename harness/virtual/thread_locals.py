"""Values of `threading.local` for a thread of a run, and when they are freed."""

from __future__ import annotations

import ctypes

from harness.kernel.current_world import this_thread

_thread_state_dict = ctypes.pythonapi.PyThreadState_GetDict
_thread_state_dict.restype = (
    ctypes.c_void_p
)  # a borrowed reference, which `py_object` would take for its own


def free_thread_locals() -> None:
    """Free what `threading.local` keeps for this thread, while it is still its turn.

    Python does so after the thread's last line, when another holds the baton, so that finalizers would run beside it.
    Since Python 3.13 they are kept where only C finds them.
    """
    kept = ctypes.cast(_thread_state_dict(), ctypes.py_object).value
    ours = f"thread.local.{id(this_thread):#x}"  # Modules/_threadmodule.c, local_new
    for key in list(kept):
        if key != ours:
            del kept[key]

"""Whether a module is being imported, which only the first of several runs in a process has to do."""

from __future__ import annotations

from types import FrameType

from harness.kernel.loop import SimLoop, running

_IMPORT = "<frozen importlib._bootstrap>"
_TURN = SimLoop._run_once.__code__  # noqa: SLF001 - ours


def is_importing(frame: FrameType | None) -> bool:
    """Whether a frame is part of an import.

    No lock tells: a module that is executed by hand holds none. So the stack is looked through, up to the turn of the loop
    that runs: of what lies below, the loop knows the answer.
    """
    while frame is not None:
        code = frame.f_code
        if code is _TURN:
            known: bool | None = getattr(running.loop, "runs_in_import", None)
            if known is not None:
                return known
        elif code.co_filename == _IMPORT:
            return True
        frame = frame.f_back
    return False

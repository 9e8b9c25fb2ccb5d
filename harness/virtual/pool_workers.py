"""Workers of thread pools, recognised by the functions that they run."""

from __future__ import annotations

from concurrent.futures import thread as pools
from types import FrameType

WORKER = pools._worker.__code__  # noqa: SLF001 - the function that the workers of pools run
RUNS_WORK = pools._WorkItem.run.__code__  # noqa: SLF001 - the function in which a worker calls what it was given


def is_idle_worker(frame: FrameType | None) -> bool:
    """Whether a thread is a worker of a pool and has no work.

    Args:
        frame: The innermost frame of the thread.
    """
    while frame is not None and frame.f_code is not RUNS_WORK:
        if frame.f_code is WORKER:
            return True
        frame = frame.f_back
    return False

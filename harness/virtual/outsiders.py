"""Threads that do not belong to a run: their names, and whether a program waits for one of them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import FrameType

from harness import wall
from harness.errors import HarnessError
from harness.kernel.current_world import World
from harness.virtual.pool_workers import is_idle_worker

_ANSWER_WALL_S = 0.25
"""How long the answer of a thread outside of the run is looked out for [real s], before a time-out is believed."""
_LOOK_WALL_S = 0.001
_ANSWERS_AWAITED_MAX = 8
"""So often in a run; programs also wake threads that never answer, such as those that send reports."""

_TOOLS = ("execnet", "pydevd", "debugpy", "xdist")
"""Packages with bare threads that serve a test session, and no program."""


def threads_outside(world: World) -> list[str]:
    """The names of the living threads of this process that do not belong to a run, but for pools' workers without work."""
    frames = sys._current_frames()  # noqa: SLF001 - the documented way to see other threads
    inside = {thread.ident for thread in (world.kernel.baton.main, *world.kernel.baton.threads)}
    known = {thread.ident for thread in threading.enumerate()} | {threading.main_thread().ident}
    bare = [
        name
        for ident, frame in frames.items()
        if ident not in inside | known and (name := _name_of_bare(frame))
    ]
    named = [
        thread.name
        for thread in threading.enumerate()
        if thread.ident not in inside
        and thread is not threading.main_thread()
        and not is_idle_worker(frames.get(thread.ident or 0))
    ]
    return sorted(named + bare)


def _name_of_bare(frame: FrameType) -> str:
    """What a thread of `_thread.start_new_thread` is called by: the function that it runs; empty if it is a tool's."""
    while frame.f_back is not None:
        frame = frame.f_back
    if str(frame.f_globals.get("__name__")).partition(".")[0] in _TOOLS:
        return ""
    code = frame.f_code
    return f"a bare thread in {code.co_qualname} ({code.co_filename}:{code.co_firstlineno})"


def given_by_outsider(world: World, attempt: Callable[[], object]) -> bool:
    """Whether what a wait got nothing of comes in real time, after the program has woken a thread outside of the run."""
    if not world.woken_outside:
        return False
    world.woken_outside = False
    world.answers_awaited += 1
    if world.answers_awaited > _ANSWERS_AWAITED_MAX:
        return False
    until_s = wall.elapsed_s() + _ANSWER_WALL_S
    while wall.elapsed_s() < until_s:
        if attempt() is not None:
            return True
        wall.sleep(_LOOK_WALL_S)
    return False


def comes_from_outside(names: str) -> HarnessError:
    """The error for a program that waits for threads of these names."""
    return HarnessError(
        f"the program waits for a thread that does not belong to the run ({names}), and virtual time cannot wait for real "
        "time\n  How to fix: start that thread inside the run, or not at all in tests; or let the function that waits stay real, such as "
        'an embedded database\'s: sim.real("lancedb:connect").'
    )

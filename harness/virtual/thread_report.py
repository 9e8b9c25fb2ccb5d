"""The stuck report of a program with threads: what each waits for, since when and where; then the tasks of each loop."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Sequence

from harness.kernel import deadlock_report
from harness.kernel.baton import SimThread
from harness.kernel.current_world import World
from harness.kernel.loop import SimLoop
from harness.virtual import locks


def report(world: World) -> str:
    """Say of every thread and task of a world what it waits for, and name the cycle if threads wait in one."""
    baton = world.kernel.baton
    loops = [loop for loop in world.loops if not loop.is_closed()]
    tasks = [
        deadlock_report.report(loop)
        for loop in loops
        if len(loops) == 1 or deadlock_report.tasks_in_order(loop)
    ]
    threads = [
        thread for thread in (baton.main, *baton.threads) if not _is_told_otherwise(thread, loops)
    ]
    if not baton.threads or not threads:
        return "\n".join(tasks or [deadlock_report.report_of_thread()])
    waits_on = {thread: holder for thread in threads if (holder := _holder(thread)) is not None}
    lines = [line for thread in threads for line in _lines(thread, waits_on.get(thread))]
    lines += _cycle(waits_on)
    outsiders = locks.threads_outside(world)
    if outsiders:
        lines.append(f"  threads that do not belong to the run: {', '.join(outsiders)}")
    return "\n".join([*lines, *tasks])


def _is_told_otherwise(thread: SimThread, loops: Sequence[SimLoop]) -> bool:
    """Whether a thread only waits for work: for its loop's tasks, which are listed, or as an idle worker of a pool."""
    if any(thread.waits_for is loop.waiter for loop in loops):
        return True
    frames = [frame for frame, _ in traceback.walk_stack(sys._current_frames().get(thread.ident))]  # noqa: SLF001 - see below
    codes = [frame.f_code for frame in frames]
    own = [code for code in codes if not code.co_filename.startswith(deadlock_report.PACKAGES)]
    return locks.POOL_WORKER in codes and not own


def _holder(thread: SimThread) -> SimThread | None:
    """The thread that has what another waits for."""
    if thread.waits_for is None:
        return None
    held = locks.held.get(id(locks.waited_for.get(thread.waits_for)))
    return None if held is None else held.thread


def _lines(thread: SimThread, holder: SimThread | None) -> Iterator[str]:
    yield f"  {thread.name} waits for {_what(thread, holder)}, since {thread.since_s:.6f} s"
    frame = sys._current_frames().get(thread.ident)  # noqa: SLF001 - the documented way to see another thread
    own = [
        at
        for at in traceback.extract_stack(frame)
        if not at.filename.startswith(deadlock_report.PACKAGES)
    ]
    if frame is not None and own:
        yield f"    at {own[-1].filename}:{own[-1].lineno} in {own[-1].name}: {own[-1].line}"


def _what(thread: SimThread, holder: SimThread | None) -> str:
    waiter = thread.waits_for
    if waiter is None:
        return "its turn"
    if holder is None:
        return waiter.name
    if holder is thread:
        # Condition.wait takes a lock of its own twice, and whoever notifies releases it.
        return "a notification (Condition, Event, Future, queue) that no thread gives"
    ended = ", which has ended" if holder.has_ended else ""
    held = locks.held[id(locks.waited_for[waiter])]
    return f"{waiter.name} held by {holder.name} since {held.since_s:.6f} s{ended}"


def _cycle(waits_on: dict[SimThread, SimThread]) -> Iterator[str]:
    for start in waits_on:
        path = [start]
        while path[-1] in waits_on and waits_on[path[-1]] not in path:
            path.append(waits_on[path[-1]])
        if len(path) > 1 and waits_on.get(path[-1]) is start:
            yield "  cycle: " + " -> ".join(thread.name for thread in [*path, start])
            return

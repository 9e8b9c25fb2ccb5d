"""Whether nothing but timers goes on that can do nothing to those who wait: then these wait for ever.

A timer can end a wait that its code can reach: the task or thread that waits, or what that waits for. One whose own end is waited
for, as in a TaskGroup, must also do the same at each tick. What is not known for certain counts as a way to end the wait.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from harness.kernel import deadlock_report
from harness.kernel.agent_circle import Doer, TaskWaits, Waits
from harness.kernel.code_places import PACKAGES
from harness.kernel.current_world import World
from harness.kernel.loop import SimLoop
from harness.kernel.reach import Reached
from harness.kernel.sim_thread import SimThread
from harness.kernel.suspension import Suspension
from harness.virtual.thread_circle import ThreadWaits
from harness.virtual.thread_report import is_told_otherwise
from harness.virtual.thread_waits import frames_of_thread


def nothing_reached(world: World) -> str | None:
    """A digest that is equal while the same timers tick, none of which reaches anything that waits; None if one may.

    Args:
        world: The world; no call of its is open.
    """
    loops = [loop for loop in world.loops if not loop.is_closed()]
    doers = list(_doers(world, loops))
    ticking = [each for each in doers if each[1].has_time(each[0])]
    waiting = [each for each in doers if not each[1].has_time(each[0])]
    targets: set[int] = set()
    awaited: set[int] = set()
    for doer, waits in waiting:
        thing, known = waits.thing(doer), [other for other, _ in waits.known(doer)]
        if thing is None and not known:
            return None
        targets |= {id(doer), id(thing)} if thing is not None else {id(doer)}
        awaited.update(map(id, known))
    states: list[object] = [len(waiting)]
    for doer, waits in ticking:
        reached = Reached(waits.frames(doer), _callbacks(doer))
        if reached.any_of(targets):
            return None
        if id(doer) in awaited:
            if not reached.repeats:
                return None
            states.append(reached.plain)
    for loop in loops:
        if Reached((), _calls_later(loop)).any_of(targets):
            return None
    return hashlib.sha256(repr(states).encode()).hexdigest()


def _doers(world: World, loops: list[SimLoop]) -> Iterator[tuple[Doer, Waits]]:
    of_tasks, of_threads = TaskWaits(), ThreadWaits(world)
    for loop in loops:
        for task in deadlock_report.tasks_in_order(loop):
            yield task, of_tasks
    baton = world.kernel.baton
    if not baton.threads:
        return  # the main thread runs the loop
    for thread in (baton.main, *baton.threads):
        if not is_told_otherwise(thread, loops) and not _runs_a_loop(thread):
            yield thread, of_threads


def _runs_a_loop(thread: SimThread) -> bool:
    """Whether a thread that is not parked is in a turn of its loop, whose tasks are looked at."""
    turns = (SimLoop._run_once.__code__,)  # noqa: SLF001 - our own
    return thread.waits_for is None and any(it.f_code in turns for it in frames_of_thread(thread))


def _callbacks(doer: Doer) -> list[object]:
    """What the program has called at the end of a task."""
    return [call for call, *_ in getattr(doer, "_callbacks", None) or () if _is_own(call)]


def _is_own(call: Any) -> bool:  # noqa: ANN401 - a callback
    while isinstance(call, partial | MethodType):
        call = call.func if isinstance(call, partial) else call.__func__
    return isinstance(call, FunctionType) and not call.__code__.co_filename.startswith(PACKAGES)


def _calls_later(loop: SimLoop) -> Iterator[object]:
    """The callbacks of a loop's timers with their arguments; those that end a wait belong to the tasks that wait."""
    for _, _, timer in loop._timers:  # noqa: SLF001 - our own
        if isinstance(timer, Suspension):
            continue
        call, args = getattr(timer, "_callback", None), getattr(timer, "_args", None)
        if _is_own(call) or (call is not None and not _is_of_task(call)):
            yield from (call, args)


def _is_of_task(call: Any) -> bool:  # noqa: ANN401 - a callback
    """Whether a timer ends the wait of a task: `asyncio.sleep`, `asyncio.timeout`, `asyncio.wait`."""
    function = getattr(call, "__func__", call)
    return str(getattr(getattr(function, "__code__", None), "co_filename", "")).startswith(PACKAGES)

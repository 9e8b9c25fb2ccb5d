"""The stuck report: what every task waits for when nothing can ever run again.

A task that waits is a chain of coroutines, each awaiting the next, down to one future. The innermost frame that is
not asyncio's own is where the user's code stands; the innermost frame of an asyncio primitive tells what it waits for;
from that follows who would have to act, and so the cycle.
"""

from __future__ import annotations

import asyncio
import linecache
import math
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from harness.kernel import order
from harness.kernel.suspension import Suspension

AnyTask = asyncio.Task[Any]

_ASYNCIO = str(Path(asyncio.__file__).parent)
_OURS = str(Path(__file__).parents[1])
_WORLD = str(Path(__file__).with_name("world.py"))
"""Where programs are called from."""
_PACKAGES = (_OURS, *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")))
"""Where code lies that is not the program's."""

# The first is what the awaiting method must be called for `self` to be the thing that is waited for.
_MADE_OF_OTHERS: tuple[tuple[str, type, str], ...] = (
    ("wait", asyncio.Barrier, "a Barrier"),
    ("join", asyncio.Queue, "task_done of all items of a Queue"),
)
_PRIMITIVES: tuple[tuple[str, type, str], ...] = (
    ("acquire", asyncio.Lock, "a Lock"),
    ("acquire", asyncio.Semaphore, "a Semaphore"),
    ("wait", asyncio.Event, "an Event that nobody set"),
    ("wait", asyncio.Condition, "a Condition that nobody notified"),
    ("get", asyncio.Queue, "an item from a Queue"),
    ("put", asyncio.Queue, "room in a Queue"),
    ("__aexit__", asyncio.TaskGroup, "the tasks of a TaskGroup"),
)


@dataclass(frozen=True, slots=True)
class Wait:
    """What one task waits for."""

    what: str
    """In words, such as `a Lock held by Task-2`."""
    on: tuple[AnyTask, ...]
    """The tasks that would have to act first."""


def tasks_in_order(loop: asyncio.AbstractEventLoop) -> list[AnyTask]:
    """The tasks of a loop that are not done, in the order of their creation."""
    tasks = [task for task in asyncio.all_tasks(loop) if not task.done()]
    return sorted(tasks, key=lambda task: (getattr(task, "order", 0), task.get_name()))


def report(loop: asyncio.AbstractEventLoop, *, but: AnyTask | None = None) -> str:
    """Say of every task, but for one, what it waits for and where, and name the cycle if there is one."""
    tasks = [task for task in tasks_in_order(loop) if task is not but]
    if not tasks:
        return "  no task is left, and the program is not done"
    waits = {task: _wait_of(task) for task in tasks}
    running = asyncio.current_task(loop)
    lines = []
    for task, wait in waits.items():
        if task is running:
            lines.append(f"  {_label(task)} blocks its thread")
            frames = _frames_of_thread()
        else:
            lines.append(f"  {_label(task)} waits for {wait.what}")
            frames = _frames(task)
        lines.extend(f"    at {place}" for place in _place(frames))
    lines.extend(_deaths(loop))
    cycle = _find_cycle(waits)
    if cycle:
        lines.append("  cycle: " + " -> ".join(task.get_name() for task in [*cycle, cycle[0]]))
    return "\n".join(lines)


def report_of_thread() -> str:
    """Say where the program stands that runs in this thread, without a loop of its own."""
    frames = _frames_of_thread()
    return "\n".join(["  the program waits", *(f"    at {place}" for place in _place(frames))])


def _frames_of_thread() -> list[FrameType]:
    """The frames of the program that runs in this thread, outermost first."""
    frames: list[FrameType] = []
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the way to one's own frames
    while frame is not None and frame.f_code.co_filename != _WORLD:
        frames.append(frame)
        frame = frame.f_back
    return frames[::-1]


def _deaths(loop: asyncio.AbstractEventLoop) -> Iterator[str]:
    """The tasks that ended with an error that nobody has looked at: they may be what the others wait for."""
    # Since Python 3.12 the set of all tasks has another name.
    name = "_scheduled_tasks" if hasattr(asyncio.tasks, "_scheduled_tasks") else "_all_tasks"
    dead = [
        task
        for task in list(getattr(asyncio.tasks, name))
        if task.get_loop() is loop and task.done() and getattr(task, "_log_traceback", False)
    ]
    for task in sorted(dead, key=lambda task: getattr(task, "order", 0)):
        error = task._exception  # noqa: SLF001 - asking in public would count as having looked
        yield f"  {_label(task)} has died of {type(error).__name__}: {error}, and nobody has looked"


def _label(task: AnyTask) -> str:
    coroutine = getattr(task.get_coro(), "__qualname__", "?")
    return f"{task.get_name()} ({coroutine})"


def _frames(task: AnyTask) -> list[FrameType]:
    """The frames of a suspended task, outermost first."""
    frames: list[FrameType] = []
    awaited: Any = task.get_coro()
    while awaited is not None:
        frame = _first_attribute(awaited, "cr_frame", "gi_frame", "ag_frame")
        if frame is None:
            break
        frames.append(frame)
        awaited = _first_attribute(awaited, "cr_await", "gi_yieldfrom", "ag_await")
    return frames


def _first_attribute(thing: object, *names: str) -> Any:  # noqa: ANN401 - a frame or an awaitable, by name
    for name in names:
        if hasattr(thing, name):
            return getattr(thing, name)
    return None


def _wait_of(task: AnyTask) -> Wait:
    frames = _frames(task)
    for kinds in (_MADE_OF_OTHERS, _PRIMITIVES):
        for frame in reversed(frames):
            method, thing = frame.f_code.co_name, frame.f_locals.get("self")
            for name, kind, words in kinds:
                if method == name and isinstance(thing, kind):
                    return _wait_for_primitive(thing, words)
            if method == "_wait_for_one" and frame.f_code.co_filename.startswith(_ASYNCIO):
                return Wait("the next task of as_completed", ())
            if (
                method == "_wait"
                and "fs" in frame.f_locals
                and frame.f_code.co_filename.startswith(_ASYNCIO)
            ):
                return _wait_for_tasks(frame.f_locals["fs"])
    future = getattr(task, "_fut_waiter", None)
    due_s = _due_s(task, future)
    if due_s < math.inf:
        return Wait(f"virtual time {due_s:.6f} s, or something before it", ())
    if isinstance(future, Suspension):
        timed = future._scheduled  # noqa: SLF001 - the kernel's own
        never = "a time that never comes" if timed else "an event of the kernel that never happened"
        return Wait(never, ())
    if isinstance(future, asyncio.Task):
        return _wait_for_tasks([future])
    children = getattr(future, "_children", None)
    if children:
        return _wait_for_tasks(children)
    return Wait("a Future that nobody completed" if future is not None else "its turn", ())


def _wait_for_primitive(thing: object, words: str) -> Wait:
    if isinstance(thing, asyncio.Lock):
        held_by = order.holder(thing)
        if held_by is None:
            return Wait(words, ())
        done = " (done, without releasing it)" if held_by.done() else ""
        return Wait(
            f"{words} held by {held_by.get_name()}{done}", () if held_by.done() else (held_by,)
        )
    if isinstance(thing, asyncio.TaskGroup):
        return _wait_for_tasks(thing._tasks)  # noqa: SLF001 - no public way to ask
    return Wait(words, ())


def _wait_for_tasks(futures: Iterable[asyncio.Future[Any]]) -> Wait:
    tasks = [future for future in futures if isinstance(future, asyncio.Task) and not future.done()]
    tasks.sort(key=lambda task: getattr(task, "order", 0))
    names = ", ".join(task.get_name() for task in tasks)
    return Wait(names or "a Future that nobody completed", tuple(tasks))


def _due_s(task: AnyTask, future: object) -> float:
    """When a timer of the loop ends what a task waits for [s]; infinity when none does."""
    for when_s, _, timer in getattr(task.get_loop(), "_timers", ()):
        if timer is future or future in (getattr(timer, "_args", None) or ()):
            return float(when_s)
    return math.inf


def _place(frames: list[FrameType]) -> list[str]:
    """The innermost line of the program itself; where there is none, of a package that is neither asyncio nor ours."""
    files = [frame.f_code.co_filename for frame in frames]
    own = [place for place, file in enumerate(files) if not file.startswith(_PACKAGES)]
    others = [place for place, file in enumerate(files) if not file.startswith((_ASYNCIO, _OURS))]
    if not others:
        return []
    frame = frames[(own or others)[-1]]
    file, number = frame.f_code.co_filename, frame.f_lineno
    line = linecache.getline(file, number).strip()
    return [f"{file}:{number} in {frame.f_code.co_name}: {line}"]


def _find_cycle(waits: dict[AnyTask, Wait]) -> list[AnyTask]:
    """The first cycle among tasks that wait for one another, in the order of creation; empty when there is none."""
    visited: set[AnyTask] = set()
    for start in waits:
        path: list[AnyTask] = []
        todo: list[tuple[AnyTask, int]] = [(start, 0)]
        while todo:
            task, depth = todo.pop()
            del path[depth:]
            if task in path:
                return path[path.index(task) :]
            if task in visited:
                continue
            visited.add(task)
            path.append(task)
            on = waits[task].on if task in waits else ()
            todo.extend((other, depth + 1) for other in reversed(on))
    return []

"""The deadlock report: what every task waits for, and the cycle if there is one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from types import FrameType
from typing import NamedTuple

from harness.kernel.agent_circle import find_circle
from harness.kernel.awaited import AnyTask, Wait, few, frames_of, function_of, place_of, wait_of
from harness.kernel.code_places import PROGRAM_START
from harness.kernel.watcher import AGENTS, unseen_failures

_ALIKE_MIN = 4
"""From so many on, tasks of one function that do the same at the same place are one entry."""
_ENTRIES_MAX = 12
"""How many entries a report has."""
_PLURALS = {"blocks": "block", "has": "have", "waits": "wait"}
_ERROR_MAX = 80
"""How much of an error's text a line has [characters]."""


DIED = "has failed with"
"""The wording for a task whose exception was never retrieved."""


class _Entry(NamedTuple):
    """What tasks of one function are doing."""

    function: str
    what: str
    place: str


def tasks_in_order(loop: asyncio.AbstractEventLoop) -> list[AnyTask]:
    """The tasks of a loop that are not done, in the order of their creation."""
    tasks = [task for task in asyncio.all_tasks(loop) if not task.done()]
    return sorted(tasks, key=lambda task: (getattr(task, "order", 0), task.get_name()))


def report(loop: asyncio.AbstractEventLoop, *, but: AnyTask | None = None) -> str:
    """Report what every task but one waits for and where, and the cycle if there is one."""
    tasks = [task for task in tasks_in_order(loop) if task is not but]
    if not tasks:
        return "  no task is left, and the program is not done"
    waits = {task: wait_of(task) for task in tasks}
    running = asyncio.current_task(loop)
    doing: dict[_Entry, list[str]] = {}
    for task, wait in waits.items():
        what, frames = (
            ("blocks its thread", _frames_of_thread())
            if task is running
            else (f"waits for {wait.what}", frames_of(task))
        )
        entry = _Entry(function_of(task), what, place_of(frames))
        doing.setdefault(entry, []).append(task.get_name())
    deaths = _deaths(loop)
    lines = [*_lines(doing), *_lines(deaths)]
    watcher = getattr(getattr(loop, "kernel", None), "watcher", None)
    circle = None
    if watcher is not None:  # a task that died explains more than what is only likely
        circle = find_circle(tasks, watcher.agent_of, strict=bool(deaths))
    if circle is not None:
        lines.insert(0, f"{AGENTS}{circle.words}")
    cycle = _find_cycle(waits)
    if not (cycle or deaths):
        cycle = _find_cycle(
            {task: Wait(wait.what, (*wait.on, *wait.likely)) for task, wait in waits.items()}
        )
    if cycle:
        lines.append("  cycle: " + " -> ".join(task.get_name() for task in [*cycle, cycle[0]]))
    return "\n".join(lines)


def report_of_thread() -> str:
    """Report the position of a program in this thread that has no loop of its own."""
    place = place_of(_frames_of_thread())
    return "\n".join(["  the program waits", *([f"    at {place}"] if place else [])])


def _lines(doing: dict[_Entry, list[str]]) -> Iterator[str]:
    """One entry a task, or one for many that are alike; a long list is cut with a count."""
    told: list[tuple[int, str, str]] = []
    for entry, names in doing.items():
        if len(names) < _ALIKE_MIN:
            told += [(1, f"{name} ({entry.function}) {entry.what}", entry.place) for name in names]
        else:
            text = f"{len(names)} tasks ({entry.function}) {_plural(entry.what)}: {few(names)}"
            told.append((len(names), text, entry.place))
    for _, text, place in told[:_ENTRIES_MAX]:
        yield f"  {text}"
        if place:
            yield f"    at {place}"
    left = sum(number for number, *_ in told[_ENTRIES_MAX:])
    if left:
        yield f"  ... and {left} more {'task' if left == 1 else 'tasks'}"


def _plural(what: str) -> str:
    """What one task is doing, said of several."""
    verb, _, rest = what.partition(" ")
    return f"{_PLURALS[verb]} {rest}"


def _frames_of_thread() -> list[FrameType]:
    """The frames of the program that runs in this thread, outermost first."""
    frames: list[FrameType] = []
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the way to one's own frames
    while frame is not None and frame.f_code.co_filename != PROGRAM_START:
        frames.append(frame)
        frame = frame.f_back
    return frames[::-1]


def _deaths(loop: asyncio.AbstractEventLoop) -> dict[_Entry, list[str]]:
    """Tasks whose exception was never retrieved: others may wait for them."""
    dying: dict[_Entry, list[str]] = {}
    for task in sorted(unseen_failures(loop), key=lambda task: getattr(task, "order", 0)):
        error = task._exception  # noqa: SLF001 - asking in public would count as having looked
        text = f"{type(error).__name__}: {error}".partition("\n")[0]
        text = text if len(text) <= _ERROR_MAX else f"{text[:_ERROR_MAX]}..."
        entry = _Entry(function_of(task), f"{DIED} {text} (exception not retrieved)", "")
        dying.setdefault(entry, []).append(task.get_name())
    return dying


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

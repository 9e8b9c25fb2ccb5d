"""Agents that wait for one another in a circle: "analyst waits for writer's reply since 3 s, writer for analyst's since 5 s".

A task stands for the agent whose calls it makes; where that is not known it is named as the program names it. Whom a task waits
for is known of locks and tasks. Of messages it follows from what was sent: the reader of the last message that a task has sent,
and of whom it has not heard since. Who holds a future, or an event that is kept under an agent's name, comes next; who sent the
last message into an empty queue comes last.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import Any, Final, NamedTuple

from harness.kernel.awaited import (
    AnyTask,
    due_s_of,
    frames_of,
    function_of,
    name_of,
    names_in,
    thing_of,
    wait_of,
)
from harness.kernel.code_places import PACKAGES
from harness.kernel.lock_holders import last_putter, last_taker
from harness.kernel.mail import AnyQueue, mail_of

_OWN_NAMES: Final = ("agent", "agent_name", "name", "role", "me", "who")
"""Arguments and attributes in which programs keep the name of an agent."""

_NAME_MAX: Final = 40

_REPLY: Final = "'s reply"
_NEXT: Final = "'s next message"


class Circle(NamedTuple):
    """Agents that wait for one another."""

    words: str
    tasks: tuple[AnyTask, ...]
    """Whose waits these are."""


class _Edge(NamedTuple):
    """One wait for another task."""

    on: AnyTask
    what: str
    """What of it is waited for, in words that follow its name."""


_Edges = dict[AnyTask, list[_Edge]]
_Names = Mapping[AnyTask, str]
"""The tasks whose waits no timer ends, with the names of their agents."""


def find_circle(
    tasks: Sequence[AnyTask], agent_of: Callable[[AnyTask], str], *, strict: bool = False
) -> Circle | None:
    """The first circle of agents that wait for one another, however that is known best; None if there is none.

    Args:
        tasks: The tasks that are not done, in the order of their creation.
        agent_of: Gives the agent whose calls a task makes, or an empty text.
        strict: Whether to leave out what is only likely.
    """
    names = {task: agent_of(task) or _own_name(task) for task in tasks if not _has_time(task)}
    edges: _Edges = {task: [] for task in names}
    levels = (_known, _asked_and_heard_nothing, _held)
    for level in levels if strict else (*levels, _asked, _called, _last_sent):
        for task in names:
            edges[task] += [edge for edge in level(task, names) if edge.on in edges]
        circle = _find(edges)
        named = _named(circle, names) if circle else None
        if named is not None:
            return named
    return None


def circle_beside_timers(
    tasks: Sequence[AnyTask], agent_of: Callable[[AnyTask], str], *, strict: bool
) -> Circle | None:
    """A circle that no timer can end, although timers go on; None if there is none, or one might.

    The first task, whose end is that of the program, waits for a task of the circle; and no task that has a timer holds one, as
    one does that gives up on others after a time.

    Args:
        tasks: The tasks of a loop that are not done, in the order of their creation.
        agent_of: Gives the agent whose calls a task makes, or an empty text.
        strict: Whether who has taken a message since it asked waits for no reply: it may be idle.
    """
    if not tasks or _has_time(tasks[0]):
        return None
    circle = find_circle(tasks, agent_of, strict=strict)
    if circle is None or any(_holds(task, circle.tasks) for task in tasks if _has_time(task)):
        return None
    return circle if _waits_for(tasks[0], circle.tasks, tasks) else None


def _waits_for(first: AnyTask, circle: Sequence[AnyTask], tasks: Sequence[AnyTask]) -> bool:
    """Whether a task waits for one of a circle, as far as that is known."""
    names = {task: "" for task in tasks if not _has_time(task)}
    found, todo = {first: None}, [first]
    while todo:
        task = todo.pop()
        if task in circle:
            return True
        for level in (_known, _asked, _held):
            for edge in level(task, names) if task in names else ():
                if edge.on not in found:
                    found[edge.on] = None
                    todo.append(edge.on)
    return False


def _holds(task: AnyTask, others: Sequence[AnyTask]) -> bool:
    return any(
        True
        for frame in frames_of(task)
        for other in others
        for _ in names_in(frame.f_locals, other)
    )


def _has_time(task: AnyTask) -> bool:
    """Whether a timer ends the wait of a task."""
    if due_s_of(task) < math.inf:
        return True
    for _, _, timer in getattr(task.get_loop(), "_timers", ()):
        owner = getattr(getattr(timer, "_callback", None), "__self__", None)
        if task is getattr(owner, "_task", None) or task in (getattr(owner, "_tasks", None) or ()):
            return True
    return False


# -- whom a task waits for -----------------------------------------------------------------------------------------------


def _known(task: AnyTask, _: _Names) -> Iterator[_Edge]:
    """Who holds the lock, and the tasks that are awaited."""
    wait, thing = wait_of(task), thing_of(task)
    what = "" if thing is None else f" to release {name_of(thing, frames_of(task))}"
    yield from (_Edge(other, what) for other in wait.on)


def _asked(task: AnyTask, names: _Names) -> Iterator[_Edge]:
    """The reader of the last message that it sent, if it has not heard of that one since."""
    mail = mail_of(task)
    if mail.sent_to is None or thing_of(task) is None:
        return
    reader = _reader(mail.sent_to, task, names)
    if reader is not None and not any(who is reader and at > mail.sent for who, at in mail.heard):
        yield _Edge(reader, _REPLY)


def _asked_and_heard_nothing(task: AnyTask, names: _Names) -> Iterator[_Edge]:
    """The reader of the last message that it sent, if it has heard of nobody since."""
    mail = mail_of(task)
    if not any(at > mail.sent for _, at in mail.heard):
        yield from _asked(task, names)


def _reader(queue: AnyQueue, sender: AnyTask, names: _Names) -> AnyTask | None:
    """Who takes messages from a queue: who waits for one, who took the last, whose variable it is, or whose name its key."""
    others = [task for task in names if task is not sender]
    waiting = [task for task in others if thing_of(task) is queue]
    if waiting:
        return waiting[0]
    taker = last_taker(queue)
    if taker is not None and not taker.done() and taker is not sender:
        return taker
    owners = [task for task in others if _owns(task, queue)]
    if len(owners) != 1:
        keys = _keys(queue, sender)
        owners = [task for task in others if names[task] in keys]
    return owners[0] if len(owners) == 1 else None


def _owns(task: AnyTask, thing: object) -> bool:
    """Whether a thing is a variable of a task, or an attribute of its `self`."""
    for frame in _own_frames(task):
        mine = frame.f_locals
        attributes = getattr(mine.get("self"), "__dict__", {})
        if any(value is thing for value in (*mine.values(), *attributes.values())):
            return True
    return False


def _held(task: AnyTask, names: _Names) -> Iterator[_Edge]:
    """The one task that holds the future or event that is waited for, as a part of what it works on."""
    thing = thing_of(task)
    if thing is None or isinstance(thing, asyncio.Lock | asyncio.Semaphore):
        return
    holders = [
        other
        for other in names
        if other is not task
        and any(True for frame in _own_frames(other) for _ in names_in(frame.f_locals, thing))
    ]
    if len(holders) == 1:
        yield _Edge(holders[0], _REPLY)


def _called(task: AnyTask, names: _Names) -> Iterator[_Edge]:
    """The task that is named as the key under which the program keeps what is waited for: `done["writer"]`."""
    thing = thing_of(task)
    if thing is None:
        return
    keys = _keys(thing, task)
    for other, name in names.items():
        if other is not task and name in keys:
            yield _Edge(other, f" ({name_of(thing, frames_of(task))})")


def _keys(thing: object, task: AnyTask) -> list[str]:
    """The keys under which the variables of a task keep a thing."""
    return [
        name.partition("[")[2].partition("]")[0].strip("'\"")
        for frame in _own_frames(task)
        for name in names_in({**frame.f_globals, **frame.f_locals}, thing)
        if "[" in name
    ]


def _last_sent(task: AnyTask, _: _Names) -> Iterator[_Edge]:
    """Who put the last item into the empty queue, or took the last from the full one."""
    thing = thing_of(task)
    if isinstance(thing, asyncio.Queue):
        other = last_putter(thing) if thing.empty() else last_taker(thing)
        if other is not None and other is not task:
            yield _Edge(other, _NEXT if thing.empty() else " to take a message")


# -- the circle ----------------------------------------------------------------------------------------------------------


def _find(edges: _Edges) -> list[tuple[AnyTask, str]]:
    """The first circle, each task with what the next is waited for."""
    finished: set[AnyTask] = set()
    for start in edges:
        path: list[tuple[AnyTask, str]] = []
        places: dict[AnyTask, int] = {}
        todo: list[tuple[AnyTask, str, int]] = [(start, "", 0)]
        while todo:
            task, what, depth = todo.pop()
            for gone, _ in path[depth:]:
                del places[gone]
            del path[depth:]
            if task in places:
                first = places[task]
                whats = [it for _, it in path[first + 1 :]] + [what]
                return list(zip([it for it, _ in path[first:]], whats, strict=True))
            if task in finished:
                continue
            finished.add(task)
            places[task] = len(path)
            path.append((task, what))
            todo += [(edge.on, edge.what, depth + 1) for edge in reversed(edges.get(task, ()))]
    return []


def _named(circle: Sequence[tuple[AnyTask, str]], names_of: _Names) -> Circle | None:
    """A circle in words; None if it is of a single agent, or no agent of it is known."""
    known = [names_of[task] for task, _ in circle]
    if not any(known):
        return None
    names = [name or f"{task.get_name()} ({function_of(task)})" for name, (task, _) in zip(known, circle, strict=True)]  # fmt: skip
    links = [
        (name, names[(place + 1) % len(names)], circle[place][1], _since_s(*circle[place]))
        for place, name in enumerate(names)
        if name != names[(place + 1) % len(names)]  # a part of it waits for another part of it
    ]
    if not links:
        return None
    told = []
    for place, (name, other, what, since_s) in enumerate(links):
        verb = " waits" if place == 0 else ""
        short = what if place == 0 or what != links[place - 1][2] or what not in {_REPLY, _NEXT} else "'s"  # fmt: skip
        since = "" if since_s is None else f" since {since_s:.6f} s"
        told.append(f"{name}{verb} for {other}{short}{since}")
    return Circle(", ".join(told), tuple(task for task, _ in circle))


def _since_s(task: AnyTask, what: str) -> float | None:
    """When a task asked, or began to wait [virtual s], if that is known."""
    mail = mail_of(task)
    if what == _REPLY and mail.sent_to is not None:
        return mail.sent_s
    future: Any = getattr(task, "_fut_waiter", None)
    made_s: float | None = getattr(future, "made_s", None)
    return made_s


def _own_frames(task: AnyTask) -> list[FrameType]:
    return [frame for frame in frames_of(task) if not frame.f_code.co_filename.startswith(PACKAGES)]


def _own_name(task: AnyTask) -> str:
    """What a program calls the agent of a task: in an argument, an attribute, or the name of the task; empty if it does not."""
    for frame in _own_frames(task):
        arguments = _arguments(frame)
        attributes = getattr(arguments.get("self"), "__dict__", {})
        for variables in (arguments, attributes):
            for name in _OWN_NAMES:
                value = variables.get(name)
                if isinstance(value, str) and 0 < len(value) <= _NAME_MAX:
                    return value
    name = task.get_name()
    if not name.startswith("Task-"):
        return name
    first = [_arguments(frame) for frame in _own_frames(task)[:1]]
    words = [it for each in first for it in each.values() if isinstance(it, str)]
    return next((word for word in words if word.isidentifier()), "")


def _arguments(frame: FrameType) -> dict[str, Any]:
    """The arguments that the function of a frame was called with."""
    code, values = frame.f_code, frame.f_locals
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return {name: values[name] for name in names if name in values}

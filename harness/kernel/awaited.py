"""What a task waits for, its line in the user's code, and which tasks would have to act first.

A task that waits is a chain of coroutines, each awaiting the next, down to one future. The innermost frame that is
not asyncio's own is where the user's code stands; the innermost frame of an asyncio primitive tells what it waits for.
"""

from __future__ import annotations

import asyncio
import linecache
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from harness.kernel.code_places import ASYNCIO, OURS, PACKAGES
from harness.kernel.lock_holders import last_putter, last_taker, lock_holder, permit_holders
from harness.kernel.suspension import Suspension

AnyTask = asyncio.Task[object]

NEVER_RELEASED = "ended without releasing it"
"""What is said of a task that holds a lock or a permit for ever."""

_NAMES_MAX = 3
"""How many tasks are named in a row."""

_DEPTH_MAX = 3
"""How deep a thing is looked for in the variables of the code that waits for it."""

_ITEMS_MAX = 100
"""How many items of a collection are looked at."""

# The first is what the awaiting method must be called for `self` to be the thing that is waited for. Kinds that are
# made of others come first.
_PRIMITIVES: tuple[tuple[tuple[str, type], ...], ...] = (
    (("wait", asyncio.Barrier), ("join", asyncio.Queue)),
    (
        ("acquire", asyncio.Lock),
        ("acquire", asyncio.Semaphore),
        ("wait", asyncio.Event),
        ("wait", asyncio.Condition),
        ("get", asyncio.Queue),
        ("put", asyncio.Queue),
        ("__aexit__", asyncio.TaskGroup),
    ),
)


@dataclass(frozen=True, slots=True)
class Wait:
    """The wait of one task."""

    what: str
    """In words, such as "Lock `page`, held by Task-2 (write)"."""
    on: tuple[AnyTask, ...] = ()
    """The tasks that would have to act first."""
    likely: tuple[AnyTask, ...] = ()
    """The tasks that probably would have to, because they did so before."""


def wait_of(task: AnyTask) -> Wait:
    """The wait of a task."""
    frames = frames_of(task)
    found = _primitive(frames)
    if isinstance(found, Wait):
        return found
    if found is not None:
        return _wait_for_primitive(*found, frames)
    future = getattr(task, "_fut_waiter", None)
    due_s = due_s_of(task)
    if due_s < math.inf:
        until = f"virtual time {due_s:.6f} s"
        sleeps = frames and _is_sleep(frames[-1])
        return Wait(f"{until} (sleep)" if sleeps else f"a reply or an event, at most until {until}")
    if isinstance(future, Suspension):
        timed = future._scheduled  # noqa: SLF001 - the kernel's own
        never = "an infinite time" if timed else "an event of the kernel that never happened"
        return Wait(never)
    if isinstance(future, asyncio.Task):
        return _wait_for_tasks([future])
    children = getattr(future, "_children", None)
    if children:
        return _wait_for_tasks(children)
    return Wait("a Future that was never completed" if future is not None else "its turn")


def thing_of(task: AnyTask) -> object:
    """The lock, queue, event or future that a task waits for; None if it waits for tasks, or for the time."""
    found = _primitive(frames_of(task))
    if isinstance(found, Wait):
        return None
    if found is not None:
        return None if isinstance(found[1], asyncio.TaskGroup) else found[1]
    future: object = getattr(task, "_fut_waiter", None)
    is_plain = isinstance(future, asyncio.Future) and not isinstance(future, asyncio.Task)
    return future if is_plain and not getattr(future, "_children", None) else None


def _primitive(frames: list[FrameType]) -> tuple[str, object] | Wait | None:
    """The thing of asyncio that a task waits for, and how; the wait itself, if that is for tasks; None for neither."""
    for kinds in _PRIMITIVES:
        for frame in reversed(frames):
            method, thing = frame.f_code.co_name, frame.f_locals.get("self")
            for name, kind in kinds:
                if method == name and isinstance(thing, kind):
                    return method, thing
            if not frame.f_code.co_filename.startswith(ASYNCIO):
                continue
            if method == "_wait_for_one":
                return Wait("the next task of as_completed")
            if method == "_wait" and "fs" in frame.f_locals:
                return _wait_for_tasks(frame.f_locals["fs"])
    return None


def function_of(task: AnyTask) -> str:
    """The name of the coroutine function that a task runs, without the function that it is defined in."""
    name: str = getattr(task.get_coro(), "__qualname__", "?")
    return name.rpartition("<locals>.")[2]


def few(names: Sequence[str]) -> str:
    """The first names of a list, and the number of the others."""
    more = len(names) - _NAMES_MAX
    return ", ".join(names[:_NAMES_MAX]) + (f" and {more} more" if more > 0 else "")


# -- the primitives of asyncio ----------------------------------------------------------------------


def _wait_for_primitive(method: str, thing: object, frames: list[FrameType]) -> Wait:
    name = name_of(thing, frames)
    match thing:
        case asyncio.TaskGroup():
            return _wait_for_tasks(thing._tasks)  # noqa: SLF001 - no public way to ask
        case asyncio.Lock():
            return _wait_for_lock(thing, name)
        case asyncio.Semaphore():
            return _wait_for_permit(thing, name)
        case asyncio.Queue():
            return _wait_for_queue(method, thing, name)
        case asyncio.Event():
            return Wait(f"{name} that was never set")
        case asyncio.Condition():
            return Wait(f"{name} that was never notified")
        case asyncio.Barrier():
            return Wait(f"{name}, at which {thing.n_waiting} of {thing.parties} have arrived")
    return Wait(name)


def _wait_for_lock(lock: asyncio.Lock, name: str) -> Wait:
    held_by = lock_holder(lock)
    if held_by is None:
        return Wait(name)
    return Wait(f"{name}, held by {_holder(held_by)}", () if held_by.done() else (held_by,))


def _wait_for_permit(semaphore: asyncio.Semaphore, name: str) -> Wait:
    holders = permit_holders(semaphore)
    if not holders:
        return Wait(name)
    permits = len(holders) + semaphore._value  # noqa: SLF001 - no public way to ask
    held_by = few([_holder(task) for task in holders])
    on = tuple(dict.fromkeys(task for task in holders if not task.done()))
    return Wait(f"{name}, {len(holders)} of {permits} held by {held_by}", on)


def _wait_for_queue(method: str, queue: asyncio.Queue[Any], name: str) -> Wait:
    if method == "get":
        putter = last_putter(queue)
        last = "no item was ever put" if putter is None else f"last put by {_user(putter)}"
        what = f"an item from {name}, which is empty ({last})"
        return Wait(what, likely=_still_going(putter))
    taker = last_taker(queue)
    last = "no item was ever taken" if taker is None else f"last taken by {_user(taker)}"
    if method == "put":
        what = f"room in {name}, which is full at {queue.maxsize} ({last})"
    else:
        left = getattr(queue, "_unfinished_tasks", 0)
        what = f"task_done of all items of {name}, {left} not done ({last})"
    return Wait(what, likely=_still_going(taker))


def _still_going(task: AnyTask | None) -> tuple[AnyTask, ...]:
    return () if task is None or task.done() else (task,)


def _holder(task: AnyTask) -> str:
    return f"{task.get_name()} ({function_of(task)}{f', {NEVER_RELEASED}' if task.done() else ''})"


def _user(task: AnyTask) -> str:
    return f"{task.get_name()} ({function_of(task)}{', which has ended' if task.done() else ''})"


def _wait_for_tasks(futures: Iterable[asyncio.Future[Any]]) -> Wait:
    tasks = [future for future in futures if isinstance(future, asyncio.Task) and not future.done()]
    tasks.sort(key=lambda task: getattr(task, "order", 0))
    names = few([task.get_name() for task in tasks])
    return Wait(names or "a Future that was never completed", tuple(tasks))


def _is_sleep(frame: FrameType) -> bool:
    """Whether a frame is that of `asyncio.sleep`, which waits for nothing but the time."""
    code = frame.f_code
    return code.co_name == "sleep" and code.co_filename.startswith(ASYNCIO)


def due_s_of(task: AnyTask) -> float:
    """When a timer of the loop ends what a task waits for [s]; infinity when none does."""
    future = getattr(task, "_fut_waiter", None)
    for when_s, _, timer in getattr(task.get_loop(), "_timers", ()):
        if timer is future or future in (getattr(timer, "_args", None) or ()):
            return float(when_s)
    return math.inf


# -- frames -------------------------------------------------------------------------------------------


def frames_of(task: AnyTask) -> list[FrameType]:
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


def place_of(frames: list[FrameType]) -> str:
    """The innermost line of the program itself; where there is none, of a package that is neither asyncio nor ours.

    Empty if there is neither.
    """
    files = [frame.f_code.co_filename for frame in frames]
    own = [place for place, file in enumerate(files) if not file.startswith(PACKAGES)]
    others = [place for place, file in enumerate(files) if not file.startswith((ASYNCIO, OURS))]
    if not others:
        return ""
    frame = frames[(own or others)[-1]]
    file, number = frame.f_code.co_filename, frame.f_lineno
    line = linecache.getline(file, number).strip()
    return f"{file}:{number} in {frame.f_code.co_name}: {line}"


def _first_attribute(thing: object, *names: str) -> Any:  # noqa: ANN401 - a frame or an awaitable, by name
    for name in names:
        if hasattr(thing, name):
            return getattr(thing, name)
    return None


# -- names of things ----------------------------------------------------------------------------------


def name_of(thing: object, frames: list[FrameType], kind: str = "") -> str:
    """The kind of a thing, and what the program calls it where it waits for it: "Lock `page`", or "a Lock".

    Args:
        thing: What is waited for.
        frames: Where, outermost first.
        kind: What it is, where its class has another name.
    """
    kind = kind or type(thing).__name__
    for frame in reversed(frames):
        if frame.f_code.co_filename.startswith(PACKAGES):
            continue
        for variables in (frame.f_locals, _globals_used(frame)):
            for name in names_in(variables, thing):
                return f"{kind} `{name}`"
    return f"{'an' if kind[:1] in 'AEIOU' else 'a'} {kind}"


def _globals_used(frame: FrameType) -> dict[str, object]:
    return {
        name: frame.f_globals[name] for name in frame.f_code.co_names if name in frame.f_globals
    }


def names_in(variables: Mapping[str, object], thing: object) -> Iterator[str]:
    """What a thing is called among variables, as a part of one, and as a part of such a part."""
    found = list(variables.items())
    for _ in range(_DEPTH_MAX):
        yield from (name for name, value in found if value is thing)
        found = [part for name, value in found for part in _parts(name, value)]


def _parts(name: str, value: object) -> Iterator[tuple[str, object]]:
    """The attributes of an object and the items of a collection, as the program writes them."""
    if isinstance(value, dict):
        yield from ((f"{name}[{key!r}]", held) for key, held in list(value.items())[:_ITEMS_MAX])
    elif isinstance(value, list | tuple):
        yield from ((f"{name}[{place}]", held) for place, held in enumerate(value[:_ITEMS_MAX]))
    else:
        for attribute, held in list(_attributes_of(value).items()):
            yield f"{name}.{attribute}", held


def _attributes_of(value: object) -> Mapping[str, object]:
    """The attributes of an object, without asking its own `__getattr__`."""
    try:
        attributes: Mapping[str, object] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return attributes

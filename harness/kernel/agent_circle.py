"""Agents that wait for one another in a circle: "analyst waits for writer's reply since 3 s, writer for analyst's since 5 s".

A task or thread stands for the agent whose calls it makes; where that is not known it is named as the program names it. Whom it
waits for is known of locks, and of tasks and threads. Of messages it follows from what was sent: the reader of the last message
that it has sent, and of whom it has not heard since. Who holds a future, or an event that is kept under an agent's name, comes
next; who sent the last message into an empty queue comes last.
"""

from __future__ import annotations

import asyncio
import math
import queue
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import FrameType, ModuleType
from typing import Any, Final, NamedTuple, Protocol

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
from harness.kernel.code_places import OURS, PACKAGES
from harness.kernel.mail import mail_of, putter_of, taker_of
from harness.kernel.suspension import Suspension

_OWN_NAMES: Final = ("agent", "agent_name", "name", "role", "me", "who")
"""Arguments and attributes in which programs keep the name of an agent."""

_NAME_MAX: Final = 40

_REPLY: Final = "'s reply"
_NEXT: Final = "'s next message"

_QUEUES: Final = (asyncio.Queue, queue.Queue)

Doer = Any
"""A task, or a thread."""


class Waits(Protocol):
    """What is known of the waits of tasks, or of threads."""

    def frames(self, doer: Doer) -> list[FrameType]:
        """The frames of it, outermost first."""

    def thing(self, doer: Doer) -> object:
        """The lock, queue, event or future that it waits for; None for none."""

    def known(self, doer: Doer) -> Iterable[tuple[Doer, bool]]:
        """Who would have to act first, and whether by releasing the thing."""

    def has_time(self, doer: Doer) -> bool:
        """Whether a timer ends its wait."""

    def has_event(self, doer: Doer) -> bool:
        """Whether it waits for an event of the kernel, such as a reply, or for a time, and so for nobody else."""

    def given_name(self, doer: Doer) -> str:
        """The name that the program gave it; empty if it gave none."""

    def title(self, doer: Doer) -> str:
        """What it is called in reports."""

    def since_s(self, doer: Doer) -> float | None:
        """When it began to wait [virtual s], if that is known."""


class TaskWaits:
    """The waits of tasks; see `Waits`."""

    def frames(self, doer: AnyTask) -> list[FrameType]:
        """See `Waits`."""
        return frames_of(doer)

    def thing(self, doer: AnyTask) -> object:
        """See `Waits`."""
        return thing_of(doer)

    def known(self, doer: AnyTask) -> Iterable[tuple[AnyTask, bool]]:
        """See `Waits`."""
        releases = self.thing(doer) is not None
        return [(other, releases) for other in wait_of(doer).on]

    def has_time(self, doer: AnyTask) -> bool:
        """See `Waits`."""
        if due_s_of(doer) < math.inf:
            return True
        for _, _, timer in getattr(doer.get_loop(), "_timers", ()):
            owner = getattr(getattr(timer, "_callback", None), "__self__", None)
            if doer is getattr(owner, "_task", None):
                return True
            if doer in (getattr(owner, "_tasks", None) or ()):
                return True
        return False

    def has_event(self, doer: AnyTask) -> bool:
        """See `Waits`."""
        return isinstance(getattr(doer, "_fut_waiter", None), Suspension)

    def given_name(self, doer: AnyTask) -> str:
        """See `Waits`."""
        name = doer.get_name()
        return "" if name.startswith("Task-") else name

    def title(self, doer: AnyTask) -> str:
        """See `Waits`."""
        return f"{doer.get_name()} ({function_of(doer)})"

    def since_s(self, doer: AnyTask) -> float | None:
        """See `Waits`."""
        future: Any = getattr(doer, "_fut_waiter", None)
        made_s: float | None = getattr(future, "made_s", None)
        return made_s


class Circle(NamedTuple):
    """Agents that wait for one another."""

    words: str
    doers: tuple[Doer, ...]
    """Whose waits these are."""


class _Edge(NamedTuple):
    """One wait for another."""

    on: Doer
    what: str
    """What of it is waited for, in words that follow its name."""


_Level = Callable[[Doer], Iterator[_Edge]]
"""One way to know whom one waits for."""
_Edges = dict[Doer, list[_Edge]]
_MANY = 200
"""Among more, a circle is looked for only when nothing else is left to happen, and by what is known alone: all other ways look
at each pair."""

_CIRCLE_MIN = 2
"""How many are in the smallest circle: whoever waits for itself alone is not told."""

_Names = Mapping[Doer, str]
"""Those whose waits no timer ends, with the names of their agents."""


def find_circle(
    doers: Sequence[Doer],
    agent_of: Callable[[Doer], str],
    waits: Waits | None = None,
    *,
    strict: bool = False,
) -> Circle | None:
    """The first circle of agents that wait for one another, however that is known best; None if there is none.

    Args:
        doers: The tasks that are not done, or the threads, in the order of their creation.
        agent_of: Gives the agent whose calls one makes, or an empty text.
        waits: What is known of their waits; None means that they are tasks.
        strict: Whether to leave out what is only likely.
    """
    finder = _Finder(waits or TaskWaits(), doers, agent_of)
    return finder.find(finder.strictly if strict else finder.likely)


def circle_beside_timers(
    doers: Sequence[Doer],
    agent_of: Callable[[Doer], str],
    waits: Waits | None = None,
    *,
    strict: bool,
) -> Circle | None:
    """A circle that no timer can end, although timers go on; None if there is none, or one might.

    The first, whose end is that of the program, waits for one of the circle; and none that has a timer holds one, as one does
    that gives up on others after a time.

    Args:
        doers: The tasks of a loop that are not done, or the threads, in the order of their creation.
        agent_of: Gives the agent whose calls one makes, or an empty text.
        waits: What is known of their waits; None means that they are tasks.
        strict: Whether who has taken a message since it asked waits for no reply: it may be idle.
    """
    waits = waits or TaskWaits()
    if not 0 < len(doers) <= _MANY:
        return None
    if sum(not waits.has_event(it) for it in doers) < _CIRCLE_MIN:  # as with most teams that work
        return None
    finder = _Finder(waits, doers, agent_of)
    if doers[0] not in finder.names:
        return None
    circle = finder.find(finder.strictly if strict else finder.likely)
    if circle is None or not finder.waits_for(doers[0], circle.doers):
        return None
    waiting = [it for it in finder.names if finder.awaits(it, circle.doers)]
    gives_up = any(finder.holds(it, waiting) for it in doers if it not in finder.names)
    return None if gives_up else circle


class _Finder:
    """A search for circles.

    Args:
        waits: What is known of the waits.
        doers: Among whom.
        agent_of: Gives the agent whose calls one makes, or an empty text.
    """

    def __init__(
        self, waits: Waits, doers: Sequence[Doer], agent_of: Callable[[Doer], str]
    ) -> None:
        self._waits = waits
        self.names: _Names = {
            it: agent_of(it) or self._own_name(it) for it in doers if not waits.has_time(it)
        }
        self.strictly: tuple[_Level, ...] = (self._known,)
        self.likely: tuple[_Level, ...] = self.strictly
        if len(self.names) <= _MANY:
            self.strictly = (self._known, self._asked_and_heard_nothing, self._held)
            self.likely = (*self.strictly, self._asked, self._called, self._last_sent)

    def find(self, levels: Iterable[_Level]) -> Circle | None:
        """The first circle with the first levels of knowledge that show one."""
        edges: _Edges = {it: [] for it in self.names}
        for level in levels:
            for it in self.names:
                edges[it] += [edge for edge in level(it) if edge.on in edges]
            circle = _circle(edges)
            named = self._named(circle) if circle else None
            if named is not None:
                return named
        return None

    def waits_for(self, first: Doer, circle: Sequence[Doer]) -> bool:
        """Whether one waits for one of a circle, as far as that is known."""
        return self._reaches(first, circle, (self._known, self._asked, self._held))

    def awaits(self, first: Doer, circle: Sequence[Doer]) -> bool:
        """Whether one is of a circle, or awaits one of it and would cancel it."""
        return self._reaches(first, circle, (self._known,))

    def _reaches(self, first: Doer, circle: Sequence[Doer], levels: Sequence[_Level]) -> bool:
        found, todo = {first: None}, [first]
        while todo:
            it = todo.pop()
            if it in circle:
                return True
            for edge in [edge for level in levels if it in self.names for edge in level(it)]:
                if edge.on not in found:
                    found[edge.on] = None
                    todo.append(edge.on)
        return False

    def holds(self, doer: Doer, others: Sequence[Doer]) -> bool:
        """Whether the variables of one hold another."""
        return any(
            True
            for frame in self._waits.frames(doer)
            if not frame.f_code.co_filename.startswith(OURS)
            for other in others
            for _ in names_in(frame.f_locals, other)
        )

    # -- whom one waits for ----------------------------------------------------------------------------------------------

    def _known(self, doer: Doer) -> Iterator[_Edge]:
        """Who holds the lock, and the tasks and threads that are awaited."""
        for other, releases in self._waits.known(doer):
            yield _Edge(other, f" to release {self._thing_name(doer)}" if releases else "")

    def _asked(self, doer: Doer) -> Iterator[_Edge]:
        """The reader of the last message that it sent, if it has not heard of that one since."""
        mail = mail_of(doer)
        if mail.sent_to is None or self._waits.thing(doer) is None:
            return
        reader = self._reader(mail.sent_to, doer)
        if reader is not None and not any(it is reader and at > mail.sent for it, at in mail.heard):
            yield _Edge(reader, _REPLY)

    def _asked_and_heard_nothing(self, doer: Doer) -> Iterator[_Edge]:
        """The reader of the last message that it sent, if it has heard of nobody since."""
        mail = mail_of(doer)
        if not any(at > mail.sent for _, at in mail.heard):
            yield from self._asked(doer)

    def _reader(self, mailbox: object, sender: Doer) -> Doer | None:
        """Who takes messages from a queue: who waits for one, who took the last, whose variable it is, or whose name its key."""
        others = [it for it in self.names if it is not sender]
        waiting = [it for it in others if self._waits.thing(it) is mailbox]
        if waiting:
            return waiting[0]
        taker: Doer = taker_of(mailbox)
        if taker is not None and not taker.done() and taker is not sender:
            return taker
        owners = [it for it in others if self._owns(it, mailbox)]
        if len(owners) != 1:
            keys = self._keys(mailbox, sender)
            owners = [it for it in others if self.names[it] in keys]
        return owners[0] if len(owners) == 1 else None

    def _owns(self, doer: Doer, thing: object) -> bool:
        """Whether a thing is a variable of it, or an attribute of its `self`."""
        for frame in self._own_frames(doer):
            mine = frame.f_locals
            attributes = getattr(mine.get("self"), "__dict__", {})
            if any(value is thing for value in (*mine.values(), *attributes.values())):
                return True
        return False

    def _held(self, doer: Doer) -> Iterator[_Edge]:
        """The one that holds the future or event that is waited for, as a part of what it works on."""
        thing = self._waits.thing(doer)
        if thing is None or isinstance(thing, (asyncio.Lock, asyncio.Semaphore, *_QUEUES)):
            return
        holders = [
            other
            for other in self.names
            if other is not doer
            and any(
                True
                for frame in self._own_frames(other)
                for _ in names_in(_variables(frame), thing)
            )
        ]
        if len(holders) == 1:
            yield _Edge(holders[0], _REPLY)

    def _called(self, doer: Doer) -> Iterator[_Edge]:
        """The one that is named as the key under which the program keeps what is waited for: `done["writer"]`."""
        thing = self._waits.thing(doer)
        if thing is None:
            return
        keys = self._keys(thing, doer)
        for other, name in self.names.items():
            if other is not doer and name in keys:
                yield _Edge(other, f" ({self._thing_name(doer)})")

    def _keys(self, thing: object, doer: Doer) -> list[str]:
        """The keys under which the variables of one keep a thing."""
        return [
            name.partition("[")[2].partition("]")[0].strip("'\"")
            for frame in self._own_frames(doer)
            for name in names_in({**_own_globals(frame), **frame.f_locals}, thing)
            if "[" in name
        ]

    def _last_sent(self, doer: Doer) -> Iterator[_Edge]:
        """Who put the last item into the empty queue, or took the last from the full one."""
        thing: Any = self._waits.thing(doer)
        if isinstance(thing, _QUEUES):
            # The queue of a thread is locked to be asked.
            is_empty = not thing.queue if isinstance(thing, queue.Queue) else thing.empty()
            other = putter_of(thing) if is_empty else taker_of(thing)
            if other is not None and other is not doer:
                yield _Edge(other, _NEXT if is_empty else " to take a message")

    # -- names -------------------------------------------------------------------------------------------------------------

    def _named(self, circle: Sequence[tuple[Doer, str]]) -> Circle | None:
        """A circle in words; None if it is of a single agent, or no agent of it is known."""
        if not any(self.names[it] for it, _ in circle):
            return None
        names = [self.names[it] or self._waits.title(it) for it, _ in circle]
        links = [
            (name, other, what, self._since_s(it, what))
            for name, other, (it, what) in zip(names, [*names[1:], names[0]], circle, strict=True)
            if name != other  # else a part of it waits for another part of it
        ]
        if not links:
            return None
        told: list[str] = []
        before = ""
        for name, other, what, since_s in links:
            verb = "" if told else " waits"
            short = "'s" if what == before and what in {_REPLY, _NEXT} else what
            since = "" if since_s is None else f" since {since_s:.6f} s"
            told.append(f"{name}{verb} for {other}{short}{since}")
            before = what
        return Circle(", ".join(told), tuple(it for it, _ in circle))

    def _since_s(self, doer: Doer, what: str) -> float | None:
        """When one asked, or began to wait [virtual s], if that is known."""
        mail = mail_of(doer)
        if what == _REPLY and mail.sent_to is not None:
            return mail.sent_s
        return self._waits.since_s(doer)

    def _thing_name(self, doer: Doer) -> str:
        return name_of(self._waits.thing(doer), self._waits.frames(doer))

    def _own_frames(self, doer: Doer) -> list[FrameType]:
        frames = self._waits.frames(doer)
        return [it for it in frames if not it.f_code.co_filename.startswith(PACKAGES)]

    def _own_name(self, doer: Doer) -> str:
        """What a program calls the agent: in an argument, an attribute, or the name of the task; empty if it does not."""
        frames = self._own_frames(doer)
        for frame in frames:
            arguments = _arguments(frame)
            attributes = getattr(arguments.get("self"), "__dict__", {})
            for variables in (arguments, attributes):
                for name in _OWN_NAMES:
                    value = variables.get(name)
                    if isinstance(value, str) and 0 < len(value) <= _NAME_MAX:
                        return value
        given = self._waits.given_name(doer)
        if given:
            return given
        first = _arguments(frames[0]).values() if frames else ()
        return next((it for it in first if isinstance(it, str) and it.isidentifier()), "")


def _variables(frame: FrameType) -> dict[str, Any]:
    """The variables of a function alone: what it shares with others, such as the queues of all agents, says nothing of it."""
    names = frame.f_code.co_varnames
    return {name: it for name, it in frame.f_locals.items() if name in names and name != "self"}


def _own_globals(frame: FrameType) -> dict[str, Any]:
    """The variables of a function's module, without builtins and packages: they hold much, and nothing of the program."""
    return {
        name: it
        for name, it in frame.f_globals.items()
        if name != "__builtins__" and not _is_package(it)
    }


def _is_package(thing: object) -> bool:
    file = getattr(thing, "__file__", None) if isinstance(thing, ModuleType) else ""
    return file is None or file.startswith(PACKAGES)


def _arguments(frame: FrameType) -> dict[str, Any]:
    """The arguments that the function of a frame was called with."""
    code, values = frame.f_code, frame.f_locals
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return {name: values[name] for name in names if name in values}


def _circle(edges: _Edges) -> list[tuple[Doer, str]]:
    """The first circle, each with what it waits for of the next; empty if there is none."""
    finished: set[Doer] = set()
    for start in edges:
        path: list[tuple[Doer, str]] = []
        places: dict[Doer, int] = {}
        todo: list[tuple[Doer, str, int]] = [(start, "", 0)]
        while todo:
            doer, what, depth = todo.pop()
            for gone, _ in path[depth:]:
                del places[gone]
            del path[depth:]
            if doer in places:
                first = places[doer]
                whats = [it for _, it in path[first + 1 :]] + [what]
                return list(zip([it for it, _ in path[first:]], whats, strict=True))
            if doer in finished:
                continue
            finished.add(doer)
            places[doer] = len(path)
            path.append((doer, what))
            todo += [(edge.on, edge.what, depth + 1) for edge in reversed(edges.get(doer, ()))]
    return []

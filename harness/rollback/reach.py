"""All objects reachable from the program's own modules, each with a copy of its contents.

The walk follows globals, attributes, slots, containers, closures, default arguments, caches and weak references. It
stops at other modules, at classes of libraries, and at what observes a program from outside: logging, pytest, mocks.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from harness.rollback.iterators import copied, is_iterator, position
from harness.rollback.kept_contents import (
    CLASS,
    CLOSURE,
    DEFAULTS,
    GLOBALS,
    MODULE,
    NAMELESS,
    kinds_of,
)
from harness.rollback.kind import Kind
from harness.rollback.merging import same
from harness.rollback.opaque import visible_state

_OBSERVERS = frozenset((
    "harness", "logging", "_pytest", "pytest", "pluggy", "xdist", "execnet", "coverage", "hypothesis", "pytest_mock",
    "importlib", "_frozen_importlib", "_frozen_importlib_external", "warnings", "typing", "typing_extensions",
))  # fmt: skip
"""Packages whose objects are not the program's state. Through a logger the walk would come to pytest's own handler."""

_MOCKS = "unittest.mock"

PLAIN = frozenset((str, bytes, int, float, bool, complex, type(None), type(...)))
"""Classes whose instances hold nothing and never change."""

_OF_FUNCTIONS = kinds_of(FunctionType)

LARGEST = 200_000
"""Far more places than the modules of a program have; a walk through them takes a second."""


@dataclass(slots=True, eq=False)
class Place:
    """An object, and its contents."""

    holder: Place | None
    key: object
    """Where its holder has it; a name, if nothing holds it."""
    thing: Any
    kind: Kind
    contents: Any
    """As they were when it was reached."""
    holds_things: bool
    """Whether there was more in it than numbers and texts."""

    @property
    def path(self) -> str:
        """How the program would name it, such as `my_app.limits.TIMES`."""
        return _path(self.holder, self.key)


@dataclass(slots=True, eq=False)
class Mark:
    """A thing that Python cannot look into, or whose contents are no more than a position."""

    holder: Place | None
    key: object
    thing: Any
    at: object
    """What could be seen of it when it was reached."""
    copy: Any = None
    """An iterator at that position."""

    @property
    def path(self) -> str:
        """How the program would name it."""
        return _path(self.holder, self.key)


def _path(holder: Place | None, key: object) -> str:
    if holder is None:
        return str(key)
    if holder.kind in NAMELESS:
        return holder.path
    is_attribute = isinstance(key, str) and key.isidentifier()
    by_key = isinstance(holder.thing, dict | list | tuple | deque | set | frozenset)
    return f"{holder.path}.{key}" if is_attribute and not by_key else f"{holder.path}[{key!r}]"


class Reach:
    """All places that can be reached from some modules.

    Args:
        modules: Where the walk begins, by name.
        outside: Names of modules whose functions and instances are left alone, such as tests.
        roots: Other things to begin at, by name.
    """

    def __init__(
        self,
        modules: Mapping[str, ModuleType],
        outside: Set[str] = frozenset(),
        roots: Mapping[str, object] | None = None,
    ) -> None:
        self.places: list[Place] = []
        self.iterators: list[Mark] = []
        """What goes forward alone, such as `itertools.count`."""
        self.opaque: list[Mark] = []
        """What Python cannot look into."""
        self.holders: dict[frozenset[int], list[Place]] = {}
        """For ids of things, the places that hold one of them, as far as somebody has looked."""
        self._modules = modules
        self._outside = outside
        self._kinds: dict[type, tuple[Kind, ...] | None] = {}
        self._seen: dict[int, object] = {}  # what was seen is held, so that no id is given again
        self._todo: deque[tuple[Place | None, object, Any]] = deque()
        for name, module in sorted(modules.items()):
            self._seen[id(module)] = module
            self._keep(None, name, module, MODULE)
        for name, thing in (roots or {}).items():
            self._meet(None, name, thing)
        while self._todo and len(self.places) < LARGEST:
            self._look_into(*self._todo.popleft())

    def has(self, thing: object) -> bool:
        """Whether the walk came to a thing."""
        return id(thing) in self._seen

    def is_as_it_was(self) -> bool:
        """Whether another walk would come to the same things with the same contents."""
        return (
            all(map(_reads_as_it_did, self.places))
            and all(visible_state(mark.thing) == mark.at for mark in self.opaque)
            and all(position(mark.thing) == mark.at for mark in self.iterators)
        )

    def _meet(self, holder: Place | None, key: object, value: object) -> None:
        if id(value) not in self._seen:
            self._seen[id(value)] = value
            self._todo.append((holder, key, value))

    def _keep(self, holder: Place | None, key: object, thing: object, kind: Kind) -> None:
        try:
            contents = kind.read(thing)
        except Exception:  # noqa: BLE001 - a thing that is not what its class says, such as a half-made instance
            return
        members = [member for member in _members(contents) if type(member[1]) not in PLAIN]
        if kind is DEFAULTS and not members:
            return  # nothing in them can change, and most functions are like that
        place = Place(holder, key, thing, kind, contents, bool(members))
        self.places.append(place)
        for name, value in members:
            self._meet(place, name, value)

    def _look_into(self, holder: Place | None, key: object, thing: object) -> None:
        cls = type(thing)
        if issubclass(cls, FunctionType):
            kinds: Iterable[Kind] | None = self._kinds_of_function(thing)
        elif issubclass(cls, type):
            kinds = (CLASS,) if _home(thing) in self._modules else None
        elif is_iterator(cls):
            copy = copied(thing)
            if copy is None:
                self.opaque.append(Mark(holder, key, thing, None))
            else:
                self.iterators.append(Mark(holder, key, thing, position(thing), copy))
            return
        else:
            if cls not in self._kinds:
                self._kinds[cls] = self._kinds_of_instance(cls)
            kinds = self._kinds[cls]
            if kinds == ():
                self.opaque.append(Mark(holder, key, thing, visible_state(thing)))
        for kind in kinds or ():
            self._keep(holder, key, thing, kind)

    def _kinds_of_instance(self, cls: type) -> tuple[Kind, ...] | None:
        """How to look into the instances of a class; None if they are left alone."""
        home = _home(cls)
        root = home.partition(".")[0]
        if (
            root in _OBSERVERS
            or home == _MOCKS
            or home in self._outside
            or issubclass(cls, ModuleType)
        ):
            return None  # fmt: skip
        return kinds_of(cls)

    def _kinds_of_function(self, function: Any) -> Iterable[Kind]:  # noqa: ANN401 - a function
        home = function.__module__
        if home in self._outside:
            return
        if function.__closure__:
            yield CLOSURE
        module = self._modules.get(home)
        if module is not None:
            if function.__defaults__ or function.__kwdefaults__:
                yield DEFAULTS
            if _is_of_no_module(function.__globals__):
                yield GLOBALS
        if (
            module is not None or function.__dict__
        ):  # a run may give the first attribute to one of the program's own
            yield from _OF_FUNCTIONS


def _reads_as_it_did(place: Place) -> bool:
    try:
        return same(place.contents, place.kind.read(place.thing))
    except Exception:  # noqa: BLE001 - a run may have left it half made
        return False


def _members(contents: Any) -> Iterable[tuple[object, Any]]:  # noqa: ANN401 - contents of any kind
    if type(contents) is dict:
        return contents.items()
    return enumerate(contents) if type(contents) in (list, set) else ()


def _home(cls: object) -> str:
    home = type.__dict__["__module__"].__get__(cls)
    return home if isinstance(home, str) else ""


def _is_of_no_module(names: dict[str, Any]) -> bool:
    """Whether the globals of a function are its own, as those of a generated `__init__` may be."""
    module = sys.modules.get(names.get("__name__", ""))
    return module is None or object.__getattribute__(module, "__dict__") is not names

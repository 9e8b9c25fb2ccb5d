"""What code can reach from its variables: whether that is one of some things, and in which state it is."""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from types import (
    BuiltinMethodType,
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    MethodType,
    ModuleType,
)
from typing import Final

from harness.kernel.code_places import PACKAGES

_MANY: Final = 20_000
"""After so many values the search ends: code that has so much at hand may reach anything."""

_PLAIN: Final = (int, float, complex, str, bytes, type(None))

_CHANGES: Final = frozenset(
    {
        *("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "now", "utcnow", "today"),
        *("random", "randint", "randrange", "choice", "uniform", "uuid4", "token_hex"),
    }
)
"""Names of what gives another value each time: code that uses them may do something else the next time."""

_REACHES_ALL: Final = frozenset({"all_tasks", "get_objects", "enumerate_threads"})
"""Names of what gives things that no variable holds."""


_OWN: Final = ("harness.kernel.kernel", "harness.kernel.current_world", "harness.spans")
"""Modules of what holds the whole run: no code of a program ends a wait through it."""


class Reached:
    """What code can reach.

    Args:
        frames: Where it stands, outermost first; frames of packages are left out.
        others: Values that it has beside its variables, such as a callback and its arguments.
    """

    def __init__(self, frames: Iterable[FrameType], others: Iterable[object] = ()) -> None:
        self.ids: set[int] = set()
        """The identities of all that it can reach; they hold as long as nothing runs."""
        self.plain: list[object] = []
        """The plain values among them, in the order in which they are found, and where the frames stand."""
        self.is_all = False
        """Whether it may reach anything."""
        self.repeats = True
        """Whether it does the same again and again while the plain values stay."""
        self._todo: deque[object] = deque(others)
        self._codes: set[CodeType] = set()
        for frame in frames:
            if not frame.f_code.co_filename.startswith(PACKAGES):
                self.plain.append(frame.f_lasti)
                self._add_code(frame.f_code, frame.f_globals)
                self._todo.extend(frame.f_locals.values())
        self._search()

    def any_of(self, ids: Collection[int]) -> bool:
        """Whether it can reach one of some things, by their identities."""
        return self.is_all or any(it in self.ids for it in ids)

    def _search(self) -> None:
        while self._todo and not self.is_all:
            value = self._todo.popleft()
            if isinstance(value, _PLAIN):
                self.plain.append(_bare(value))
            elif id(value) not in self.ids:
                self.ids.add(id(value))
                self._todo.extend(self._parts(value))
                self.is_all = len(self.ids) > _MANY

    def _parts(self, value: object) -> Iterator[object]:
        if isinstance(value, Mapping):
            for key, held in list(value.items()):
                yield from (key, held)
        elif isinstance(value, list | tuple | set | frozenset | deque):
            yield from list(value)
        elif isinstance(value, partial):
            yield from (value.func, value.args, value.keywords)
        elif isinstance(value, MethodType):
            yield from (value.__func__, value.__self__)
        elif isinstance(value, BuiltinMethodType):
            yield value.__self__
        elif isinstance(value, CellType):
            yield _content(value)
        elif isinstance(value, FunctionType):
            self._add_code(value.__code__, value.__globals__)
            yield from (
                value.__closure__ or (),
                value.__defaults__ or (),
                value.__kwdefaults__ or {},
            )
        elif isinstance(value, type):
            yield from () if _is_of_package(value) else list(vars(value).values())
        elif isinstance(value, ModuleType | logging.Logger | CodeType | FrameType):
            return
        elif type(value).__module__ not in _OWN:
            yield from list(_attributes(value).values())
            yield type(value)

    def _add_code(self, code: CodeType, variables: Mapping[str, object]) -> None:
        """Add the variables of the module that a function uses, and the functions within it."""
        if code in self._codes or code.co_filename.startswith(PACKAGES):
            return
        self._codes.add(code)
        names = code.co_names
        self.is_all = self.is_all or not _REACHES_ALL.isdisjoint(names)
        self.repeats = self.repeats and _CHANGES.isdisjoint(names)
        for name in names:
            held = variables.get(name)
            if isinstance(held, ModuleType) and not _is_package(held):
                self._todo.extend(getattr(held, each, None) for each in names)
            else:
                self._todo.append(held)
        for inner in code.co_consts:
            if isinstance(inner, CodeType):
                self._add_code(inner, variables)


def _bare(value: object) -> object:
    """A plain value without what its own class makes of it."""
    if type(value) in _PLAIN:
        return value
    kind = next(kind for kind in _PLAIN if isinstance(value, kind))
    return type.__getattribute__(kind, "__repr__")(value)


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty
        return None


def _attributes(value: object) -> dict[str, object]:
    """The attributes of an object, also those in slots, without asking its own `__getattr__`."""
    found: dict[str, object] = {}
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots):
            try:
                found[name] = object.__getattribute__(value, name)
            except AttributeError:
                continue
    with suppress(AttributeError):
        found.update(object.__getattribute__(value, "__dict__"))
    return found


def _is_package(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    return file is None or file.startswith(PACKAGES)


def _is_of_package(kind: type) -> bool:
    module = sys.modules.get(kind.__module__)
    return module is None or _is_package(module)

"""Contents of an object, by kind: how they are read and restored.

Contents are a dictionary, a list or a set whose members are looked into in turn, or, for numbers and states, one value
that is compared as a whole. Attributes are read from where Python keeps them and not asked of the thing: a property, a
proxy or a model that forbids changes is not disturbed.
"""

from __future__ import annotations

import array
import collections
import functools
import random  # noqa: TID251 - the state of a program's own generators
import threading
import types
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from harness.rollback.cached_calls import calls_in, put_calls
from harness.rollback.kind import Kind
from harness.rollback.numpy_contents import numpy_kinds_of
from harness.rollback.sqlite_contents import sqlite_kinds_of

_ABSENT = object()

_NOT_STATE = frozenset((
    "__dict__", "__weakref__", "__module__", "__qualname__", "__doc__", "__slots__", "__annotations__",
    "__annotate__", "__annotate_func__", "__annotations_cache__", "__firstlineno__", "_abc_impl",
    "__static_attributes__", "__abstractmethods__", "__type_params__", "__parameters__", "__orig_bases__",
))  # fmt: skip
"""Attributes of a class that are part of its definition."""

_DESCRIPTORS = (types.GetSetDescriptorType, types.MemberDescriptorType)


# -- modules, classes, functions ------------------------------------------------------------------------------


def _read_module(module: object) -> dict[str, Any]:
    held = object.__getattribute__(module, "__dict__")
    return {name: value for name, value in held.items() if not _is_dunder(name)}


def _write_module(module: object, contents: dict[str, Any]) -> None:
    held = object.__getattribute__(module, "__dict__")
    for name in _read_module(module).keys() - contents.keys():
        del held[name]
    for name, value in contents.items():
        if held.get(name, _ABSENT) is not value:
            held[name] = value


def _is_dunder(name: object) -> bool:
    return isinstance(name, str) and name.startswith("__") and name.endswith("__")


def _read_class(owner: object) -> dict[str, Any]:
    held = type.__dict__["__dict__"].__get__(owner)
    return {
        name: value
        for name, value in held.items()
        if name not in _NOT_STATE and type(value) not in _DESCRIPTORS
    }


def _write_class(owner: object, contents: dict[str, Any]) -> None:
    now = _read_class(owner)
    for name in now.keys() - contents.keys():
        type.__delattr__(owner, name)
    for name, value in contents.items():
        if now.get(name, _ABSENT) is not value:
            type.__setattr__(owner, name, value)


def _read_defaults(function: Any) -> dict[object, Any]:  # noqa: ANN401 - a function
    return {**dict(enumerate(function.__defaults__ or ())), **(function.__kwdefaults__ or {})}


def _write_defaults(function: Any, contents: dict[object, Any]) -> None:  # noqa: ANN401 - see above
    by_place = tuple(value for key, value in contents.items() if isinstance(key, int))
    by_name = {key: value for key, value in contents.items() if isinstance(key, str)}
    function.__defaults__ = by_place or None
    function.__kwdefaults__ = by_name or None


def _read_cell(cell: Any) -> list[Any]:  # noqa: ANN401 - a cell of a closure
    try:
        return [cell.cell_contents]
    except ValueError:  # empty
        return []


def _write_cell(cell: Any, contents: list[Any]) -> None:  # noqa: ANN401 - see above
    if contents:
        cell.cell_contents = contents[0]
    else:
        del cell.cell_contents


def _read_partial(call: Any) -> list[Any]:  # noqa: ANN401 - a functools.partial
    return [call.func, call.args, call.keywords]


def _write_partial(call: Any, contents: list[Any]) -> None:  # noqa: ANN401 - see above
    call.__setstate__((*contents, call.__dict__ or None))


MODULE = Kind(_read_module, _write_module)
CLASS = Kind(_read_class, _write_class)
CLOSURE = Kind(lambda function: list(function.__closure__ or ()))
DEFAULTS = Kind(_read_defaults, _write_defaults)
GLOBALS = Kind(lambda function: [function.__globals__])
"""Of a function that was generated, such as an `__init__`, and has globals of its own."""


# -- instances ------------------------------------------------------------------------------------------------


def attributes_of(cls: type) -> Kind | None:
    """The kind that reads the `__dict__` of the instances of a class; None if they have none."""
    if issubclass(cls, threading.local):
        return _mapping(lambda thing: thing.__dict__)
    for owner in type.__dict__["__mro__"].__get__(cls):
        getter = type.__dict__["__dict__"].__get__(owner).get("__dict__")
        if type(getter) in _DESCRIPTORS:
            return _mapping(getter.__get__)
    return None


def _mapping(held_by: Callable[[Any], Any]) -> Kind:
    def read(thing: object) -> dict[Any, Any]:
        return dict(held_by(thing) or ())

    def write(thing: object, contents: dict[object, object]) -> None:
        held = held_by(thing)
        held.clear()
        held.update(contents)

    return Kind(read, write)


def slots_of(cls: type) -> Kind | None:
    """The kind that reads the slots of the instances of a class; None if they have none."""
    slots: dict[str, Any] = {}
    for owner in type.__dict__["__mro__"].__get__(cls):
        held = type.__dict__["__dict__"].__get__(owner)
        if "__slots__" in held or owner is collections.defaultdict:  # its factory is kept alike
            for name, slot in held.items():
                if type(slot) is types.MemberDescriptorType and name != "__dict__":
                    slots.setdefault(name, slot)
    if not slots:
        return None

    def read(thing: object) -> dict[str, Any]:
        contents = {}
        for name, slot in slots.items():
            try:
                contents[name] = slot.__get__(thing)
            except AttributeError:  # empty
                continue
        return contents

    def write(thing: object, contents: dict[str, Any]) -> None:
        now = read(thing)
        for name in now.keys() - contents.keys():
            slots[name].__delete__(thing)
        for name, value in contents.items():
            if now.get(name, _ABSENT) is not value:
                slots[name].__set__(thing, value)

    return Kind(read, write)


# -- containers -----------------------------------------------------------------------------------------------


def _write_dict(thing: Any, contents: dict[Any, Any]) -> None:  # noqa: ANN401 - a dictionary of any class
    dict.clear(thing)
    dict.update(thing, contents)


def _write_ordered_dict(thing: Any, contents: dict[Any, Any]) -> None:  # noqa: ANN401 - see above
    collections.OrderedDict.clear(thing)
    for key, value in contents.items():
        collections.OrderedDict.__setitem__(thing, key, value)


def _write_list(thing: Any, contents: list[Any]) -> None:  # noqa: ANN401 - a list of any class
    list.__setitem__(thing, slice(None), contents)


def _write_deque(thing: Any, contents: list[Any]) -> None:  # noqa: ANN401 - see above
    collections.deque.clear(thing)
    collections.deque.extend(thing, contents)


def _write_set(thing: Any, contents: set[Any]) -> None:  # noqa: ANN401 - see above
    set.clear(thing)
    set.update(thing, contents)


def _write_all(thing: Any, contents: Any) -> None:  # noqa: ANN401 - an array
    thing[:] = contents


def _write_random(generator: Any, state: Any) -> None:  # noqa: ANN401 - a random.Random
    random.Random.setstate(generator, state)


def _read_context(variable: Any) -> list[Any]:  # noqa: ANN401 - a ContextVar
    value = variable.get(_ABSENT)
    return [] if value is _ABSENT else [value]


def _write_context(variable: Any, contents: list[Any]) -> None:  # noqa: ANN401 - see above
    if not contents:
        raise TypeError("a context variable cannot be emptied")
    variable.set(contents[0])


def _read_referent(reference: Any) -> list[Any]:  # noqa: ANN401 - a weak reference
    return [weakref.ref.__call__(reference)]


_WRAPPERS: tuple[tuple[type, Kind], ...] = (
    (weakref.ref, Kind(_read_referent)),
    (ContextVar, Kind(_read_context, _write_context)),
    (types.CellType, Kind(_read_cell, _write_cell)),
    (types.MethodType, Kind(lambda thing: [thing.__self__, thing.__func__])),
    (types.BuiltinMethodType, Kind(lambda thing: [thing.__self__])),
    (types.MethodWrapperType, Kind(lambda thing: [thing.__self__])),
    (staticmethod, Kind(lambda thing: [thing.__func__])),
    (classmethod, Kind(lambda thing: [thing.__func__])),
    (property, Kind(lambda thing: [thing.fget, thing.fset, thing.fdel])),
    (functools.partial, Kind(_read_partial, _write_partial)),
    (functools._lru_cache_wrapper, Kind(calls_in, put_calls)),  # noqa: SLF001 - it has no public name
)
_CONTAINERS: tuple[tuple[type, Kind], ...] = (
    (collections.OrderedDict, Kind(lambda thing: dict(collections.OrderedDict.items(thing)), _write_ordered_dict)),
    (dict, Kind(lambda thing: dict(dict.items(thing)), _write_dict)),
    (list, Kind(lambda thing: list(list.__iter__(thing)), _write_list)),
    (collections.deque, Kind(lambda thing: list(collections.deque.__iter__(thing)), _write_deque)),
    (set, Kind(lambda thing: set(set.__iter__(thing)), _write_set)),
    (tuple, Kind(lambda thing: list(tuple.__iter__(thing)))),
    (frozenset, Kind(lambda thing: list(frozenset.__iter__(thing)))),
    (types.MappingProxyType, Kind(dict)),
    (bytearray, Kind(bytes, _write_all)),
    (array.array, Kind(lambda thing: array.array(thing.typecode, thing), _write_all)),
    (random.Random, Kind(random.Random.getstate, _write_random)),
)  # fmt: skip

NAMELESS = frozenset((CLOSURE, DEFAULTS, GLOBALS, *(kind for _, kind in _WRAPPERS)))
"""Kinds of objects whose members are named like the objects themselves, such as the cells of a closure."""


def kinds_of(cls: type) -> tuple[Kind, ...]:
    """How the instances of a class are read; none if Python cannot look into them.

    Args:
        cls: A class other than that of modules and classes, which depend on whose they are.
    """
    kinds = [kind for base, kind in (*_WRAPPERS, *_CONTAINERS) if issubclass(cls, base)][:1]
    kinds += numpy_kinds_of(cls) + sqlite_kinds_of(cls)
    kinds += [kind for kind in (attributes_of(cls), slots_of(cls)) if kind is not None]
    return tuple(kinds)

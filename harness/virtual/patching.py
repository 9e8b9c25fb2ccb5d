"""Install stand-ins wherever a program finds functions, including names imported earlier.

A stand-in asks which thread calls: in a world it does what it is for, and everywhere else what the original does.

`from time import monotonic` gives a module a name of its own, which a change of `time` does not reach. So the modules
are looked through, once each, for globals that are one of the originals. Names in other places (a default argument, an
attribute of a class) are not found; their functions stay the real ones.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, NamedTuple

from harness.kernel.current_world import this_thread
from harness.virtual.loaded_modules import LoadedModules

_LEFT_ALONE = frozenset(
    ("harness", "_pytest", "pytest", "pluggy", "xdist", "execnet", "pytest_timeout")
)
"""Packages that need the real clock while a world is open: they tell how long a test or a process really took."""

_ABSENT = object()


class StandIn(NamedTuple):
    """A function of a module, and what takes its place under every name it has."""

    original: Callable[..., object]
    replacement: Callable[..., object]


class Attribute(NamedTuple):
    """An attribute of one class or module, and what takes its place there."""

    owner: Any
    name: str
    replacement: object


class _Gate:
    """Its method is a stand-in that a class may keep as an attribute: like a built-in function, it is not bound again."""

    def __init__(self, original: Callable[..., object], inside: Callable[..., object]) -> None:
        self.original = original
        self.inside = inside

    def call(self, *args: object, **kwargs: object) -> Any:  # noqa: ANN401 - whatever the original takes and gives
        world = this_thread.world
        if world is None:
            return self.original(*args, **kwargs)
        return self.inside(world, *args, **kwargs)


def stand_in(original: Callable[..., object], inside: Callable[..., object]) -> StandIn:
    """A stand-in for a function of a module.

    Args:
        original: The function.
        inside: What is called in a world: with the world, and with the arguments.
    """
    return StandIn(original, _Gate(original, inside).call)


def method(owner: type, name: str, inside: Callable[..., object]) -> Attribute:
    """A stand-in for a method of a class.

    Args:
        owner: The class.
        name: The method's name.
        inside: What is called in a world: with the world, the object and the arguments.
    """
    original: Callable[..., object] = getattr(owner, name)

    @functools.wraps(original)
    def call(*args: object, **kwargs: object) -> Any:  # noqa: ANN401 - see above
        world = this_thread.world
        if world is None:
            return original(*args, **kwargs)
        return inside(world, *args, **kwargs)

    return Attribute(owner, name, call)


class _Place(NamedTuple):
    namespace: dict[str, Any]
    name: str
    stand_in: StandIn


_places: list[_Place] = []
_loaded = LoadedModules()
_looked_at: dict[str, object] = {}
_looked_for: set[int] = set()


@contextmanager
def in_all_modules(stand_ins: Sequence[StandIn]) -> Iterator[None]:
    """Context manager: every global of a module that was an original is its replacement.

    Modules imported inside, which know the replacements only, have the originals afterwards.

    Args:
        stand_ins: What is replaced. If one is new, all modules are looked through again.
    """
    originals = {id(stand_in.original) for stand_in in stand_ins}
    if not originals <= _looked_for:
        _looked_for.update(originals)
        _looked_at.clear()
        _places.clear()
        _loaded.forget()
    _look_at_new_modules(stand_ins)
    for namespace, name, (original, replacement) in _places:
        if namespace.get(name) is original:
            namespace[name] = replacement
    try:
        yield
    finally:
        _look_at_new_modules(stand_ins)
        for namespace, name, (original, replacement) in _places:
            if namespace.get(name) is replacement:
                namespace[name] = original


@contextmanager
def on_their_owners(attributes: Sequence[Attribute]) -> Iterator[None]:
    """Context manager: the attributes are the replacements."""
    before = [(owner, name, vars(owner).get(name, _ABSENT)) for owner, name, _ in attributes]
    for owner, name, replacement in attributes:
        setattr(owner, name, replacement)
    try:
        yield
    finally:
        for owner, name, original in before:
            if original is _ABSENT:
                delattr(owner, name)  # it was inherited
            else:
                setattr(owner, name, original)


def _look_at_new_modules(stand_ins: Sequence[StandIn]) -> None:
    loaded = _loaded.if_changed()
    if loaded is None:
        return
    new = [(name, module) for name, module in loaded.items() if _looked_at.get(name) is not module]
    by_id = {id(function): stand_in for stand_in in stand_ins for function in stand_in}
    for module_name, module in new:
        _looked_at[module_name] = module
        if module_name.partition(".")[0] in _LEFT_ALONE or not issubclass(type(module), ModuleType):
            continue
        # Asking a module that loads itself late for its `__dict__` would load it.
        namespace = object.__getattribute__(module, "__dict__")
        for name, value in list(namespace.items()):
            stand_in = by_id.get(id(value))
            if stand_in is not None:
                _places.append(_Place(namespace, name, stand_in))

"""Attributes with a separate value per world, such as a client's open connections.

A client that was used before a run has open connections to real servers. In the run it must not see them, and after the run it
must find them as they were. While a world is open, the attribute is a descriptor on the class: in a thread that is in
a world it gives the world's value, which begins empty, and everywhere else the object's own. So no client has to be
searched for, and one that is made in the run, or lives on after it, is treated alike.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from harness.kernel.current_world import this_thread

Empty = Callable[[Any], object]


def emptied(container: Any) -> object:  # noqa: ANN401 - a list, a dict, a set, or what is like one
    """A container of the same kind, without what is in it."""
    new = copy.copy(container)
    new.clear()
    return new


def always(value: object) -> Empty:
    """What gives the same value whatever the object's own is; for values that do not change."""
    return lambda _: value


def set_apart(owner: type, names: Mapping[str, Empty]) -> Callable[[], None]:
    """Let every world have its own value of some attributes of a class's objects.

    Args:
        owner: The class; its objects keep the attributes in their `__dict__`.
        names: The attributes; each with what makes the value of a new world out of the object's own.

    Returns:
        What ends it.
    """
    for name, empty in names.items():
        setattr(owner, name, _Apart(name, empty))

    def put_back() -> None:
        for name in names:
            delattr(owner, name)

    return put_back


class _Apart:
    """A data descriptor, which is asked before the object's `__dict__`."""

    def __init__(self, name: str, empty: Empty) -> None:
        self._name = name
        self._empty = empty

    def __get__(self, one: object, owner: type) -> Any:  # noqa: ANN401 - the class's
        if one is None:
            return self
        world = this_thread.world
        if world is None:
            try:
                return vars(one)[self._name]
            except KeyError:
                raise AttributeError(self._name) from None
        latest, values = world.latest_apart
        if latest() is not one:
            values = world.apart.setdefault(one, {})
            world.latest_apart = weakref.ref(one), values
        name = self._name
        if name in values:
            return values[name]
        first = values[name] = self._first(one)
        return first

    def _first(self, one: object) -> object:
        """The value in a world that has none yet."""
        if self._name not in vars(one):
            raise AttributeError(self._name)
        return self._empty(vars(one)[self._name])

    def __set__(self, one: object, value: object) -> None:
        world = this_thread.world
        if world is None:
            vars(one)[self._name] = value
            return
        world.apart.setdefault(one, {})[self._name] = value
        if self._name not in vars(one):  # it is made in the run, and may outlive it
            vars(one)[self._name] = self._empty(value)

    def __delete__(self, one: object) -> None:
        world = this_thread.world
        values = vars(one) if world is None else world.apart.setdefault(one, {})
        values.pop(self._name, None)

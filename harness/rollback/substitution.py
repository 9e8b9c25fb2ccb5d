"""Replace objects in the containers that hold them."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

Replacement = Callable[[Any], Any]
"""Gives what takes the place of a thing; the thing itself, if nothing does."""


def replacing(by_id: dict[int, object]) -> Replacement:
    """The replacement of things that are told by their identity."""
    return lambda thing: by_id.get(id(thing), thing)


_HOLD_BY_THEMSELVES = frozenset(
    (types.FunctionType, types.ModuleType, type, dict, list, set, str, int, float, bool, type(None))
)
"""Classes of things that can be changed themselves, or hold nothing."""


def substituted(contents: object, replacement: Replacement) -> Any:  # noqa: ANN401 - of any kind
    """Contents with replacements, also within what cannot be changed itself; the same object if there are none."""
    if type(contents) is dict:
        new = {key: _replaced(value, replacement) for key, value in contents.items()}
        return new if any(new[key] is not value for key, value in contents.items()) else contents
    if type(contents) is list or type(contents) is set:
        items = list(contents)
        changed = [_replaced(item, replacement) for item in items]
        is_same = all(one is other for one, other in zip(changed, items, strict=True))
        return contents if is_same else type(contents)(changed)
    return contents


def _replaced(value: object, replacement: Replacement) -> Any:  # noqa: ANN401 - anything
    new = replacement(value)
    if new is not value:
        return new
    cls = type(value)
    if cls in _HOLD_BY_THEMSELVES:
        return value
    if cls is types.BuiltinMethodType or cls is types.MethodWrapperType:  # such as count().__next__
        owner = replacement(value.__self__)
        return value if owner is value.__self__ else getattr(owner, value.__name__)
    if cls is staticmethod or cls is classmethod:
        inner = _replaced(value.__func__, replacement)
        return value if inner is value.__func__ else cls(inner)
    if cls is frozenset or (issubclass(cls, tuple) and _is_rebuilt_from_items(cls)):
        items = list(value)
        changed = substituted(items, replacement)
        return value if changed is items else _rebuilt(cls, changed)
    return value


def _is_rebuilt_from_items(cls: type) -> bool:
    return cls is tuple or hasattr(cls, "_make")


def _rebuilt(cls: Any, items: list[Any]) -> Any:  # noqa: ANN401 - a class of tuples, or frozenset
    return cls._make(items) if hasattr(cls, "_make") else cls(items)

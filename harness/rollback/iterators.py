"""Iterators that only advance, such as `itertools.count`: their position, and copies at that position."""

from __future__ import annotations

import ast
import copy
import itertools
import operator
import warnings
from typing import Any

_OVER_SEQUENCES: tuple[type, ...] = (
    *map(type, (iter([]), iter(()), iter(""), iter(b""), iter(range(1)))),
)


def copied(iterator: Any) -> Any:  # noqa: ANN401 - any iterator
    """An iterator that goes on from the same position by itself; None if there is no way to make one."""
    cls = type(iterator)
    if cls is itertools.count:
        numbers = _numbers(iterator)
        return None if numbers is None else itertools.count(*numbers)
    if cls is itertools.cycle:
        parts = _parts(iterator)
        return None if parts is None else _cycle(*parts)
    return copy.copy(iterator) if cls in _OVER_SEQUENCES else None


def position(iterator: object) -> object:
    """Where an iterator that can be copied stands."""
    if type(iterator) is itertools.count:
        return repr(iterator)
    if type(iterator) is itertools.cycle:
        inner, saved, second_pass = _parts(iterator)
        return operator.length_hint(inner), len(saved), bool(second_pass)
    return operator.length_hint(iterator)


def is_iterator(cls: type) -> bool:
    """Whether the instances of a class may be copied."""
    return cls in (itertools.count, itertools.cycle, *_OVER_SEQUENCES)


def _numbers(count: itertools.count[Any]) -> tuple[object, ...] | None:
    """Where it is and its step, which it shows in its `repr` alone."""
    try:
        shown = ast.literal_eval(repr(count).removeprefix("count"))
    except ValueError:  # a number of the program's own
        return None
    return shown if isinstance(shown, tuple) else (shown,)


def _parts(cycle: itertools.cycle[Any]) -> Any:  # noqa: ANN401 - an iterator, the items it has seen, and the pass
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        try:
            _, (inner,), (saved, second_pass) = cycle.__reduce__()  # type: ignore[str-unpack]  # unknown to typeshed
        except TypeError:  # Python 3.14 has no such method
            return None
    return (inner, saved, second_pass) if type(inner) in _OVER_SEQUENCES else None


def _cycle(inner: Any, saved: list[object], second_pass: object) -> itertools.cycle[Any]:  # noqa: ANN401 - see above
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        made: Any = itertools.cycle(copy.copy(inner))
        made.__setstate__((list(saved), second_pass))
    return made  # type: ignore[no-any-return]  # it has no other class

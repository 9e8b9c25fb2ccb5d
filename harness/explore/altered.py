"""Altered outputs: a check that accepts them all says nothing about a program."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

_MOST = 40
"""So many altered outputs are shown to a check."""


def accepts_everything(check: Callable[..., object], output: object) -> int:
    """How many altered outputs a check accepts, if it accepts every one; 0 if it rejects one.

    Args:
        check: The check, which raises or returns False if an output is wrong.
        output: One that is right.
    """
    shown = 0
    for altered in islice(_altered(output), _MOST):
        shown += 1
        try:
            if check(altered) is False:
                return 0
        except Exception:  # noqa: BLE001 - whatever a check raises is its verdict
            return 0
    return shown


def _altered(output: Any) -> Iterator[object]:  # noqa: ANN401 - whatever a program returns
    """Nothing at all, then the output with one part changed or taken away."""
    yield None
    yield from _changed(output)


def _changed(value: Any) -> Iterator[object]:  # noqa: ANN401 - see above
    match value:
        case bool():
            yield not value
        case int() | float():
            yield value + 1
            yield -value - 1
        case str():
            yield ""
            yield f"{value} "
        case dict():
            yield {}
            for key in value:
                yield {other: kept for other, kept in value.items() if other != key}
                for part in _changed(value[key]):
                    yield {**_copied(value), key: part}
        case list() | tuple():
            kind = type(value) if type(value) in (list, tuple) else list
            yield kind()
            for place, item in enumerate(value):
                yield kind([*value[:place], *value[place + 1 :]])
                for part in _changed(item):
                    yield kind([*value[:place], part, *value[place + 1 :]])


def _copied(value: dict[Any, Any]) -> dict[Any, Any]:
    try:
        return copy.deepcopy(value)
    except Exception:  # noqa: BLE001 - not everything can be copied
        return dict(value)

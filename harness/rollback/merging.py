"""Undo one change and keep a later one: a three-way merge of contents."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Collection
from typing import Any

_ABSENT = object()


def same(one: Any, other: Any) -> bool:  # noqa: ANN401 - contents of any kind
    """Whether two contents hold the same things in the same order; numbers and states are compared by value."""
    if type(one) is dict:
        return _are_same(one, other) and _are_same(one.values(), other.values())
    if type(one) is list:
        return _are_same(one, other)
    if type(one) is set:
        return len(one) == len(other) and {*map(id, one)} == {*map(id, other)}
    return bool(one == other)


def merged(before: Any, after: Any, now: Any) -> Any:  # noqa: ANN401 - see above
    """The contents without a change, and with what was changed later.

    Args:
        before: Contents before the change that is taken back.
        after: Contents after it.
        now: Contents now.
    """
    if same(now, after):
        return before
    if type(now) is dict:
        return _merged_dict(before, after, now)
    if type(now) is list:
        if _are_same(now[: len(after)], after):
            return before + now[len(after) :]
        return _without_added(before, after, now)
    if type(now) is set:
        return (now - (after - before)) | (before - after)
    return now


def _merged_dict(
    before: dict[object, object], after: dict[object, object], now: dict[object, object]
) -> dict[Any, Any]:
    new = {key: value for key, value in before.items() if key in now or key not in after}
    for key, value in now.items():
        if value is not after.get(key, _ABSENT):  # changed later
            new[key] = value
        elif key not in before:
            new.pop(key, None)
    return new


def _without_added(before: list[object], after: list[object], now: list[object]) -> list[Any]:
    """A list that was changed later elsewhere than at its end; what the change removed does not come back."""
    added = Counter(map(id, after)) - Counter(map(id, before))
    kept = []
    for item in reversed(now):
        if added[id(item)] > 0:
            added[id(item)] -= 1
        else:
            kept.append(item)
    return kept[::-1]


def _are_same(one: Collection[object], other: Collection[object]) -> bool:
    return len(one) == len(other) and all(map(operator.is_, one, other))

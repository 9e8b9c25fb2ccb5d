"""The record of a kind of object: how its contents are read and restored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Kind(NamedTuple):
    """How contents are read and written; without `write` they are only looked into."""

    read: Callable[[Any], Any]
    write: Callable[[Any, Any], None] | None = None

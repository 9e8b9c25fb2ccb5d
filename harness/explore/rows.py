"""Columns of what may be tried, taken row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def by_rows(columns: Sequence[Sequence[T]]) -> Iterator[T]:
    """The first of each column, then the second of each."""
    for row in range(max(map(len, columns), default=0)):
        yield from (column[row] for column in columns if row < len(column))

"""Columnar tables: numbers in arrays, texts as codes."""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from struct import pack
from typing import Any, Final, Literal

ColumnType = Literal["float", "int", "text"]

_TYPE_CODES: Final[dict[ColumnType, str]] = {"float": "d", "int": "q", "text": "i"}
"""How `array` and `struct` call the types."""

_ABSENT: Final[dict[ColumnType, Any]] = {"float": math.nan, "int": -1, "text": ""}


def is_absent(value: float | str) -> bool:
    """Whether a cell is the absent value of its type."""
    if isinstance(value, str):
        return not value
    return value == -1 or value != value


class Table:
    """Rows kept by column: numbers in arrays, texts as codes into `texts`.

    It is created empty, grows by `extend`, and may be pickled to another process at any time.

    Args:
        columns: Name and type of each column.
    """

    def __init__(self, columns: dict[str, ColumnType]) -> None:
        self.columns = columns
        self.codes = _codes_of([])
        """The code of each text: its index in order of first use; a new text gets the next."""
        self._arrays: dict[str, array[Any]] = {
            name: array(_TYPE_CODES[kind]) for name, kind in columns.items()
        }

    @property
    def texts(self) -> list[str]:
        """Every text that occurs, in the order of its first use; a text column holds indices into it."""
        return [str(text) for text in self.codes]  # some names of agents are more than a text

    def extend(self, *columns: list[Any]) -> None:
        """Add rows, as one list per column, in the order of the columns."""
        for (name, kind), values in zip(self.columns.items(), columns, strict=True):
            self._arrays[name].frombytes(self._packed(kind, values))

    def _packed(self, kind: ColumnType, values: list[Any]) -> bytes:
        """Values as an array keeps them: `array.fromlist` parses each like an argument of a call, at three times the price."""
        code, many = _TYPE_CODES[kind], len(values)
        if many > 1 and is_absent(values[0]) and values.count(values[0]) == many:
            return self._packed(kind, values[:1]) * many  # most columns of most spans
        coded = map(self.codes.__getitem__, values) if kind == "text" else values
        return pack(f"{many}{code}", *coded)

    def extend_coded(
        self,
        names: Sequence[str],
        rows: Sequence[tuple[Any, ...]],
        rare: Iterable[tuple[int, Mapping[str, Any]]] = (),
    ) -> None:
        """Add rows whose texts are codes already.

        Args:
            names: The columns that a row holds, in order; the others are rare.
            rows: At least one.
            rare: The values in other columns, by name, each with the place of its row among `rows`.
        """
        many = len(rows)
        for name, values in zip(names, zip(*rows, strict=True), strict=True):
            code = _TYPE_CODES[self.columns[name]]
            self._arrays[name].frombytes(pack(f"{many}{code}", *values))
        for name, kind in self.columns.items():
            if name not in names:
                self._arrays[name].frombytes(self._packed(kind, [_ABSENT[kind]]) * many)
        for place, row in rare:
            for name, value in row.items():
                coded = self.codes[value] if self.columns[name] == "text" else value
                self._arrays[name][place - many] = coded

    def beside(self, more: Mapping[str, array[Any]]) -> Table:
        """The same rows with further columns of integers, which have as many; nothing is copied."""
        wider = Table.__new__(Table)
        wider.columns = {**self.columns, **dict.fromkeys(more, "int")}
        wider.codes = self.codes
        wider._arrays = {**self._arrays, **more}  # noqa: SLF001 - of the same class
        return wider

    def __getitem__(self, name: str) -> array[Any]:
        """The array of one column."""
        return self._arrays[name]

    def __len__(self) -> int:
        return len(next(iter(self._arrays.values())))

    def __getstate__(self) -> tuple[dict[str, ColumnType], list[str], dict[str, array[Any]]]:
        return self.columns, self.texts, self._arrays

    def __setstate__(
        self, state: tuple[dict[str, ColumnType], list[str], dict[str, array[Any]]]
    ) -> None:
        self.columns, texts, self._arrays = state
        self.codes = _codes_of(texts)

    def values(self, name: str) -> Sequence[Any]:
        """The values of one column, texts as texts."""
        column = self._arrays[name]
        if self.columns[name] == "text":
            texts = self.texts
            return [texts[code] for code in column]
        return column

    def rows(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """The rows, as tuples of the named columns, or of all."""
        return zip(*(self.values(name) for name in names or self.columns), strict=True)


def _codes_of(texts: Sequence[str]) -> defaultdict[str, int]:
    """The codes of some texts, which go on with the next number for a new text."""
    return defaultdict(count(len(texts)).__next__, zip(texts, count(), strict=False))

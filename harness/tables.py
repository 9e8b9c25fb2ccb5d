"""Columnar tables, and rows that are packed until they are turned into columns."""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from struct import Struct, pack
from typing import Any, Final, Literal

ColumnType = Literal["float", "int", "text"]

_TYPE_CODES: Final[dict[ColumnType, str]] = {"float": "d", "int": "q", "text": "i"}
"""How `array` and `struct` call the types."""

_ABSENT: Final[dict[ColumnType, Any]] = {"float": math.nan, "int": -1, "text": ""}

_WORD: Final[dict[ColumnType, str]] = {"float": "d", "int": "q", "text": "i4x"}
"""How `struct` calls them where each value takes eight bytes."""

# Large enough that the turning is free, small enough that the rows do not count against the memory of a long run.
_CHUNK_ROWS = 1024


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
        return list(self.codes)

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


class PackedRows:
    """Rows on their way into a table: packed one by one, and turned into columns many at a time.

    Args:
        table: Where they go.
        columns: The columns that are packed, in the order of `pack`; a row states a value in the others by itself.
    """

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        self._table = table
        self._packed_columns = columns
        self.codes = table.codes
        """The code of each text."""
        self.pack = Struct("".join(_WORD[table.columns[name]] for name in columns)).pack
        """Packs the values of a row, texts as codes."""
        self._rows: list[bytes] = []
        self._rare: list[tuple[int, Mapping[str, Any]]] = []

    def add(self, packed: bytes, rare: Mapping[str, Any] | None = None) -> None:
        """Add a row.

        Args:
            packed: What `pack` made of it.
            rare: Its values in columns that are not packed, by name; None for none.
        """
        rows = self._rows
        if rare is not None:
            self._rare.append((len(rows), rare))
        rows.append(packed)
        if len(rows) >= _CHUNK_ROWS:
            self.turned()

    def turned(self) -> Table:
        """The table, with all rows that were added."""
        if self._rows:
            self._turn_packed()
            self._turn_rare()
            self._rows.clear()
            self._rare.clear()
        return self._table

    def _turn_packed(self) -> None:
        packed, width = b"".join(self._rows), len(self._packed_columns)
        words, halves = memoryview(packed).cast("q"), memoryview(packed).cast("i")
        for place, name in enumerate(self._packed_columns):
            is_text = self._table.columns[name] == "text"
            values = halves[2 * place :: 2 * width] if is_text else words[place::width]
            self._table[name].frombytes(values.tobytes())

    def _turn_rare(self) -> None:
        many = len(self._rows)
        for name, kind in self._table.columns.items():
            if name not in self._packed_columns:
                absent = _ABSENT[kind] if kind != "text" else self.codes[_ABSENT[kind]]
                self._table[name].extend(array(_TYPE_CODES[kind], [absent]) * many)
        for row, rare in self._rare:
            for name, value in rare.items():
                is_text = self._table.columns[name] == "text"
                self._table[name][row - many] = self.codes[value] if is_text else value

"""Tables fitted to the width of a terminal: names are shortened, columns dropped or stacked, numbers never cut.

rich is loaded with the first table that is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    Cell = str | Text

Kind = Literal["number", "key", "name", "words"]

LEAST: Final = 12
"""A name is not shortened to less, so that it can still be recognised, and words are not folded into less [columns]."""

_GAP, _EDGES = 2, 2
"""What stands between two columns, and at both ends of a line [columns]."""

_ELLIPSIS: Final = "…"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    kind: Kind = "number"
    """Numbers and keys are written as they are, the ones to the right and the others to the left; a name may be shortened in
    the middle, and words may take several lines."""
    optional: bool = False
    """Whether it is left out where there is no room; the last of them goes first."""
    least: int = LEAST
    """What names and words are given at least [columns]."""


@dataclass(slots=True)
class Grid:
    """The rows of a table; how wide they are drawn is decided when they are printed."""

    columns: Sequence[Column]
    rows: list[tuple[Cell, ...]] = field(default_factory=list)

    def add(self, *cells: Cell) -> None:
        """Add a row, a cell for each column."""
        assert len(cells) == len(self.columns), "a cell for each column"
        self.rows.append(cells)

    def fits(self, width: int) -> bool:
        """Whether it can be drawn in so many columns with nothing shortened or left out."""
        return _room(width, len(self.columns)) >= sum(map(self._natural, range(len(self.columns))))

    def print(self, out: Console) -> None:
        """Print it in the width of a console, in several tables one below the other if it must be."""
        from rich.text import Text

        shown, left_out = self._kept(out.width)
        blocks = [self._widths(block, out.width) for block in self._blocks(shown, out.width)]
        first = min(block[shown[0]] for block in blocks)  # a row begins alike in all of them
        for block in blocks:
            out.print(self._drawn({**block, shown[0]: first}))
        if left_out:
            names = ", ".join(self.columns[it].title for it in left_out)
            out.print(Text(f"left out at this width: {names}", style="dim"))

    def _kept(self, width: int) -> tuple[list[int], list[int]]:
        """The columns to show, and those to leave out so that the others fit."""
        shown, left_out = list(range(len(self.columns))), list[int]()
        while sum(map(self._least, shown)) > _room(width, len(shown)):
            optional = [it for it in shown if self.columns[it].optional]
            if not optional:
                break
            shown.remove(optional[-1])
            left_out.insert(0, optional[-1])
        return shown, left_out

    def _blocks(self, shown: list[int], width: int) -> Iterator[list[int]]:
        """The columns of each table to print; every one begins with the first column."""
        first, *others = shown
        block = [first]
        for column in others:
            if sum(map(self._least, [*block, column])) > _room(width, len(block) + 1) and block[1:]:
                yield block
                block = [first]
            block.append(column)
        yield block

    def _widths(self, block: list[int], width: int) -> dict[int, int]:
        """The width of each column: what it needs, and where that is too much, the widest are narrowed."""
        widths = {it: self._natural(it) for it in block}
        while sum(widths.values()) > _room(width, len(block)):
            able = [it for it in block if widths[it] > self._least(it)]
            if not able:
                break
            widths[max(able, key=lambda it: (widths[it], -it))] -= 1
        return widths

    def _natural(self, column: int) -> int:
        return max(_width(self.columns[column].title), self._cells(column))

    def _least(self, column: int) -> int:
        """What a column needs at least; its title may be folded at its spaces."""
        cells = self._cells(column)
        it = self.columns[column]
        least = min(cells, it.least) if it.kind in ("name", "words") else cells
        return max(least, *map(_width, (it.title + " ").split(" ")))

    def _cells(self, column: int) -> int:
        return max((_width(row[column]) for row in self.rows), default=0)

    def _drawn(self, widths: dict[int, int]) -> Table:
        from rich import box
        from rich.table import Table

        made = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
        for it, width in widths.items():
            column = self.columns[it]
            made.add_column(
                column.title,
                justify="right" if column.kind == "number" else "left",
                width=width,
                overflow="fold",
            )
        for row in self.rows:
            made.add_row(
                *(
                    shortened(row[it], width) if self.columns[it].kind == "name" else row[it]
                    for it, width in widths.items()
                )
            )
        return made


def shortened(text: Cell, width: int) -> Cell:
    """A name in no more than so many columns: its middle is left out, because ends tell names apart.

    A number in it stays whole or goes, because half of one is another number.
    """
    from rich.cells import set_cell_size
    from rich.text import Text

    plain = text if isinstance(text, str) else text.plain
    if _width(plain) <= width:
        return text
    tail, room = "", (width - 1) // 2
    for letter in reversed(plain):
        if _width(letter + tail) > room:
            break
        tail = letter + tail
    head = set_cell_size(plain, width - 1 - _width(tail)).rstrip(" ")
    if re.match(r"\d", plain[len(head) :]):
        head = head.rstrip("0123456789")
    if re.search(r"\d$", plain[: len(plain) - len(tail)]):
        tail = tail.lstrip("0123456789")
    short = head + _ELLIPSIS + tail
    return short if isinstance(text, str) else Text(short, style=text.style)


def _room(width: int, columns: int) -> int:
    return width - _EDGES - _GAP * (columns - 1)


def _width(text: Cell) -> int:
    from rich.cells import cell_len

    plain = text if isinstance(text, str) else text.plain
    return max(map(cell_len, plain.split("\n")))

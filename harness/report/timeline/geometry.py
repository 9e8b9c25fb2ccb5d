"""Coordinates in the SVG of a timeline: 1000 units wide, about one pixel each."""

from __future__ import annotations

from typing import Final, NamedTuple

WIDTH: Final = 1000
LEFT: Final = 178
"""Where time begins; left of it stand the names."""
RIGHT: Final = 984
"""Where time ends; the rest is room for half of the last label."""
TOP: Final = 30
"""Of the first lane, below the axis."""
PITCH: Final = 26
"""From one lane to the next."""
BAR: Final = 6
"""From the top of a lane to its bars; a cross stands in between."""
HEIGHT: Final = 14
"""Of a bar; also in `svg.STYLE`."""
BASELINE: Final = 23
"""From the top of a lane to the critical path, below the bars."""
NAME_LETTERS: Final = 20
"""Letters of 15 that have room beside the lanes, even wide ones."""
LEAST: Final = 1.5
"""The width of what took no time: such as an attempt that was refused at once."""


class Scale(NamedTuple):
    """From virtual seconds to places."""

    from_s: float
    until_s: float

    def tenths(self, at_s: float) -> int:
        """The place of a moment, in tenths of a unit."""
        duration_s = self.until_s - self.from_s
        share = (at_s - self.from_s) / duration_s if duration_s > 0 else 0.0
        return round((LEFT + (RIGHT - LEFT) * min(max(share, 0.0), 1.0)) * 10)

    def span(self, from_s: float, until_s: float) -> tuple[int, int]:
        """Place and width of a bar, in tenths of a unit; no bar is so narrow that it cannot be seen."""
        begin = self.tenths(from_s)
        return begin, max(self.tenths(until_s) - begin, round(LEAST * 10))


def number(tenths: int) -> str:
    """Tenths of a unit as SVG writes them, as short as can be."""
    whole, rest = divmod(abs(tenths), 10)
    sign = "-" if tenths < 0 else ""
    return f"{sign}{whole or (0 if not rest else '')}" + (f".{rest}" if rest else "")

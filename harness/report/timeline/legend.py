"""Styles of the kinds of time in SVG, and their legend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from harness.report.palette import INK, ROLES
from harness.report.timeline.details import LEGEND
from harness.report.timeline.geometry import HEIGHT, LEFT, WIDTH
from harness.report.timeline.marks import Timeline
from harness.report.timeline.names import width

_SQUARE: Final = 6
"""Side of the square that the lines of a pattern are drawn in."""

_SIDES: Final = {3: 6, 2: 11}
"""By the number of letters of a hatch, how far its lines are apart; those of two letters are told from those of three."""

# By the first letter of a hatch of the palette, the lines that mean the same as matplotlib's.
_LINES: Final = {
    "/": "M-1 1l2-2M0 6l6-6M5 7l2-2",
    "\\": "M-1 5l2 2M0 0l6 6M5-1l2 2",
    "x": "M0 0l6 6M0 6l6-6",
    "-": "M0 3h6",
    "|": "M3 0v6",
    "+": "M0 3h6M3 0v6",
}

_ROW: Final = 22
"""Height of a line of the legend."""

_LETTER: Final = 7.9
"""Width of a letter of 15, on the generous side: fonts differ."""


def variable(role: str) -> str:
    """The colour of a role, which the page's scheme decides."""
    return f"var(--{role.replace('_', '-')})"


def paint(key: str, kind: str) -> str:
    """What a bar of a kind is filled with: its colour, and its pattern if it has one."""
    return f"url(#{key}-{kind})" if ROLES[kind].hatch else variable(kind)


def kinds_of(timeline: Timeline) -> list[str]:
    """The kinds that occur, in the order of the palette."""
    found = {mark.kind for mark in timeline.marks}
    return [role for role in ROLES if role in found]


def patterns(key: str, kinds: Iterable[str]) -> Iterator[str]:
    """The definitions of the patterns of some kinds: dark lines over the colour, which both schemes are light enough for."""
    for kind in kinds:
        hatch = ROLES[kind].hatch
        if hatch:
            side = _SIDES[len(hatch)]
            yield (
                f'<pattern id="{key}-{kind}" width="{side}" height="{side}" viewBox="0 0 {_SQUARE} {_SQUARE}" '
                f'patternUnits="userSpaceOnUse"><path fill="{variable(kind)}" d="M0 0h{_SQUARE}v{_SQUARE}H0z"/>'
                f'<path fill="none" stroke="{INK.light}" stroke-opacity=".65" stroke-width="{5.4 / side:.2g}" '
                f'd="{_LINES[hatch[0]]}"/></pattern>'
            )


class Legend:
    """The kinds, crosses and lines that occur in a timeline, in lines of text.

    Args:
        timeline: What is drawn.
        key: What its ids begin with.
        top: Where the legend begins.
    """

    def __init__(self, timeline: Timeline, key: str, top: int) -> None:
        self._top = top
        self._entries = list(_entries(timeline, key))
        self._places = _places([text for _, text in self._entries])
        self.bottom = top + (max((row for _, row in self._places), default=-1) + 1) * _ROW
        """Where it ends."""

    def __iter__(self) -> Iterator[str]:
        for (symbol, text), (left, row) in zip(self._entries, self._places, strict=True):
            top = self._top + row * _ROW
            yield f'<g transform="translate({left} {top})">{symbol}<text x="26" y="12">{text}</text></g>'


def _entries(timeline: Timeline, key: str) -> Iterator[tuple[str, str]]:
    """A symbol, 20 wide and as high as a bar, and what it means."""
    for kind in kinds_of(timeline):
        box = f'<path stroke="var(--ink)" stroke-width=".5" fill="{paint(key, kind)}" d="M0 0h20v{HEIGHT}h-20z"/>'
        yield box, LEGEND[kind]
    if timeline.turns:
        yield '<path stroke="var(--muted)" stroke-width="1.5" d="M0 7h20"/>', "a task, turn or call"
    if timeline.path:
        yield '<path stroke="var(--ink)" stroke-width="3" d="M0 7h20"/>', "critical path"
    if timeline.faults:
        yield f'<use href="#{key}-fault" x="10" y="7"/>', "a fault struck"


def _places(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Where each entry begins, and in which line."""
    found: list[tuple[int, int]] = []
    left, row = LEFT, 0
    for text in texts:
        wide = 44 + round(width(text) * _LETTER)
        if left + wide > WIDTH and left > LEFT:
            left, row = LEFT, row + 1
        found.append((left, row))
        left += wide
    return found

"""The lanes of a timeline in SVG: name, turns, marks and crosses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from markupsafe import escape

from harness.report.timeline.details import LEGEND, times
from harness.report.timeline.fold import lane_names
from harness.report.timeline.geometry import (
    BAR,
    HEIGHT,
    LEFT,
    NAME_LETTERS,
    PITCH,
    TOP,
    Scale,
    number,
)
from harness.report.timeline.legend import paint
from harness.report.timeline.marks import Bar, Mark, Timeline
from harness.units import render

DETAILED: Final = 300
"""Marks that are drawn one by one, with details: the longest. All others of a lane and kind are one line of dashes."""

_WHOLE_LETTERS: Final = 200  # of a name that is shown when the pointer rests on it

_NARROW: Final = 40
"""Tenths of a unit below which a mark has no outline, which would hide its colour."""


def lane_groups(timeline: Timeline, key: str) -> Iterator[str]:
    """A group for each lane.

    Args:
        timeline: What to draw.
        key: What its ids begin with.
    """
    names = lane_names(timeline.lanes, NAME_LETTERS)
    wholes = lane_names(timeline.lanes, _WHOLE_LETTERS)
    longest = sorted(timeline.marks, key=lambda it: it.from_s - it.until_s)[:DETAILED]
    detailed = set(longest)
    drawn = _Drawn(timeline, key)
    for lane, (name, whole) in enumerate(zip(names, wholes, strict=True)):
        marks = [mark for mark in timeline.marks if mark.lane == lane]
        yield f'<g class="l" role="group" aria-label="{escape(whole)}">{drawn.name(lane, name, whole)}'
        yield drawn.turns(lane)
        yield '<g stroke="var(--ink)" stroke-width=".5">'
        yield from drawn.dashes(whole, [mark for mark in marks if mark not in detailed])
        yield from (drawn.mark(mark) for mark in marks if mark in detailed)
        yield "</g>"
        yield from drawn.crosses(lane)
        yield "</g>"


class _Drawn:
    """Draws what is in a lane.

    Args:
        timeline: What it is a part of.
        key: What its ids begin with.
    """

    def __init__(self, timeline: Timeline, key: str) -> None:
        self._timeline = timeline
        self._key = key
        self._scale = Scale(timeline.from_s, timeline.until_s)

    def name(self, lane: int, name: str, whole: str) -> str:
        title = f"<title>{escape(whole)}</title>" if whole != name else ""
        return (
            f'<text aria-hidden="true" x="{LEFT - 12}" y="{_top(lane) + BAR + 12}" text-anchor="end">'
            f"{escape(name)}{title}</text>"
        )

    def turns(self, lane: int) -> str:
        """A thin line through the middle of the bars: it is seen where nothing else is."""
        middle = _top(lane) + BAR + HEIGHT // 2
        lines = _dashes(self._spans(self._timeline.turns, lane), middle)
        return f'<path stroke="var(--muted)" stroke-width="1.5" d="{lines}"/>' if lines else ""

    def mark(self, mark: Mark) -> str:
        begin, wide = self._scale.span(mark.from_s, mark.until_s)
        plain = ' stroke="none"' if wide < _NARROW else ""
        box = f"M{number(begin)} {_top(mark.lane) + BAR}h{number(wide)}v{HEIGHT}h-{number(wide)}z"
        return (
            f'<g class="m" role="img" tabindex="-1"><title>{escape(mark.text)}</title>'
            f'<path{plain} fill="{paint(self._key, mark.kind)}" d="{box}"/></g>'
        )

    def dashes(self, name: str, marks: Sequence[Mark]) -> Iterator[str]:
        """One line of dashes for each kind, as high as bars."""
        for kind in dict.fromkeys(mark.kind for mark in marks):
            alike = [mark for mark in marks if mark.kind == kind]
            spans = [self._scale.span(mark.from_s, mark.until_s) for mark in alike]
            yield (
                f'<g class="m b" role="img" tabindex="-1"><title>{escape(_together(name, kind, alike))}</title>'
                f'<path stroke="{paint(self._key, kind)}" stroke-width="{HEIGHT}" '
                f'd="{_dashes(spans, _top(alike[0].lane) + BAR + HEIGHT // 2)}"/></g>'
            )

    def crosses(self, lane: int) -> Iterator[str]:
        for fault in self._timeline.faults:
            if fault.lane == lane:
                yield (
                    f'<g class="m f" role="img" tabindex="-1"><title>{escape(fault.text)} at '
                    f"{render('at_s', fault.at_s - self._timeline.from_s)}</title>"
                    f'<use href="#{self._key}-fault" x="{number(self._scale.tenths(fault.at_s))}" y="{_top(lane) + 5}"/></g>'
                )

    def _spans(self, bars: Sequence[Bar], lane: int) -> list[tuple[int, int]]:
        return [self._scale.span(bar.from_s, bar.until_s) for bar in bars if bar.lane == lane]


def _top(lane: int) -> int:
    return TOP + PITCH * lane


def _together(name: str, kind: str, marks: Sequence[Mark]) -> str:
    often = times(sum(mark.number for mark in marks))
    total_s = math.fsum(mark.until_s - mark.from_s for mark in marks)
    return f"{name}, {LEGEND[kind]}: {often}, {render('total_s', total_s)} together"


def _dashes(spans: Sequence[tuple[int, int]], y: int) -> str:
    """A line with gaps, written as moves from one dash to the next, which are short numbers."""
    parts: list[str] = []
    pen = 0
    for begin, wide in spans:
        parts.append(f"M{number(begin)} {y}" if not parts else f"m{number(begin - pen)} 0")
        parts.append(f"h{number(wide)}")
        pen = begin + wide
    return "".join(parts)

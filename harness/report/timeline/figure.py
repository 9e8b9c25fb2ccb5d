"""A timeline as a picture, with the lanes, marks and path of the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from harness.json_types import JsonObject
from harness.report.drawing import WIDTH_IN, house_style
from harness.report.palette import INK, MUTED, ROLES
from harness.report.timeline.details import LEGEND
from harness.report.timeline.fold import lane_names
from harness.report.timeline.legend import kinds_of
from harness.report.timeline.marks import Timeline
from harness.report.timeline.ticks import ticks

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LANE_IN = 0.24
_TITLE_IN = 0.32
_AXIS_IN = 0.3
_LEGEND_IN = 0.19  # of a row
_LEGEND_COLUMNS = 3
_LETTER_IN = 0.074
_HIGH = 0.56  # of a bar, of the lane's height
_NAME_LETTERS = 22


def as_figure(timeline: Timeline) -> Figure:
    """Draw a timeline with matplotlib, in the style of the house."""
    from matplotlib.figure import Figure

    with house_style():
        names = [drawable(name) for name in lane_names(timeline.lanes, _NAME_LETTERS)]
        figure = Figure(layout="none")  # type: ignore[arg-type]  # documented, and not in the stubs
        axes = figure.add_subplot()
        _axes(axes, timeline, names)
        handles = [*_marks(axes, timeline), *_lines(axes, timeline)]
        legend_in = _LEGEND_IN * math.ceil(len(handles) / _LEGEND_COLUMNS) + 0.08
        lanes_in = _LANE_IN * max(len(names), 1)
        height_in = _TITLE_IN + lanes_in + _AXIS_IN + legend_in
        figure.set_size_inches(WIDTH_IN, height_in)
        # Given, and not worked out from what is drawn, which takes as long as the drawing.
        figure.subplots_adjust(
            left=(0.2 + _LETTER_IN * max(map(len, names), default=0)) / WIDTH_IN, right=1 - 0.4 / WIDTH_IN,
            bottom=(_AXIS_IN + legend_in) / height_in, top=1 - _TITLE_IN / height_in,
        )  # fmt: skip
        if handles:
            figure.legend(
                handles=handles, loc="lower left", ncols=_LEGEND_COLUMNS, handlelength=2.2, borderaxespad=0.2
            )  # fmt: skip
    return figure


def _axes(axes: Axes, timeline: Timeline, names: Sequence[str]) -> None:
    duration_s = timeline.until_s - timeline.from_s
    axes.set_title(timeline.title)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(max(len(names), 1) - 0.4, -0.6)
    axes.set_xlim(0, duration_s or 1.0)
    moments = ticks(duration_s)
    axes.set_xticks([at_s for at_s, _ in moments], [text for _, text in moments])


def _marks(axes: Axes, timeline: Timeline) -> Iterator[Artist]:
    """Bars lane by lane and kind by kind, and one patch of each kind for the legend."""
    from matplotlib.patches import Patch

    least_s = (timeline.until_s - timeline.from_s) / 500  # what took no time is seen, too
    places: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for mark in timeline.marks:
        bar = (mark.from_s - timeline.from_s, max(mark.until_s - mark.from_s, least_s))
        places.setdefault((mark.kind, mark.lane), []).append(bar)
    for kind in kinds_of(timeline):
        look: JsonObject = {"facecolor": ROLES[kind].light, "hatch": ROLES[kind].hatch or None, "edgecolor": INK.light, "linewidth": 0.3}  # fmt: skip
        for lane in range(len(timeline.lanes)):
            if (kind, lane) in places:
                # On what is narrow an outline would hide the colour, and a pattern is not seen.
                wide = [bar for bar in places[kind, lane] if bar[1] > 2.5 * least_s]
                narrow = [bar for bar in places[kind, lane] if bar[1] <= 2.5 * least_s]
                place = (lane - _HIGH / 2, _HIGH)
                if wide:
                    axes.broken_barh(wide, place, zorder=2, **look)
                if narrow:
                    axes.broken_barh(
                        narrow, place, zorder=2, facecolor=look["facecolor"], linewidth=0
                    )
        yield Patch(label=LEGEND[kind], **look)


def _lines(axes: Axes, timeline: Timeline) -> Iterator[Artist]:
    zero_s = timeline.from_s
    if timeline.turns:
        turns = [(it.lane, it.from_s - zero_s, it.until_s - zero_s) for it in timeline.turns]
        lanes, begin, end = zip(*turns, strict=True)
        axes.hlines(lanes, begin, end, colors=MUTED.light, linewidth=0.9, zorder=1.5)
        yield _line("a task, turn or call", color=MUTED.light, linewidth=0.9)
    if timeline.path:
        x = [at_s - zero_s for bar in timeline.path for at_s in (bar.from_s, bar.until_s)]
        y = [bar.lane + 0.38 for bar in timeline.path for _ in range(2)]
        axes.plot(x, y, color=INK.light, linewidth=0.6, zorder=3)
        axes.hlines(y[::2], x[::2], x[1::2], colors=INK.light, linewidth=2, zorder=3)
        yield _line("critical path", color=INK.light, linewidth=2)
    if timeline.faults:
        look: JsonObject = {"color": ROLES["bad"].light, "marker": "x", "markersize": 5, "linestyle": "", "markeredgewidth": 1.6}  # fmt: skip
        at = [(it.at_s - zero_s, it.lane - 0.38) for it in timeline.faults]
        axes.plot(*zip(*at, strict=True), zorder=4, clip_on=False, **look)
        yield _line("a fault struck", **look)


def _line(label: str, **look: Any) -> Artist:  # noqa: ANN401 - matplotlib's own keywords
    from matplotlib.lines import Line2D

    return Line2D([], [], label=label, **look)


def drawable(text: str) -> str:
    """A text in letters that the font of the house has, so that matplotlib draws no boxes and warns of nothing."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties(family="DejaVu Sans")))
    return "".join(letter if font.get_char_index(ord(letter)) else "\ufffd" for letter in text)

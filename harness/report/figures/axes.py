"""Shared parts of figures: an empty figure in the common style, units on axes, marks of a role."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from harness.json_types import JsonObject
from harness.report.drawing import WIDTH_IN, house_style
from harness.report.palette import ROLES
from harness.report.timeline.names import shown
from harness.report.timeline.ticks import ticks
from harness.units import render

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABEL_LENGTH_MAX = 36
"""Letters of a name that fit beside a figure; the table below it has the whole."""


AXIS_IN = 0.5
"""What the horizontal axis takes with its numbers and its title [in]."""

LEGEND_IN = 0.28
"""What a legend takes above the axes, or a note there [in]."""

RIGHT_IN = 0.5
"""Half of a long number at the end of the horizontal axis, which stands out over it [in]."""

TICKS_MAX = 6
"""Numbers with their units are long: `2 min 20 s`."""

_LETTER_IN, _WIDE_LETTER_IN = 0.074, 0.135
"""What a letter of a label takes, and one of a script whose letters are square [in]."""


def new_figure(
    height_in: float,
    rows: int = 1,
    *,
    left_in: float,
    width_in: float = WIDTH_IN,
    bottom_in: float = AXIS_IN,
    top_in: float = 0.08,
    share_x: bool = True,
) -> tuple[Figure, list[Axes]]:
    """An empty figure, and its axes one row after the other, with one horizontal axis.

    It is no figure of pyplot, so that it is freed with its last reference, and needs no screen. Margins are given and not
    worked out from what is drawn, which takes as long as the drawing.

    Args:
        height_in: Its height [in].
        rows: Axes below one another.
        width_in: Its width [in].
        left_in: What stands beside the axes takes so much [in].
        bottom_in: What stands below them [in].
        top_in: What stands above each of them [in].
        share_x: Whether all have one horizontal axis.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    gap_in = top_in + 0.12
    axes_in = (height_in - bottom_in - top_in - gap_in * (rows - 1)) / rows
    with house_style():
        figure = Figure(figsize=(width_in, height_in), layout="none")  # type: ignore[arg-type]  # documented, and not in the stubs
        FigureCanvasAgg(figure)
        axes = figure.subplots(
            rows, 1, squeeze=False, sharex=share_x,
            gridspec_kw={
                "left": left_in / width_in, "right": 1 - RIGHT_IN / width_in, "bottom": bottom_in / height_in,
                "top": 1 - top_in / height_in, "hspace": gap_in / axes_in,
            },
        )  # fmt: skip
    return figure, list(axes.flat)


def beside_in(labels: Iterable[str]) -> float:
    """What labels take beside the axes [in]."""
    return 0.2 + max((_width_in(text) for text in labels), default=0.0)


def _width_in(text: str) -> float:
    return sum(
        _WIDE_LETTER_IN if unicodedata.east_asian_width(letter) in "WF" else _LETTER_IN
        for letter in text
    )


def paint(role: str) -> JsonObject:
    """The arguments that give a bar or an area the colour and the pattern of a role."""
    found = ROLES[role]
    more = {"hatch": found.hatch, "edgecolor": "white"} if found.hatch else {}
    return {"facecolor": found.light, "linewidth": 0, **more}


def label(text: str) -> str:
    """A name for a figure: on one line, printable, and not longer than its place."""
    # It stands alone, so that there is nothing around it that it could turn.
    return shown(text, LABEL_LENGTH_MAX).strip("\u2068\u2069")


def add_legend(axes: Axes) -> None:
    """Say what the marks mean, above them, where nothing is hidden; nothing if there are none."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, borderpad=0, ncols=4
        )


def mark_times(axes: Axes, from_s: float, until_s: float) -> None:
    """Mark round moments of a horizontal axis [virtual s]."""
    moments = [(at_s, text) for at_s, text in ticks(until_s) if at_s >= from_s]
    axes.set_xticks([at_s for at_s, _ in moments], [text for _, text in moments])
    axes.set_xlim(from_s, until_s)


def short_count(value: float) -> str:
    """A count beside an axis, where there is little room: `2 M`, `400 k`."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if abs(value) >= 10 * size or (abs(value) >= size and letter == "M"):
            return f"{value / size:g} {letter}"
    return f"{value:,g}"


def show_unit(axis: Any, name: str, ticks: int = TICKS_MAX) -> None:  # noqa: ANN401 - matplotlib's axis
    """Write the ticks of an axis in the unit that a name ends in."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(ticks))
    axis.set_major_formatter(lambda value, _: render(name, value) if value else "0")

"""What all figures share: an empty one in the house's style, units on axes, and the marks of a role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.report.drawing import WIDTH_IN, house_style
from harness.report.palette import ROLES
from harness.report.timeline.names import shown
from harness.report.timeline.ticks import ticks
from harness.units import render

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABEL_LENGTH_MAX = 28
"""Letters of a name that fit beside a figure; the table below it has the whole."""


def new_figure(
    height_in: float, rows: int = 1, *, same_x: bool = False
) -> tuple[Figure, list[Axes]]:
    """An empty figure, and its axes one row after the other.

    It is no figure of pyplot, so that it is forgotten when nobody holds it, and needs no screen.

    Args:
        height_in: Its height [in].
        rows: Axes below one another.
        same_x: Whether they have one horizontal axis.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with house_style():
        figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(rows, 1, squeeze=False, sharex=same_x)
    return figure, list(axes.flat)


def paint(role: str) -> dict[str, Any]:
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


def show_unit(axis: Any, name: str) -> None:  # noqa: ANN401 - matplotlib's axis
    """Write the ticks of an axis in the unit that a name ends in."""
    axis.set_major_formatter(lambda value, _: render(name, value) if value else "0")

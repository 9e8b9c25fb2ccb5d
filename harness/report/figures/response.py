"""A metric over a key: its mean at each value with an interval, and a mark where the curve turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from harness.report.drawing import WIDTH_IN, house_style
from harness.report.figures.axes import add_legend, label, new_figure, show_unit
from harness.report.palette import ROLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LINES_MAX = 6
"""So many lines can be told apart."""

_ROLES = ("candidate", "retry", "tool", "queue", "overhead", "base")
_MARKERS = ("o", "s", "^", "D", "v", "x")


class Mark(NamedTuple):
    """The metric at one value."""

    at: float
    mean: float
    low: float
    high: float
    """Bounds of the interval; those of the mean where there are none."""


@house_style()
def draw_response(
    lines: Mapping[str, Sequence[Mark]],
    *,
    metric: str,
    key: str,
    bound: float | None = None,
    knee: tuple[float, float, float] | None = None,
) -> Figure:
    """Draw one line for each name.

    Args:
        lines: The marks of each line, by what the line is; ascending.
        metric: The metric, whose name ends in its unit.
        key: What changes.
        bound: A limit of the metric; None if there is none.
        knee: Where the curve turns, and the ends of the interval of that.
    """
    figure, (axes,) = new_figure(3.4, left_in=1.2, width_in=WIDTH_IN, top_in=0.36)
    if knee is not None:
        axes.axvspan(knee[1], knee[2], color=ROLES["rule"].light, alpha=0.6, linewidth=0)
        axes.axvline(knee[0], color=ROLES["muted"].light, linewidth=1, label="knee")
    if bound is not None:
        axes.axhline(bound, color=ROLES["bad"].light, linewidth=1.2, linestyle="--", label="limit")
    for number, (name, marks) in enumerate(list(lines.items())[:LINES_MAX]):
        paint = ROLES[_ROLES[number]].light
        axes.errorbar(
            [it.at for it in marks], [it.mean for it in marks],
            yerr=[[it.mean - it.low for it in marks], [it.high - it.mean for it in marks]],
            color=paint, marker=_MARKERS[number], markersize=5, linewidth=1.4, elinewidth=1, capsize=3,
            label=label(name) if name else None,
        )  # fmt: skip
    axes.grid(axis="both")
    axes.set_xlabel(label(key))
    axes.set_ylabel(label(metric))
    axes.set_ylim(
        bottom=0 if all(it.low >= 0 for marks in lines.values() for it in marks) else None
    )
    show_unit(axes.yaxis, metric)
    add_legend(axes)
    return figure

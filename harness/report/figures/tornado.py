"""What moves a metric most: a bar for each change of a key, the longest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from harness.report.drawing import house_style
from harness.report.figures.axes import beside_in, label, new_figure, paint
from harness.report.palette import ROLES
from harness.units import render

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Bar(NamedTuple):
    """The effect of one change."""

    name: str
    change: float
    low: float
    high: float
    is_clear: bool
    """Whether it is more than chance."""


@house_style()
def draw_tornado(bars: Sequence[Bar], *, metric: str) -> Figure:
    """Draw a bar for each change, with its interval.

    Args:
        bars: The longest first.
        metric: The metric that changes; its name ends in its unit.
    """
    names = [label(bar.name) for bar in bars]
    figure, (axes,) = new_figure(0.8 + 0.36 * len(bars), left_in=beside_in(names))
    for row, bar in enumerate(bars):
        axes.barh(row, bar.change, height=0.6, **paint("candidate" if bar.is_clear else "hand_off"))
        axes.plot([bar.low, bar.high], [row, row], color=ROLES["ink"].light, linewidth=1.2)
    axes.axvline(0, color=ROLES["ink"].light, linewidth=1)
    axes.set_yticks(range(len(bars)), names)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set_xlabel(f"change of {label(metric)}")
    axes.xaxis.set_major_formatter(
        lambda value, _: ("+" if value > 0 else "-") + render(metric, abs(value)) if value else "0"
    )
    return figure

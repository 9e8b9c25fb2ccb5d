"""What chance does: one dot a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.report.drawing import house_style
from harness.report.figures.axes import label, new_figure
from harness.report.palette import ROLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW_STEPS = 7
"""Dots of a row stand on so many lines in turn, so that equal ones do not hide one another."""


@house_style()
def draw_seeds(values: Mapping[str, Sequence[float]], *, against: str, title: str) -> Figure:
    """Draw how far each seed is from what it is compared with.

    Args:
        values: For each metric, the relative difference of each seed.
        against: What 0 is.
        title: What the axis is.
    """
    figure, (axes,) = new_figure(0.8 + 0.42 * len(values))
    for row, differences in enumerate(values.values()):
        places = [
            row + 0.08 * (number % ROW_STEPS - ROW_STEPS // 2) for number in range(len(differences))
        ]
        axes.plot(
            [100 * it for it in differences], places, linestyle="", marker="o", markersize=4.2, color=ROLES["candidate"].light,
            markeredgecolor="white", markeredgewidth=0.5,
        )  # fmt: skip
    axes.axvline(0, color=ROLES["ink"].light, linewidth=1)
    axes.set_yticks(range(len(values)), [label(name) for name in values])
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.set_xlabel(f"{title} (0: {against})")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:+g} %" if value else "0")
    return figure

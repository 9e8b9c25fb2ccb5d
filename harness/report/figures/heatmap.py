"""A metric over two keys: a cell for each pair of values, darker where there is more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.report.drawing import WIDTH_IN, house_style
from harness.report.figures.axes import beside_in, label, new_figure
from harness.report.palette import ROLES
from harness.units import render

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@house_style()
def draw_heatmap(
    values: Mapping[tuple[str, str], float],
    *,
    metric: str,
    columns: Sequence[str],
    rows: Sequence[str],
    column_key: str,
    row_key: str,
) -> Figure:
    """Draw a cell for each pair, with its number in it.

    Args:
        values: The metric by value of the column's key and of the row's.
        metric: Its name ends in its unit.
        columns: Values from left to right.
        rows: Values from top to bottom.
        column_key: What changes from left to right.
        row_key: What changes from top to bottom.
    """
    from matplotlib.colors import LinearSegmentedColormap

    names = [label(row) for row in rows]
    figure, (axes,) = new_figure(
        0.9 + 0.44 * len(rows), left_in=beside_in(names) + 0.3, width_in=WIDTH_IN
    )
    low, high = min(values.values()), max(values.values())
    shades = LinearSegmentedColormap.from_list("shades", ["#ffffff", ROLES["work"].light])
    for across, column in enumerate(columns):
        for down, row in enumerate(rows):
            value = values.get((column, row))
            if value is None:
                continue
            share = (value - low) / (high - low) if high > low else 0.0
            axes.fill_between(
                [across - 0.48, across + 0.48],
                down - 0.46,
                down + 0.46,
                color=shades(0.75 * share),
                linewidth=0,
            )
            axes.text(
                across, down, render(metric, value), ha="center", va="center", fontsize=8.5,
                color="#ffffff" if share > 0.75 else "#1b2128",
            )  # fmt: skip
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xticks(range(len(columns)), [label(column) for column in columns])
    axes.set_yticks(range(len(rows)), names)
    axes.grid(visible=False)
    axes.set_xlabel(label(column_key))
    axes.set_ylabel(label(row_key))
    return figure

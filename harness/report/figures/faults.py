"""Failed attempts, by agent and reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.report.drawing import house_style
from harness.report.figures.axes import LEGEND_IN, add_legend, beside_in, label, new_figure, paint
from harness.store import Store, series

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS_MAX = 14


def failures(store: Store, run_ids: Sequence[int]) -> Figure:
    """Failed attempts in some runs, by reason.

    Raises:
        StoreError: One of the runs does not exist.
    """
    return draw_failures(series.failures(store, run_ids))


@house_style()
def draw_failures(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw how many attempts failed for each reason, and how many of them because a fault was injected."""
    rows = rows[:ROWS_MAX]
    from matplotlib.ticker import MaxNLocator

    names = [label(reason(row)) for row in rows]
    height_in = 1.0 + 0.3 * max(1, len(rows))
    figure, (axes,) = new_figure(height_in, left_in=beside_in(names), top_in=LEGEND_IN)
    places = list(range(len(rows)))
    of_faults = [row["of_faults"] for row in rows]
    others = [row["attempts"] - row["of_faults"] for row in rows]
    if any(of_faults):
        axes.barh(places, of_faults, height=0.6, label="met an injected fault", **paint("retry"))
    if any(others):
        axes.barh(
            places,
            others,
            left=of_faults,
            height=0.6,
            label="without an injected fault",
            **paint("silence"),
        )
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlabel("attempts")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    add_legend(axes)
    return figure


def reason(row: Mapping[str, object]) -> str:
    """Whose attempts failed, and why."""
    status = f" {row['http_status']}" if row["http_status"] else ""
    return f"{row['agent']}: {row['error']}{status}"

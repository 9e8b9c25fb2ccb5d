"""Several ways to do the same tasks: what each takes in time and in money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from harness.report.drawing import WIDTH_IN, house_style
from harness.report.figures.axes import label, new_figure, show_unit
from harness.report.palette import ROLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Way(NamedTuple):
    """One way."""

    name: str
    latency_s: float
    """Mean latency of a task [s]."""
    cost_usd: float
    """Mean cost of a task [USD]."""
    is_optimal: bool
    """Whether no other way is better in everything."""


@house_style()
def draw_tradeoff(ways: Sequence[Way]) -> Figure:
    """Draw a point for each way, filled where it is Pareto-optimal."""
    figure, (axes,) = new_figure(3.6, left_in=1.2, width_in=WIDTH_IN)
    most_s = max(it.latency_s for it in ways)
    for it in ways:
        role = ROLES["good" if it.is_optimal else "muted"].light
        axes.plot(
            [it.latency_s], [it.cost_usd], linestyle="", marker="o", markersize=8,
            markeredgecolor=role, markerfacecolor=role if it.is_optimal else "white", markeredgewidth=1.5,
        )  # fmt: skip
        on_left = it.latency_s > 0.7 * most_s  # beyond that there is no room on the right
        axes.annotate(
            label(it.name), (it.latency_s, it.cost_usd),
            xytext=(-9 if on_left else 9, -3), ha="right" if on_left else "left", textcoords="offset points",
            color=role, fontweight="bold" if it.is_optimal else "normal", fontsize=8.5,
        )  # fmt: skip
    axes.grid(axis="both")
    axes.set_xlabel("mean latency of a task")
    axes.set_ylabel("mean cost of a task")
    show_unit(axes.xaxis, "latency_s")
    show_unit(axes.yaxis, "cost_usd")
    axes.set_xlim(0, 1.05 * most_s or 1)
    axes.set_ylim(0, 1.1 * max(it.cost_usd for it in ways) or 1)
    return figure

"""Distributions of latencies and costs: the share of tasks up to each value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.report.drawing import HALF_IN, house_style
from harness.report.figures.axes import new_figure, show_unit
from harness.report.palette import ROLES
from harness.store import Store, series

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Points = Sequence[tuple[float, float]]
"""Shares of tasks, and the values that they do not exceed."""


def latency_ecdf(store: Store, run_ids: Sequence[int], base_ids: Sequence[int] = ()) -> Figure:
    """The distribution of the latencies of tasks, of one side or of two.

    Args:
        store: Where the runs are.
        run_ids: The runs.
        base_ids: Those that they are compared with.

    Raises:
        StoreError: One of the runs does not exist.
    """
    return draw_ecdf(
        _sides(store, run_ids, base_ids, "latency_s"), "latency_s", "latency of a task"
    )


def cost_ecdf(store: Store, run_ids: Sequence[int], base_ids: Sequence[int] = ()) -> Figure:
    """The distribution of the costs of tasks, as `latency_ecdf` draws that of latencies."""
    return draw_ecdf(_sides(store, run_ids, base_ids, "cost_usd"), "cost_usd", "cost of a task")


@house_style()
def draw_ecdf(sides: Mapping[str, Points], name: str, title: str) -> Figure:
    """Draw the distributions of some sides into one figure.

    Args:
        sides: The points of each side; its name is a role of the palette.
        name: A name that ends in the unit of the values.
        title: What the values are.
    """
    figure, (axes,) = new_figure(2.7, left_in=0.72, width_in=HALF_IN)
    most = max((value for points in sides.values() for _, value in points), default=0.0)
    for side, points in sides.items():
        if not points:
            continue
        shares, values = zip(*points, strict=True)
        dashes = "--" if side == "base" else "-"
        axes.step(values, shares, where="post", color=ROLES[side].light, linestyle=dashes)
        # Labels stand at different heights, so that they do not cover one another where the lines are close.
        place = int(len(points) * (0.35 if side == "base" else 0.7))
        on_left = values[place] > 0.7 * most  # beyond that there is no room on the right
        axes.annotate(
            side if len(sides) > 1 else "",
            (values[place], shares[place]),
            xytext=(-6 if on_left else 6, -4), ha="right" if on_left else "left", textcoords="offset points",
            color=ROLES[side].light, fontweight="bold", fontsize=8.5,
        )  # fmt: skip
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 0.95], ["0", "25 %", "half", "75 %", "95 %"])
    axes.grid(axis="y")
    axes.set_xlabel(title)
    axes.set_ylabel("share of tasks")
    show_unit(axes.xaxis, name, ticks=4)
    if all(points and points[-1][1] > 0 for points in sides.values()):
        axes.set_xlim(left=0)
    return figure


def _sides(
    store: Store, run_ids: Sequence[int], base_ids: Sequence[int], quantity: series.Quantity
) -> dict[str, Points]:
    sides = {"base": base_ids, "candidate": run_ids} if base_ids else {"candidate": run_ids}
    return {side: series.distribution(store, ids, quantity) for side, ids in sides.items()}

"""The course of a run: what its providers were asked, and how they coped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.report.drawing import house_style
from harness.report.figures.axes import add_legend, mark_times, new_figure, paint
from harness.report.palette import ROLES
from harness.store import Store, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = Mapping[str, Any]

SECONDS_PER_MINUTE = 60


def pressure(store: Store, run_id: int) -> Figure:
    """The attempts of a run over time: waiting and in service, and how many were refused.

    Raises:
        StoreError: There is no such run.
    """
    return draw_pressure(series.pressure(store, run_id), series.bounds(store, [run_id], "limits"))


@house_style()
def draw_pressure(rows: Sequence[Row], limits: Sequence[Row] = ()) -> Figure:
    """Draw the course of a run.

    Args:
        rows: Its parts, as `series.pressure` gives them.
        limits: What its providers allow; drawn if there is one provider, because spans do not tell them apart.
    """
    figure, (above, below) = new_figure(3.6, rows=2, same_x=True)
    if not rows:
        return figure
    edges_s = [*(row["from_s"] for row in rows), rows[-1]["until_s"]]
    width_s = rows[0]["until_s"] - rows[0]["from_s"]
    waiting = [row["waiting"] for row in rows]
    in_service = [row["in_service"] for row in rows]
    _stack(above, edges_s, [("work", in_service, "in service"), ("queue", waiting, "waiting")])
    above.set_ylabel("attempts at once")
    refused, failed, rest = (
        [count * SECONDS_PER_MINUTE / width_s for count in counts]
        for counts in (
            [row["rate_limited"] for row in rows],
            [row["failed"] for row in rows],
            [row["attempts"] - row["rate_limited"] - row["failed"] for row in rows],
        )
    )
    _stack(
        below,
        edges_s,
        [
            ("work", rest, "answered"),
            ("retry", refused, "refused: 429"),
            ("silence", failed, "failed"),
        ],
    )
    below.set_ylabel("requests a minute")
    stated = {row["name"]: row["value"] for row in limits}
    if len({row["provider"] for row in limits}) == 1:
        peak = max(map(sum, zip(refused, failed, rest, strict=True)))
        _limit(below, stated.get("requests_per_min"), peak)
        _limit(
            above, stated.get("concurrency"), max(map(sum, zip(waiting, in_service, strict=True)))
        )
    below.set_xlabel("virtual time since the run began")
    mark_times(below, edges_s[0], edges_s[-1])
    for axes in (above, below):
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
        add_legend(axes)
    return figure


def _stack(
    axes: Axes, edges_s: Sequence[float], parts: Sequence[tuple[str, Sequence[float], str]]
) -> None:
    floor = [0.0] * (len(edges_s) - 1)
    for role, heights, text in parts:
        if not any(heights):
            continue
        top = [low + height for low, height in zip(floor, heights, strict=True)]
        axes.stairs(top, edges_s, baseline=floor, fill=True, label=text, **paint(role))
        floor = top


def _limit(axes: Axes, limit: float | None, peak: float) -> None:
    """Draw a limit, unless the run stayed so far below it that the rest could not be read any more."""
    if limit is None:
        return
    if limit > 3 * peak:
        axes.set_title(f"the limit is {limit:,.0f}", loc="right", fontsize=8, fontweight="normal")
        return
    axes.axhline(
        limit,
        color=ROLES["bad"].light,
        linewidth=1.4,
        linestyle=(0, (4, 2)),
        label=f"limit {limit:,.0f}",
    )

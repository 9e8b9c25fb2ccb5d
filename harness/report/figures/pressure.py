"""The course of a run: what its providers were asked, and how they coped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.report.drawing import house_style
from harness.report.figures.axes import LEGEND_IN, add_legend, mark_times, new_figure, paint
from harness.report.palette import ROLES
from harness.store import Store, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = Mapping[str, Any]

SECONDS_PER_MINUTE = 60

NEAR = 0.1
"""Of a limit on tokens: a run that stayed below this share of it is not pressed by it."""

PANEL_IN = 1.6
"""The height of each kind of pressure [in]."""


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
    one_provider = len({row["provider"] for row in limits}) == 1
    stated = {row["name"]: row["value"] for row in limits} if one_provider else {}
    panels = list(_panels(rows, stated)) if rows else []
    count = max(1, len(panels))
    figure, all_axes = new_figure(
        0.4 + PANEL_IN * count, rows=count, left_in=0.85, top_in=LEGEND_IN
    )
    if not rows:
        return figure
    edges_s = [*(row["from_s"] for row in rows), rows[-1]["until_s"]]
    for axes, panel in zip(all_axes, panels, strict=True):
        axes.set_ylabel(panel.title)
        axes.grid(axis="y")
        _stack(axes, edges_s, panel.parts)
        peak = max(map(sum, zip(*(part.heights for part in panel.parts), strict=True)))
        _limit(axes, stated.get(panel.limit), peak)
        axes.set_ylim(bottom=0)
        add_legend(axes)
    all_axes[-1].set_xlabel("virtual time since the run began")
    mark_times(all_axes[-1], edges_s[0], edges_s[-1])
    return figure


class _Part(NamedTuple):
    """What is stacked on others."""

    role: str
    heights: Sequence[float]
    text: str


class _Panel(NamedTuple):
    """One kind of pressure."""

    title: str
    limit: str
    """The name of what bounds it."""
    parts: Sequence[_Part]


def _panels(rows: Sequence[Row], stated: Mapping[str, float]) -> Iterator[_Panel]:
    per_min = SECONDS_PER_MINUTE / (rows[0]["until_s"] - rows[0]["from_s"])
    yield _Panel(
        "attempts at once",
        "concurrency",
        [
            _Part("work", [row["in_service"] for row in rows], "in service"),
            _Part("queue", [row["waiting"] for row in rows], "waiting"),
        ],
    )
    answered = [row["attempts"] - row["rate_limited"] - row["failed"] for row in rows]
    yield _Panel(
        "requests a minute",
        "requests_per_min",
        [
            _Part("work", [per_min * it for it in answered], "answered"),
            _Part("retry", [per_min * row["rate_limited"] for row in rows], "refused: 429"),
            _Part("silence", [per_min * row["failed"] for row in rows], "failed"),
        ],
    )
    for column, title in (
        ("input_tokens", "tokens read a minute"),
        ("output_tokens", "written a minute"),
    ):
        heights = [per_min * row[column] for row in rows]
        limit = stated.get(f"{column}_per_min")
        if limit is not None and max(heights) >= NEAR * limit:
            yield _Panel(title, f"{column}_per_min", [_Part("work", heights, "tokens")])


def _stack(axes: Axes, edges_s: Sequence[float], parts: Sequence[_Part]) -> None:
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

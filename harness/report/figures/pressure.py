"""Load of the providers over a run, and their response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.metrics.buckets import BUCKETS, BucketLevel, bucket_levels, worth_showing
from harness.report.drawing import house_style
from harness.report.figures.axes import (
    LEGEND_IN,
    add_legend,
    label,
    mark_times,
    new_figure,
    paint,
    short_count,
)
from harness.report.palette import ROLES
from harness.store import Store, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = Mapping[str, Any]

SECONDS_PER_MINUTE = 60

BUCKETS_MAX = 4
"""Maximum number of buckets; the emptiest are drawn."""

PANEL_IN = 1.6
"""The height of each kind of pressure [in]."""


def pressure(store: Store, run_id: int) -> Figure:
    """The attempts of a run over time: waiting and in service, how many were refused, and what rate limits left.

    Raises:
        StoreError: There is no such run.
    """
    rows = series.pressure(store, run_id)
    limits = series.bounds(store, [run_id], "limits")
    return draw_pressure(rows, limits, buckets_of(store, run_id, rows, limits))


def buckets_of(
    store: Store, run_id: int, rows: Sequence[Row], limits: Sequence[Row]
) -> list[BucketLevel]:
    """The buckets of a run's rate limits that are worth a look.

    Where several providers have limits, only those of models that the scenario describes: spans do not tell providers
    apart.

    Raises:
        StoreError: There is no such run.
    """
    stated: dict[str, dict[str, float]] = {}
    for row in limits:
        if row["name"] in BUCKETS:
            stated.setdefault(row["provider"], {})[row["name"]] = row["value"]
    if not rows or not stated:
        return []
    edges_s = [*(row["from_s"] for row in rows), rows[-1]["until_s"]]
    models = {row["model"]: row for row in series.models(store, run_id)}
    pools = {name: row["pool"] for name, row in models.items() if row["pool"] is not None}
    only = next(iter(stated)) if len({row["provider"] for row in limits}) == 1 else ""
    attempts = series.asked(store, run_id)
    found = []
    for provider, allowed in stated.items():
        its = [
            it
            for it in attempts
            if (models[it.model]["provider"] if it.model in models else only) == provider
        ]
        found += bucket_levels(its, allowed, edges_s, pools)
    return worth_showing(sorted(found, key=BucketLevel.emptiness), BUCKETS_MAX)


def _of_one_provider(limits: Sequence[Row]) -> dict[str, float]:
    """What the provider allows, if there is one: spans do not tell several apart."""
    one_provider = len({row["provider"] for row in limits}) == 1
    return {row["name"]: row["value"] for row in limits} if one_provider else {}


@house_style()
def draw_pressure(
    rows: Sequence[Row], limits: Sequence[Row] = (), buckets: Sequence[BucketLevel] = ()
) -> Figure:
    """Draw the course of a run.

    Args:
        rows: Its parts, as `series.pressure` gives them.
        limits: What its providers allow.
        buckets: What its rate limits left, in the same parts of its time.
    """
    panels = list(_panels(rows)) if rows else []
    count = max(1, len(panels) + len(buckets))
    figure, all_axes = new_figure(
        0.4 + PANEL_IN * count, rows=count, left_in=0.85, top_in=LEGEND_IN
    )
    if not rows:
        return figure
    edges_s = [*(row["from_s"] for row in rows), rows[-1]["until_s"]]
    for axes, panel in zip(all_axes, panels, strict=False):
        axes.set_ylabel(panel.title)
        axes.grid(axis="y")
        _stack(axes, edges_s, panel.parts)
        peak = max(map(sum, zip(*(part.heights for part in panel.parts), strict=True)))
        _limit(axes, _of_one_provider(limits).get(panel.limit), peak)
        axes.set_ylim(bottom=0)
        add_legend(axes)
    for axes in all_axes:
        axes.yaxis.set_major_formatter(lambda value, _: short_count(value))
    for axes, bucket in zip(all_axes[len(panels) :], buckets, strict=True):
        _draw_bucket(axes, edges_s, bucket)
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


def _panels(rows: Sequence[Row]) -> Iterator[_Panel]:
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
        "",
        [
            _Part("work", [per_min * it for it in answered], "answered"),
            _Part("retry", [per_min * row["rate_limited"] for row in rows], "refused: 429"),
            _Part("silence", [per_min * row["failed"] for row in rows], "failed"),
        ],
    )


def _draw_bucket(axes: Axes, edges_s: Sequence[float], bucket: BucketLevel) -> None:
    """What was left of a bucket, and when attempts were refused."""
    what = BUCKETS[bucket.limit]
    least = [max(0.0, it) for it in bucket.least]
    axes.set_ylabel(f"{what} left")
    axes.grid(axis="y")
    axes.stairs(
        least, edges_s, fill=True, label=f"{label(bucket.model)}: left of {bucket.per_min:,.0f} a minute",
        **paint("work"),
    )  # fmt: skip
    refused_s = [
        (low_s + high_s) / 2
        for low_s, high_s, count in zip(edges_s[:-1], edges_s[1:], bucket.refused, strict=True)
        if count
    ]
    if refused_s:
        axes.plot(
            refused_s, [0.0] * len(refused_s), linestyle="", marker="x", color=ROLES["bad"].light, clip_on=False,
            label=f"{sum(bucket.refused):,} refused: 429",
        )  # fmt: skip
    axes.set_ylim(bottom=0, top=1.05 * bucket.per_min)
    add_legend(axes)


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

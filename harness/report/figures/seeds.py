"""Variation between seeds: one dot per seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from harness.metrics import DEFAULT_LIMITS
from harness.report.contents import Side
from harness.report.drawing import house_style
from harness.report.figures.axes import beside_in, label, new_figure
from harness.report.palette import ROLES
from harness.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW_STEPS = 7
"""Dots of a row stand on so many lines in turn, so that equal ones do not hide one another."""


def seeds(
    store: Store,
    run_ids: Sequence[int],
    base_ids: Sequence[int] = (),
    metrics: Sequence[str] = tuple(DEFAULT_LIMITS),
) -> Figure:
    """How far each seed is from the mean of all, or from the same seed of the base.

    Args:
        store: Where the runs are.
        run_ids: The runs.
        base_ids: Those that they are compared with.
        metrics: The names of metrics.
    """
    base = Side(store, tuple(base_ids)) if base_ids else None
    return draw_seeds(differences(Side(store, tuple(run_ids)), base, metrics), against(base))


@house_style()
def draw_seeds(found: Mapping[str, Sequence[float]], other: str) -> Figure:
    """Draw the difference of each seed from its reference.

    Args:
        found: For each metric, the relative difference of each seed.
        other: What 0 is.
    """
    names = [label(name) for name in found]
    height_in = 0.8 + 0.42 * max(1, len(found))
    figure, (axes,) = new_figure(height_in, left_in=beside_in(names))
    for row, values in enumerate(found.values()):
        places = [row + 0.08 * (it % ROW_STEPS - ROW_STEPS // 2) for it in range(len(values))]
        axes.plot(
            [100 * value for value in values], places, linestyle="", marker="o", markersize=4.2,
            color=ROLES["candidate"].light, markeredgecolor="white", markeredgewidth=0.5,
        )  # fmt: skip
    axes.axvline(0, color=ROLES["ink"].light, linewidth=1)
    axes.set_yticks(range(len(found)), names)
    axes.set_ylim(max(1, len(found)) - 0.5, -0.5)
    axes.set_xlabel(f"difference (0: {other})")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:+g} %" if value else "0")
    return figure


def against(base: Side | None) -> str:
    """The reference that seeds are compared with."""
    return "their mean" if base is None else "the same seed of the base"


def differences(side: Side, base: Side | None, metrics: Iterable[str]) -> dict[str, list[float]]:
    """How far each seed is from what it is compared with, as a share of it, by metric.

    A metric is left out that a seed did not measure, that would be divided by zero, or that is the same in all seeds of
    one side. Empty when fewer than two seeds can be compared.
    """
    after = by_seed(side)
    before = by_seed(base) if base is not None else None
    shared = [seed for seed in after if before is None or seed in before]
    if len(shared) < 2:
        return {}
    found = {}
    for metric in metrics:
        values = [after[seed].get(metric) for seed in shared]
        known = [value for value in values if value is not None]
        others = _mean(known) if before is None else [before[seed].get(metric) for seed in shared]
        if len(known) < len(shared) or not all(others):
            continue
        shares = [value / other - 1 for value, other in zip(known, others, strict=True) if other]
        if any(shares) or before is not None:
            found[metric] = shares
    return found


def by_seed(side: Side) -> dict[int, dict[str, float]]:
    """The metrics of each seed; of several runs with one seed, which are equal, those of the last."""
    return {row["seed"]: row["metrics"] for row in side.runs}


def _mean(values: Sequence[float]) -> list[float]:
    return [sum(values) / len(values)] * len(values) if values else []

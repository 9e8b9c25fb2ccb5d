"""What chance does: the numbers of each seed."""

from __future__ import annotations

from typing import Final

from harness.metrics import DEFAULT_LIMITS
from harness.report.blocks import Column, DataTable, Drawing, Section
from harness.report.contents import Contents, Side
from harness.report.figures.seeds import draw_seeds

ROWS_MAX: Final = 200
"""More rows nobody reads; the store has them all."""


def section(contents: Contents) -> Section | None:
    """A dot a seed, for each gated metric: against the mean, or against the same seed of the base."""
    metrics = (
        [it.metric for it in contents.judgement.metrics]
        if contents.judgement is not None
        else list(DEFAULT_LIMITS)
    )
    after = _by_seed(contents.side)
    before = _by_seed(contents.base) if contents.base is not None else None
    seeds = [seed for seed in after if before is None or seed in before]
    if len(seeds) < 2:
        return None
    differences = {
        metric: found for metric in metrics if (found := _differences(metric, seeds, after, before))
    }
    if not differences:
        return None
    widest = max(
        differences, key=lambda metric: max(differences[metric]) - min(differences[metric])
    )
    low, high = min(differences[widest]), max(differences[widest])
    against = "their mean" if before is None else "the same seed of the base"
    finding = (
        f"{len(seeds):,} seeds; {widest} differs most: {low:+.1%} to {high:+.1%} of {against}."
    )
    shown = seeds[:ROWS_MAX]
    return Section(
        key="seeds",
        title="What chance does",
        lead=finding,
        blocks=[
            Drawing(
                key="seeds",
                title="Each seed against " + against,
                alt=finding,
                reading="How to read this: a dot is one seed; dots that spread wide are chance, dots that moved together are a change.",
                figure=draw_seeds(differences, against=against, title="difference"),
                table=DataTable(
                    caption="Numbers of each seed",
                    columns=(
                        Column("seed", "seed"),
                        *(Column(metric, metric) for metric in differences),
                    ),
                    rows=[
                        (seed, *(after[seed].get(metric) for metric in differences))
                        for seed in shown
                    ],
                    note=f"The first {ROWS_MAX} of {len(seeds):,} seeds."
                    if len(seeds) > ROWS_MAX
                    else "",
                ),
            )
        ],
    )


def _by_seed(side: Side) -> dict[int, dict[str, float]]:
    return {row["seed"]: row["metrics"] for row in side.runs}


def _differences(
    metric: str,
    seeds: list[int],
    after: dict[int, dict[str, float]],
    before: dict[int, dict[str, float]] | None,
) -> list[float]:
    """How far each seed is from what it is compared with, as a share of it; empty if that cannot be said."""
    values = [after[seed].get(metric) for seed in seeds]
    known = [value for value in values if value is not None]
    if len(known) < len(seeds):
        return []
    if before is None:
        mean = sum(known) / len(known)
        against: list[float | None] = [mean] * len(known)
    else:
        against = [before[seed].get(metric) for seed in seeds]
    if not all(against):
        return []
    found = [value / other - 1 for value, other in zip(known, against, strict=True) if other]
    return found if any(found) or before is not None else []

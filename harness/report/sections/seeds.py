"""Section: the metrics of each seed."""

from __future__ import annotations

from typing import Final

from harness.metrics import DEFAULT_LIMITS
from harness.report.blocks import Column, DataTable, Drawing, Section
from harness.report.contents import Contents
from harness.report.figures.seeds import against, by_seed, differences, draw_seeds

ROWS_MAX: Final = 200
"""Maximum number of rows; the store has them all."""


def section(contents: Contents) -> Section | None:
    """A dot a seed, for each gated metric: against the mean, or against the same seed of the base."""
    judgement = contents.judgement
    metrics = list(DEFAULT_LIMITS) if judgement is None else [it.metric for it in judgement.metrics]
    found = differences(contents.side, contents.base, metrics)
    if not found:
        return None
    widest = max(found, key=lambda metric: max(found[metric]) - min(found[metric]))
    low, high = min(found[widest]), max(found[widest])
    other = against(contents.base)
    finding = f"{len(found[widest]):,} seeds; {widest} differs most: {low:+.1%} to {high:+.1%} of {other}."
    return Section(
        key="seeds",
        title="What chance does",
        lead=finding,
        blocks=[
            Drawing(
                key="seeds",
                title=f"Each seed against {other}",
                alt=finding,
                reading="How to read this: a dot is one seed; dots that spread wide are chance, dots that moved together "
                "are a change.",
                figure=draw_seeds(found, other),
                table=_table(contents, list(found)),
            )
        ],
    )


def _table(contents: Contents, metrics: list[str]) -> DataTable:
    numbers = by_seed(contents.side)
    shown = list(numbers)[:ROWS_MAX]
    return DataTable(
        caption="Numbers of each seed",
        columns=(Column("seed", "seed"), *(Column(metric, metric) for metric in metrics)),
        rows=[(seed, *(numbers[seed].get(metric) for metric in metrics)) for seed in shown],
        note=f"The first {ROWS_MAX} of {len(numbers):,} seeds." if len(numbers) > ROWS_MAX else "",
    )

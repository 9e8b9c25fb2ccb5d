"""Section: every metric of both sides, and its change."""

from __future__ import annotations

from harness.report.blocks import Column, DataTable, Measured, Section, Value
from harness.report.contents import Contents
from harness.report.judgement import Judged, Judgement


def section(contents: Contents) -> Section | None:
    """The gated metrics with their limits, then all others; only where there are two sides."""
    judgement = contents.judgement
    if judgement is None:
        return None
    changed = sum(it.status == "changed" for it in judgement.explored)
    return Section(
        key="comparison",
        title="What changed",
        lead=f"{len(judgement.metrics)} metrics have a limit; of {len(judgement.explored)} others, {changed} changed beyond chance.",
        blocks=[comparison_table(judgement)],
    )


def comparison_table(judgement: Judgement) -> DataTable:
    """A row a metric."""
    return DataTable(
        caption="Metrics of both sides, means over the seeds",
        columns=(
            Column("metric"), Column("base", "metric"), Column("now", "metric"), Column("change", "change"),
            Column("interval"), Column("limit"), Column("status"),
        ),
        rows=[_row(it) for it in (*judgement.metrics, *judgement.explored)],
    )  # fmt: skip


def _row(it: Judged) -> tuple[Value, ...]:
    return (
        it.metric, Measured(it.metric, it.base), Measured(it.metric, it.candidate),
        Measured("change", it.change, it.change_text), it.interval_text, it.limit or "-", it.status,
    )  # fmt: skip

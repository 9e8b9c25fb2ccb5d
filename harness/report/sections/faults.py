"""Section: faults, and the outcomes of the tasks they affected."""

from __future__ import annotations

from harness.report.blocks import Block, Column, DataTable, Drawing, Section
from harness.report.contents import Contents
from harness.report.figures.faults import draw_failures, reason
from harness.store import series

_FAULTS = (
    Column("fault"), Column("agent"), Column("attempts", "attempts"), Column("of them failed", "failed"),
    Column("wasted", "wasted_usd"), Column("tasks", "tasks"), Column("of them failed", "failed_tasks"),
    Column("their latency, mean", "latency_s_mean"), Column("of all others", "other_latency_s_mean"),
)  # fmt: skip
_FAULT_KEYS = (
    "fault", "agent", "attempts", "failed", "wasted_usd", "tasks", "failed_tasks", "latency_s_mean", "other_latency_s_mean",
)  # fmt: skip


def section(contents: Contents) -> Section | None:
    """Failed attempts by reason, and task outcomes per injected fault."""
    side = contents.side
    met = series.faults(side.store, side.run_ids)
    failed = series.failures(side.store, side.run_ids)
    if not met and not failed:
        return Section(
            key="faults",
            title="What went wrong",
            lead="Nothing: no attempt failed, and no fault was injected.",
        )
    blocks: list[Block] = []
    if failed:
        attempts = sum(row["attempts"] for row in failed)
        of_faults = sum(row["of_faults"] for row in failed)
        first = failed[0]
        blocks.append(
            Drawing(
                key="failures",
                title="Attempts that failed, by reason",
                alt=f"{attempts:,} attempts failed, {of_faults:,} of them because of injected faults; most often "
                f"{reason(first)}, {first['attempts']:,} times.",
                reading="How to read this: a bar is how many attempts ended so; a retry may have made up for each.",
                figure=draw_failures(failed),
                table=DataTable(
                    caption="Attempts that failed",
                    columns=(
                        Column("agent"), Column("reason"), Column("HTTP status"), Column("attempts", "attempts"),
                        Column("met an injected fault", "faults"),
                    ),
                    rows=[
                        (row["agent"], row["error"], str(row["http_status"] or "-"), row["attempts"], row["of_faults"])
                        for row in failed
                    ],
                ),
            )
        )  # fmt: skip
    if met:
        blocks.append(
            DataTable(
                caption="Injected faults, and the tasks that met them",
                columns=_FAULTS,
                rows=[tuple(row[key] for key in _FAULT_KEYS) for row in met],
            )
        )
    return Section(key="faults", title="What went wrong", blocks=blocks)

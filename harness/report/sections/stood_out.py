"""Section: deadlocks, tasks without progress, cascades and starvation."""

from __future__ import annotations

from harness.metrics.stood_out import KINDS, stood_out
from harness.report.blocks import Column, DataTable, Section
from harness.report.contents import Contents


def section(contents: Contents) -> Section | None:
    """What stood out in the runs: the first of each kind, and in how many runs there was one."""
    found: dict[str, tuple[str, int]] = {}
    for events in contents.side.events.values():
        for seen in {one.kind: one for one in reversed(stood_out(events))}.values():
            first, runs = found.get(seen.kind, (seen.line, 0))
            found[seen.kind] = first, runs + 1
    if not found:
        return None
    rows = [(kind.replace("_", " "), *found[kind]) for kind in KINDS if kind in found]
    return Section(
        key="stood-out",
        title="What stood out",
        blocks=[
            DataTable(
                caption="What stood out, the first of each kind",
                columns=(Column("kind"), Column("what was seen"), Column("runs", "runs")),
                rows=rows,
            )
        ],
    )

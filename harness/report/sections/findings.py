"""Section: findings, with advice."""

from __future__ import annotations

from harness.report.blocks import Column, DataTable, Section
from harness.report.contents import Contents


def section(contents: Contents) -> Section | None:
    """The findings, the serious ones first."""
    found = contents.side.findings
    if not found:
        return None
    return Section(
        key="findings",
        title="What to do",
        blocks=[
            DataTable(
                caption="Findings",
                columns=(
                    Column("severity"), Column("agent"), Column("what was seen"), Column("advice"), Column("runs", "runs"),
                ),
                rows=[
                    (finding.severity, finding.agent or "-", finding.message, finding.advice, runs) for finding, runs in found
                ],
            )
        ],
    )  # fmt: skip

"""Section: findings, with advice."""

from __future__ import annotations

from harness.report.blocks import Column, DataTable, Section
from harness.report.contents import Contents


def section(contents: Contents) -> Section | None:
    """The findings, the serious ones first."""
    found = contents.side.findings
    if not found:
        return None
    has_mode = any(finding.mast for finding, _ in found)
    return Section(
        key="findings",
        title="What to do",
        blocks=[
            DataTable(
                caption="Findings",
                columns=(
                    Column("severity"), Column("agent"), Column("what was seen"), *([Column("MAST")] if has_mode else []), Column("advice"), Column("runs", "runs"),
                ),
                rows=[
                    (
                        finding.severity, finding.agent or "-", finding.message, *([finding.mast or "-"] if has_mode else []),
                        finding.advice, runs,
                    )
                    for finding, runs in found
                ],
            )
        ],
    )  # fmt: skip

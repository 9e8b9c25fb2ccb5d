"""Section: which agents wait for which."""

from __future__ import annotations

from harness.report.blocks import Column, DataTable, Drawing, Section
from harness.report.contents import Contents
from harness.report.figures.network import draw_network, waiting_arrows
from harness.units import render


def section(contents: Contents) -> Section | None:
    """Agents that went on when others had finished, along the critical paths."""
    found = contents.side.waited
    if not found:
        return None
    tasks = len(contents.side.paths)
    most = max(found, key=lambda it: (it.wait_s, it.agent))
    finding = f"{most.agent} waits for {most.waited_for}: {render('wait_s', most.wait_s / tasks)} of a task on average."
    return Section(
        key="waiting",
        title="Who waits for whom",
        lead=finding,
        blocks=[
            Drawing(
                key="waiting",
                title="Waiting along the critical path",
                alt=finding,
                reading="How to read this: an arrow goes from the one that was waited for to the one that went on; its number is "
                "the time that a task stood there, on average.",
                figure=draw_network(waiting_arrows(contents.side)),
                table=DataTable(
                    caption="Who waited for whom",
                    columns=(
                        Column("agent"), Column("waited for"), Column("times", "times"), Column("for a task", "wait_s"),
                    ),
                    rows=[(it.agent, it.waited_for, it.times, it.wait_s / tasks) for it in found],
                ),
            )
        ],
    )  # fmt: skip

"""Section: which agent's replies reached which agent's prompts, where known."""

from __future__ import annotations

from harness.report.blocks import Column, DataTable, Drawing, Section
from harness.report.contents import Contents
from harness.report.figures.network import draw_network, flow_arrows


def section(contents: Contents) -> Section | None:
    """The flow of text between agents; only of programs, whose prompts are read."""
    edges = contents.side.flow
    if not edges:
        return None
    most = max(edges, key=lambda edge: (edge.calls, edge.source_agent, edge.agent))
    finding = (
        f"Most often, text of {most.source_agent} reached {most.agent}: in {most.calls:,} calls."
    )
    return Section(
        key="flow",
        title="Whose words reach whom",
        lead=finding,
        blocks=[
            Drawing(
                key="flow",
                title="Replies that reached prompts",
                alt=finding,
                reading="How to read this: an arrow goes from an agent to one whose prompts held its words; its number is how "
                "many calls. What is missing never arrived.",
                figure=draw_network(flow_arrows(contents.side)),
                table=DataTable(
                    caption="Replies that reached prompts",
                    columns=(Column("from"), Column("to"), Column("calls", "calls")),
                    rows=[tuple(edge) for edge in edges],
                ),
            )
        ],
    )

"""The flow of replies between agents, as prompts show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from harness.metrics.history import HEARD
from harness.spans import CALL, Table


class Edge(NamedTuple):
    """Replies of one agent that reached prompts of another."""

    source_agent: str
    agent: str
    calls: int
    """How many calls of `agent` held a reply of `source_agent`."""


def flow(spans: Table, events: Table) -> list[Edge]:
    """Count the replies of each agent that reached prompts of each other, in order of first occurrence."""
    agents = {
        span_id: agent
        for span_id, kind, agent in spans.rows("span_id", "kind", "agent")
        if kind == CALL
    }
    heard = {
        (agents[int(source)], agent, span_id): None
        for name, span_id, agent, source in events.rows("name", "span_id", "agent", "detail")
        if name == HEARD and int(source) in agents
    }
    counted = Counter((source_agent, agent) for source_agent, agent, _ in heard)
    return [Edge(source_agent, agent, calls) for (source_agent, agent), calls in counted.items()]


def flow_text(edges: Iterable[Edge]) -> str:
    """Write the flow as text, one line per pair."""
    return "".join(
        f"{edge.source_agent} -> {edge.agent}: {edge.calls} call{'s' if edge.calls != 1 else ''}\n"
        for edge in edges
    )


def as_mermaid(edges: Iterable[Edge]) -> str:
    """Write the flow as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html)."""
    edges = list(edges)
    agents = dict.fromkeys(agent for edge in edges for agent in edge[:2])
    ids = {agent: f"agent{number}" for number, agent in enumerate(agents, 1)}
    nodes = [f'    {ids[agent]}["{_escaped(agent)}"]\n' for agent in agents]
    arrows = [f"    {ids[it.source_agent]} -->|{it.calls}| {ids[it.agent]}\n" for it in edges]
    return "".join(["flowchart LR\n", *nodes, *arrows])


def _escaped(name: str) -> str:
    # Mermaid's own entities: a number sign, a decimal code, a semicolon. The letters of any script stay as they are.
    return "".join(
        letter if letter.isalnum() or letter in " -_." else f"#{ord(letter)};" for letter in name
    )

"""Section: calls, time and cost of each agent."""

from __future__ import annotations

from collections import defaultdict

from harness.report.blocks import Column, DataTable, Section
from harness.report.contents import Contents

COLUMNS = (
    Column("agent"),
    Column("calls", "calls_mean"),
    Column("attempts", "attempts_mean"),
    Column("call, mean", "latency_s_mean"),
    Column("call, p95", "latency_s_p95"),
    Column("queue, mean", "queue_wait_s_mean"),
    Column("first token, median", "ttft_s_p50"),
    Column("tokens read", "input_tokens_mean"),
    Column("written", "output_tokens_mean"),
    Column("cost", "cost_usd_mean"),
    Column("retries", "retries"),
    Column("429", "rate_limited"),
    Column("failed calls", "failed_calls"),
    Column("utilisation", "busy_share"),
    Column("of the path", "path_share"),
)


def section(contents: Contents) -> Section | None:
    """A row an agent."""
    side = contents.side
    if not side.agents:
        return None
    on_path: dict[str, float] = defaultdict(float)
    for (_, agent, _), path_s in side.path_s.items():
        on_path[agent] += path_s
    whole_s = sum(on_path.values())
    rows = [
        tuple(
            (on_path[row["agent"]] / whole_s if whole_s else None)
            if column.name == "path_share"
            else row.get(column.name or "agent")
            for column in COLUMNS
        )
        for row in side.agents
    ]
    return Section(
        key="agents",
        title="What each agent does",
        lead="Calls, tokens and cost are for a task; retries, 429s and failed calls are of all runs. Utilisation is the share of "
        "the runs' time in which at least one call of the agent was open.",
        blocks=[DataTable(caption="Agents", columns=COLUMNS, rows=rows)],
    )

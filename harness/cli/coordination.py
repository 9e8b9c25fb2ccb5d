"""`harness show RUN --by coordination`: who works, who waits for whom, messages, the bottleneck, failures together, health."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path

import click
from rich.text import Text

from harness.cli.exit_codes import EXIT_PASS
from harness.cli.named_run import newest_unless_named
from harness.cli.tables import console
from harness.columns import Column, Grid
from harness.json_types import JsonObject
from harness.metrics.coordination import Coordination, coordination
from harness.printable import printable_line
from harness.store import Store, queries
from harness.units import render

_WAITS_MAX = 12
_PAIRS_MAX = 20


def show_coordination(path: Path, run_id: int | None, *, output: str) -> int:
    """Show how the agents of a run worked together.

    Args:
        path: The store.
        run_id: The run; None means the last one.
        output: `table` or `json`.

    Raises:
        StoreError: There is no such run.
    """
    store = Store(path)
    run_id = newest_unless_named(store, run_id, path)
    run = queries.run(store, run_id)
    spans, events = queries.span_table(store, run_id), queries.event_table(store, run_id)
    found = coordination(spans, events, warmup_tasks=run["warmup_tasks"])
    if output == "json":
        click.echo(json.dumps({"run": run_id, "by": "coordination", **_json(found)}, indent=2))
        return EXIT_PASS
    out = console()
    out.print(Text.assemble((f"run {run_id}", "bold"), f": {run['scenario']}, by coordination"))
    _agents(found).print(out)
    if found.bottleneck:
        share = found.agents[found.bottleneck].path_share
        out.print(Text(printable_line(f"bottleneck: {found.bottleneck}, {share:.0%} of the time that tasks take")))  # fmt: skip
    for title, grid in (
        ("who waits for whom, a task", _waits(found) if found.waits else None),
        ("messages", _traffic(found) if found.traffic else None),
    ):
        if grid is not None:
            out.print(Text(title, style="bold"))
            grid.print(out)
    for it in found.together[:_PAIRS_MAX]:
        text = f"{' and '.join(it.agents)} fail together in {it.tasks} of {found.tasks} tasks (by chance {it.expected:.2g})"
        out.print(Text(printable_line(text)))
    return EXIT_PASS


def _agents(found: Coordination) -> Grid:
    made = Grid([
        Column("agent", "name"), *map(Column, ("calls", "working", "waiting", "of the path")), Column("health over time", "key"),
    ])  # fmt: skip
    for agent, it in found.agents.items():
        made.add(
            printable_line(agent), f"{it.calls:,}", render("work_s", it.work_s), render("wait_s", it.wait_s),
            f"{it.path_share:.1%}", " ".join("-" if part is None else f"{part:.0%}" for part in it.health),
        )  # fmt: skip
    return made


def _waits(found: Coordination) -> Grid:
    made = Grid([Column("agent", "name"), Column("waits for", "name"), Column("times"), Column("time")])  # fmt: skip
    for it in found.waits[:_WAITS_MAX]:
        each = render("wait_s", it.wait_s / found.tasks) if found.tasks else "-"
        made.add(printable_line(it.agent), printable_line(it.waited_for), f"{it.times:,}", each)
    return made


def _traffic(found: Coordination) -> Grid:
    made = Grid([
        Column("from", "name"), Column("to", "name"), *map(Column, ("messages", "tokens", "round trips", "time of one")),
    ])  # fmt: skip
    for it in found.traffic[:_PAIRS_MAX]:
        made.add(
            printable_line(it.sender), printable_line(it.recipient), f"{it.messages:,}", "-" if it.tokens is None else f"{it.tokens:,}",
            f"{it.round_trips:,}", "-" if math.isnan(it.round_trip_s) else render("s", it.round_trip_s),
        )  # fmt: skip
    return made


def _json(found: Coordination) -> JsonObject:
    return {
        "tasks": found.tasks,
        "agents": {agent: asdict(it) for agent, it in found.agents.items()},
        "bottleneck": found.bottleneck or None,
        "waits": [
            {"agent": it.agent, "waited_for": it.waited_for, "times": it.times, "wait_s": it.wait_s}
            for it in found.waits
        ],
        "traffic": [
            {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in asdict(it).items()}
            for it in found.traffic
        ],
        "together": [asdict(it) for it in found.together],
    }  # fmt: skip

"""`harness show RUN --by WAY`: what a run cost, divided by agent, customer, kind of task, cause and more."""

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
from harness.metrics.account import Line, account
from harness.printable import printable_line
from harness.store import Store, queries
from harness.units import render

_NUMBERS = ("tasks", "calls", "attempts", "input_tokens", "output_tokens", "cost_usd", "wasted_usd")


def show_account(path: Path, run_id: int | None, *, by: str, output: str) -> int:
    """Show what each part of a run used; the lines add up to the last.

    Args:
        path: The store.
        run_id: The run; None means the last one.
        by: What the run is divided by.
        output: `table` or `json`.

    Raises:
        StoreError: There is no such run.
    """
    store = Store(path)
    run_id = newest_unless_named(store, run_id, path)
    run = queries.run(store, run_id)
    spans, events = queries.span_table(store, run_id), queries.event_table(store, run_id)
    lines, whole = account(spans, events, by, warmup_tasks=run["warmup_tasks"])
    if output == "json":
        found = {
            "run": run_id,
            "by": by,
            "lines": {key: _json(line) for key, line in lines.items()},
        }
        click.echo(json.dumps({**found, "whole": _json(whole)}, indent=2))
        return EXIT_PASS
    out = console()
    out.print(Text.assemble((f"run {run_id}", "bold"), f": {run['scenario']}, by {by}"))
    made = Grid([Column(by, "name"), *map(Column, ("share", "tasks", "calls", "attempts", "read", "written", "cost", "wasted"))])  # fmt: skip
    for key, line in (*lines.items(), ("all", whole)):
        share = line.cost_usd / whole.cost_usd if whole.cost_usd else math.nan
        told = "-" if math.isnan(share) else f"{100 * share:.1f}%"
        made.add(printable_line(key), told, *(_cell(name, line) for name in _NUMBERS))
    made.print(out)
    return EXIT_PASS


def _cell(name: str, line: Line) -> str:
    value = getattr(line, name)
    if math.isnan(value):
        return "-"
    return render("usd", value) if name.endswith("_usd") else f"{value:,}"


def _json(line: Line) -> JsonObject:
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in asdict(line).items()
    }

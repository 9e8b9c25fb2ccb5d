"""`harness audit RUN --task N`: who decided what from which input, in the order in which it happened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from harness.cli.exit_codes import EXIT_PASS
from harness.cli.named_run import newest_unless_named
from harness.cli.tables import console
from harness.columns import Column, Grid
from harness.errors import StoreError
from harness.json_types import JsonObject
from harness.printable import printable_line
from harness.store import Store, queries
from harness.units import render

_TEXT_MAX: Final = 60
"""Characters of a prompt or a reply in the table; `--format json` has them whole."""


def show_audit(path: Path, run_id: int | None, *, task: int | None, output: str) -> int:
    """Show the decisions of a run.

    Args:
        path: The store.
        run_id: The run; None means the last one.
        task: Only of this task; None means all.
        output: `table` or `json`, which has one decision a line.

    Raises:
        StoreError: There is no such run or task.
    """
    store = Store(path)
    run_id = newest_unless_named(store, run_id, path)
    run = queries.run(store, run_id)
    rows = queries.audit(store, run_id, task=task)
    if task is not None and not rows:
        raise StoreError(
            f"run {run_id} has no decisions of task {task}; it has {run['tasks']} tasks"
        )
    if output == "json":
        for row in rows:
            click.echo(json.dumps({name: it for name, it in row.items() if it is not None}))
        return EXIT_PASS
    out = console()
    of = "" if task is None else f", task {task}"
    out.print(Text.assemble((f"run {run_id}", "bold"), f": {run['scenario']}, seed {run['seed']}{of}"))  # fmt: skip
    has_texts = any(row["reply"] for row in rows)
    made = Grid([
        *([Column("task")] if task is None else []), Column("at"), Column("who", "name"), Column("what", "name"),
        Column("from", "name"), Column("end", "name"), Column("attempts"), Column("cost"),
        *([Column("said", "name")] if has_texts else []),
    ])  # fmt: skip
    for row in rows:
        made.add(*_cells(row, is_all=task is None, has_texts=has_texts))
    made.print(out)
    return EXIT_PASS


def _cells(row: JsonObject, *, is_all: bool, has_texts: bool) -> list[str]:
    what = f"{row['action']} {row['what'] or ''}".rstrip()
    return [
        *([str(row["task"])] if is_all else []),
        "-" if row["at_s"] is None else render("s", row["at_s"]),
        printable_line(row["agent"] or "-"),
        printable_line(what),
        printable_line(row["source"] or "-"),
        printable_line(row["error"] or row["status"] or "-"),
        str(row["attempts"] or "-"),
        "-" if row["cost_usd"] is None else render("usd", row["cost_usd"]),
        *([printable_line((row["reply"] or "")[:_TEXT_MAX])] if has_texts else []),
    ]

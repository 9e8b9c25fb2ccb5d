"""`harness runs` and `harness show`: list and show stored runs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import click
from rich.text import Text

from harness.cli.claims import claim_lines
from harness.cli.exit_codes import EXIT_PASS
from harness.cli.named_run import newest_unless_named
from harness.cli.tables import console
from harness.columns import Column, Grid
from harness.errors import StoreError
from harness.json_types import JsonObject
from harness.metrics.engine import SIMULATED
from harness.metrics.refusals import refusals
from harness.metrics.reliability import K_MAX
from harness.metrics.stood_out import stood_out
from harness.printable import printable, printable_line
from harness.rate_limits import in_words
from harness.spans import AGENT, ATTEMPT, OK, TASK, WAIT
from harness.store import Store, aggregates, queries
from harness.units import render

Row = JsonObject

_TASKS_LISTED = 30
"""A screenful; the trees below the list are for reading, the list is for finding."""

_RUN_METRICS = {"latency p95": "latency_s_p95", "cost": "cost_usd_mean", "ok": "success_rate"}


def list_runs(path: Path, *, scenario: str | None, limit: int, output: str) -> int:
    """List runs, the last first."""
    found = queries.runs(Store(path), scenario=scenario, last=limit)[::-1]
    if output == "json":
        click.echo(json.dumps(found, default=str, indent=2))
        return EXIT_PASS
    if not found:
        of = f" of {scenario}" if scenario else ""
        console().print(printable(f"no runs{of} in {path}"))
        return EXIT_PASS
    varied = any(map(_changes, found))
    variants = _variants(found)
    made = Grid([
        Column("run"), Column("scenario", "name"), *([Column("variant", "key")] if variants else []), Column("seed"), Column("tasks"), *map(Column, _RUN_METRICS),
        *([Column("changed with --set", "name")] if varied else []), Column("status", "key", optional=True), Column("engine", "key", optional=True),
        Column("made", "key", optional=True), Column("harness", "key", optional=True),
    ])  # fmt: skip
    for row in found:
        variant = [variants.get(row["scenario_hash"], "")] if variants else []
        changes = [printable_line(" ".join(_changes(row)))] if varied else []
        numbers = (_rendered(name, row["metrics"].get(name)) for name in _RUN_METRICS.values())
        made.add(
            str(row["run_id"]), printable_line(row["scenario"]), *variant, str(row["seed"]), str(row["tasks"]), *numbers,
            *changes, row["status"], row["engine"] or "-", f"{row['written_at']:%Y-%m-%d %H:%M}", row["harness_version"],
        )  # fmt: skip
    made.print(console())
    return EXIT_PASS


def _changes(run: Row) -> list[str]:
    """What `--set` changed of a run's scenario, as `path=value`; kept in the command that runs it again."""
    words = shlex.split(run["command"] or "")
    return [value for word, value in pairwise(words) if word == "--set"]


def _variants(runs: Sequence[Row]) -> dict[str, str]:
    """What marks the versions of a scenario that occurs in several: `a` for the one that was stored first, and so on."""
    versions: dict[str, dict[str, None]] = {}
    for run in reversed(runs):
        versions.setdefault(run["scenario"], {}).setdefault(run["scenario_hash"])
    return {
        digest: _letters(number)
        for digests in versions.values()
        if len(digests) > 1
        for number, digest in enumerate(digests)
    }


def _letters(number: int) -> str:
    """0 is `a`, 25 is `z`, 26 is `aa`."""
    before, last = divmod(number, 26)
    return (_letters(before - 1) if before else "") + chr(ord("a") + last)


def show_run(
    path: Path, run_id: int | None, *, task: int | None, tasks: int | None, output: str
) -> int:
    """Show one run: its tasks, and the spans of some of them as trees.

    Args:
        path: The store.
        run_id: The run; None means the last one.
        task: Only this task; None means all.
        tasks: Draw the first so many tasks; None means the slowest, and the first that failed.
        output: `table` or `json`.

    Returns:
        The exit code.

    Raises:
        StoreError: There is no such run or task.
    """
    store = Store(path)
    run_id = newest_unless_named(store, run_id, path)
    run = queries.run(store, run_id)
    spans = queries.spans(store, run_id)
    if task is not None:
        spans = [span for span in spans if span["task"] == task]
        if not spans:
            raise StoreError(f"run {run_id} has no task {task}; it has {run['tasks']}")
    if output == "json":
        for span in spans:
            click.echo(
                json.dumps(
                    {
                        name: value
                        for name, value in span.items()
                        if value is not None and name != "run_id"
                    }
                )
            )
        return EXIT_PASS
    out = console()
    out.print(
        Text.assemble(
            (f"run {run_id}", "bold"),
            f": {run['scenario']}, seed {run['seed']}, {run['tasks']} tasks, {run['status']}{_engine(run)}",
        )
    )
    roots = [span for span in spans if span["kind"] == TASK]
    if task is None:
        _task_list(roots[:_TASKS_LISTED], spans).print(out)
        if len(roots) > _TASKS_LISTED:
            out.print(
                f"... and {len(roots) - _TASKS_LISTED} more; one of them: harness show {run_id} --task N"
            )
        for line in _reliability(store, run):
            out.print(line)
        for line in _stood_out(store, run_id, run["warmup_tasks"]):
            out.print(Text(printable_line(line)))
    for root, heading in _drawn(roots, task, tasks):
        if heading:
            out.print(Text(heading, style="bold"))
        _tree(root, _children(spans)).print(out)
    for line in claim_lines(queries.events(store, run_id), task):
        out.print(Text(line), soft_wrap=True)
    out.print(Text(printable(f"to replay: {run['command']}")), soft_wrap=True)
    return EXIT_PASS


def _engine(run: Row) -> str:
    return "" if run["engine"] in (None, SIMULATED) else f", {run['engine']}"


def _reliability(store: Store, run: Row) -> Iterator[str]:
    """What the run and others of its scenario say of independent runs of a task, in a line."""
    alike = {
        row["seed"]: row["run_id"]
        for row in queries.runs(store, scenario=run["scenario"])
        if (row["scenario_hash"], row["engine"]) == (run["scenario_hash"], run["engine"])
    }
    found = aggregates.reliability(store, list(alike.values())) if len(alike) > 1 else None
    if found is not None:
        k = min(K_MAX, len(alike))
        yield f"pass_k {render('pass_k', found)}: {k} independent runs of a task all succeed (from {len(alike)} runs of this scenario)"


def _stood_out(store: Store, run_id: int, warmup_tasks: int) -> Iterator[str]:
    """Refusals, and what else stood out in a run, a line each."""
    for refused in refusals(queries.span_table(store, run_id), warmup_tasks=warmup_tasks):
        yield f"{refused}."
    for seen in stood_out(queries.event_table(store, run_id)):
        yield seen.line


def _drawn(roots: Sequence[Row], task: int | None, tasks: int | None) -> list[tuple[Row, str]]:
    """The tasks to draw, each with what is to be said about it."""
    if task is not None or tasks is not None or len(roots) < 2:
        return [
            (root, "") for root in (roots if tasks is None or task is not None else roots[:tasks])
        ]
    failed = [root for root in roots if root["status"] != OK]
    slowest = max(roots, key=lambda root: (root["end_s"] - root["arrival_s"], -root["task"]))
    said = {slowest["task"]: (slowest, "the slowest task")}
    if failed:
        first = failed[0]
        which = (
            "the task that failed"
            if len(failed) == 1
            else f"the first of {len(failed)} tasks that failed"
        )
        both = f"the slowest task, and {which}" if first is slowest else which
        said[first["task"]] = (first, both)
    return [(root, f"task {root['task']}, {heading}") for root, heading in said.values()]


def _children(spans: Sequence[Row]) -> dict[int, list[Row]]:
    children: dict[int, list[Row]] = {}
    for span in spans:
        children.setdefault(span["parent_id"], []).append(span)
    return children


def _task_list(roots: Sequence[Row], spans: Sequence[Row]) -> Grid:
    costs: dict[int, list[float | None]] = {}
    faults: dict[int, list[str]] = {}
    for span in spans:
        if span["kind"] == ATTEMPT:
            costs.setdefault(span["task"], []).append(span["cost_usd"])
            if span["fault"]:
                faults.setdefault(span["task"], []).append(span["fault"])
    made = Grid([
        Column("task"), Column("kind", "name"), Column("arrival", optional=True), Column("latency"), Column("cost"),
        Column("status", "words"), Column("faults", "words"),
    ])  # fmt: skip
    for root in roots:
        number = root["task"]
        cost = None if None in costs.get(number, []) else sum(filter(None, costs.get(number, [])))
        made.add(
            str(number), printable_line(root["name"]), _at(root["arrival_s"]), _duration(root), _rendered("cost_usd", cost),
            _status(root), ", ".join(faults.get(number, [])),
        )  # fmt: skip
    return made


def _tree(root: Row, children: dict[int, list[Row]]) -> Grid:
    made = Grid([
        Column("span", "name", least=24), Column("at"), Column("took"), Column("queue"), Column("tokens"), Column("cost"),
        Column("", "words"),
    ])  # fmt: skip
    for guide, span in _walk(root, children):
        queue_s = (
            None
            if span["kind"] != ATTEMPT or span["start_s"] is None
            else span["start_s"] - span["arrival_s"]
        )
        tokens = (
            ""
            if span["input_tokens"] is None
            else f"{span['input_tokens']:,} > {span['output_tokens']:,}"
        )
        made.add(
            Text(f"{guide}{_label(span)}"), _at(span["arrival_s"] - root["arrival_s"]), _duration(span),
            "" if not queue_s else render("queue_wait_s", queue_s), tokens,
            "" if not span["cost_usd"] else render("cost_usd", span["cost_usd"]), _status(span),
        )  # fmt: skip
    return made


def _walk(
    root: Row, children: dict[int, list[Row]], guide: str = "", below: str = ""
) -> Iterator[tuple[str, Row]]:
    yield guide, root
    inner = children.get(root["span_id"], [])
    for number, span in enumerate(inner, 1):
        last = number == len(inner)
        yield from _walk(
            span, children, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  ")
        )


def _label(span: Row) -> str:
    if span["kind"] in (TASK, AGENT, WAIT):
        name = f"{span['task']} {span['name']}" if span["kind"] == TASK else span["name"]
        return f"{span['kind']} {printable_line(name)}"
    return f"{span['kind']} {span['ordinal']} ({printable_line(span['name'])})"


def _status(span: Row) -> Text:
    words = [] if span["status"] == OK else [span["error"] or span["status"]]
    if span["http_status"]:
        words.append(str(span["http_status"]))
    if span["limited_by"]:
        words.append(f"limit of {in_words(span['limited_by'])}")
    if span["retry_after_s"]:
        words.append(f"retry after {render('retry_after_s', span['retry_after_s'])}")
    if span["fault"]:
        words.append(f"fault: {span['fault']}")
    if span["correct"] == 0:
        words.append("wrong")
    return (
        Text(", ".join(map(printable_line, words)), style="red")
        if words
        else Text("ok" if span["kind"] == TASK else "")
    )


def _at(at_s: float) -> str:
    return f"{at_s:,.3f} s"


def _duration(span: Row) -> str:
    return render("latency_s", span["end_s"] - span["arrival_s"])


def _rendered(name: str, value: float | None) -> str:
    return "-" if value is None else render(name, value)

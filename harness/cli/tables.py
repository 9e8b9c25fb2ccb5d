"""Tables on a terminal: aligned numbers with units; plain text in a pipe."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import islice, zip_longest
from pathlib import Path

from rich.console import Console
from rich.text import Text

from harness.cli.options import DEFAULT_STORE
from harness.columns import Column, Grid
from harness.printable import printable
from harness.run import Outcome
from harness.run.outcome import Failure
from harness.run.record import replay_command
from harness.scenario import LoadedScenario
from harness.units import render

_PIPE_WIDTH = 500
"""Columns when there is no terminal: as many as any table needs, so that nothing is cut off."""

_CUSTOMER_COLUMNS = {
    "tasks": "tasks",
    "latency": "latency_s_mean",
    "p95": "latency_s_p95",
    "calls": "calls_mean",
    "cost": "cost_usd_mean",
    "ok": "success_rate",
}

_AGENTS_SHOWN = 50
"""Most agents in the table of a simulation."""

_AGENT_COLUMNS = {
    "calls": "calls_mean",
    "latency": "latency_s_mean",
    "p95": "latency_s_p95",
    "queue": "queue_wait_s_mean",
    "read": "input_tokens_mean",
    "written": "output_tokens_mean",
    "cost": "cost_usd_mean",
    "ok": "success_rate",
    "retries": "retries",
}


def console() -> Console:
    """The terminal, or the pipe."""
    plain = Console(highlight=False, markup=False, emoji=False)
    return (
        plain
        if plain.is_terminal
        else Console(highlight=False, markup=False, emoji=False, width=_PIPE_WIDTH)
    )


def print_outcome(
    scenario: LoadedScenario,
    seeds: Sequence[int],
    outcome: Outcome,
    run_ids: Sequence[int],
    store: Path,
    *,
    again: str | None = None,
) -> None:
    """Print the metrics of some runs, the budgets, and the next commands."""
    out = console()
    span = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]}-{seeds[-1]}"
    runs = "1 run" if len(seeds) == 1 else f"{len(seeds)} runs"
    out.print(
        Text.assemble(
            (scenario.spec.scenario, "bold"), f": {runs} ({span}), {outcome.tasks:,} tasks measured"
        )
    )
    if scenario.spec.description:
        out.print(Text(printable(scenario.spec.description), style="dim"))
    _metrics(outcome, out.width).print(out)
    _agents(outcome).print(out)
    if (left := len(outcome.agents) - _AGENTS_SHOWN) > 0:
        out.print(Text(f" and {left:,} more agents; all of them: --format json\n", style="dim"))
    if outcome.customers:
        _customers(outcome).print(out)
    if outcome.budgets:
        _budgets(outcome).print(out)
        for budget in outcome.budgets:
            if budget.why:
                out.print(Text(printable(f"{budget.metric}: {budget.why}")))
    for note in outcome.notes:
        out.print(Text.assemble(("note: ", "yellow"), printable(note)))
    for failure in outcome.failures:
        out.print(_failure(failure))
    for problem in outcome.problems:
        out.print(Text.assemble(("FAIL: ", "bold red"), printable(problem)))
    ids = f"run {run_ids[0]}" if len(run_ids) == 1 else f"runs {run_ids[0]}-{run_ids[-1]}"
    look = f"harness show {run_ids[-1]}{_store_option(store)}"
    draw = f"harness report{_store_option(store)}"
    for line in (
        f"stored as {ids} in {store}; look into one with: {look}; draw them with: {draw}",
        again or f"to replay one: {replay_command(scenario, seeds[-1])}",
    ):
        out.print(Text(printable(line)), soft_wrap=True)  # commands are to be copied whole


def _failure(failure: Failure) -> Text:
    many = "1 task" if failure.tasks == 1 else f"{failure.tasks} tasks, first"
    words = failure.traceback.removeprefix(f"{failure.error}: ").splitlines()
    if len(words) == 1:
        return Text(printable(f"{failure.error} in {many}: {words[0]}"))
    lines = [f"    {line}" for line in words]
    return Text(printable("\n".join([f"{failure.error} in {many}:", *lines])))


def _store_option(store: Path) -> str:
    return "" if str(store) == DEFAULT_STORE else f" --store {shlex.quote(str(store))}"


def _metrics(outcome: Outcome, width: int) -> Grid:
    """The metrics, in two columns where there is room; what each means is in docs/glossary.md."""
    name = "metric" if outcome.runs == 1 else "metric (all tasks)"
    cells = [(name, render(name, value)) for name, value in outcome.metrics.items()]
    half = (len(cells) + 1) // 2
    twice = Grid([Column(name, "key"), Column("value"), Column("  metric", "key"), Column("value")])
    for left, right in zip_longest(cells[:half], cells[half:], fillvalue=("", "")):
        twice.add(*left, f"  {right[0]}", right[1])
    if twice.fits(width):
        return twice
    once = Grid([Column(name, "key"), Column("value")])
    once.rows.extend(cells)
    return once


def _agents(outcome: Outcome) -> Grid:
    columns = {
        title: name
        for title, name in _AGENT_COLUMNS.items()
        if any(name in mine for mine in outcome.agents.values())
    }
    made = Grid([Column("agent (per task)", "name"), *map(Column, columns)])
    for agent, mine in islice(outcome.agents.items(), _AGENTS_SHOWN):
        made.add(
            agent, *(render(name, mine[name]) if name in mine else "-" for name in columns.values())
        )
    return made


def _customers(outcome: Outcome) -> Grid:
    made = Grid([Column("customer (per task)", "name"), *map(Column, _CUSTOMER_COLUMNS)])
    for customer, mine in outcome.customers.items():
        names = _CUSTOMER_COLUMNS.values()
        made.add(customer, *(render(name, mine[name]) if name in mine else "-" for name in names))
    return made


def _budgets(outcome: Outcome) -> Grid:
    name = "budget" if outcome.runs == 1 else "budget (all tasks)"
    made = Grid([Column(name, "key"), Column("value"), Column("limit", "words"), Column("", "key")])
    for budget in outcome.budgets:
        value = "not measured" if budget.value is None else render(budget.metric, budget.value)
        verdict = Text("pass", style="green") if budget.passed else Text("FAIL", style="bold red")
        made.add(budget.metric, value, str(budget.limit), verdict)
    return made

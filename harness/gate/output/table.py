"""For people at a terminal: tables of 80 columns."""

from __future__ import annotations

from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.gate.exploration import Explored
from harness.gate.output.words import (
    advice,
    budget_sentence,
    change_text,
    headline,
    interval_text,
    measured,
    p_text,
    printable,
)
from harness.gate.verdict import GateResult, MetricResult

_STYLES: Final = {
    "improved": "green",
    "regressed": "bold red",
    "missing": "bold red",
    "inconclusive": "yellow",
    "not comparable": "yellow",
    "pass": "bold green",
    "fail": "bold red",
    "nothing to compare with": "bold yellow",
}

_COLUMNS: Final = ("metric", "baseline", "now", "change", "interval", "limit")


def print_result(result: GateResult, out: Console) -> None:
    """Print what a gate found.

    Args:
        result: What it found.
        out: Where to; its width decides where lines are folded, and 80 columns are enough.
    """
    out.print(Text(headline(result), style="bold"))
    out.print(_metrics(result))
    for it in result.metrics:
        _print_reasons(it, out)
    if result.explored:
        _print_explored(result.explored, out)
    for budget in result.budgets:
        style = "" if budget.passed else "bold red"
        out.print(Text(budget_sentence(budget), style=style))
    for note in result.notes:
        out.print(Text.assemble(("note: ", "yellow"), printable(note)))
    verdict = (result.verdict.upper(), _STYLES.get(result.verdict, "yellow"))
    out.print(Text.assemble(verdict, f". {advice(result)}"))


def _metrics(result: GateResult) -> Table:
    made = _table(*_COLUMNS)
    made.add_column("")
    for it in result.metrics:
        status = Text(it.status, style=_STYLES.get(it.status, ""))
        if it.limit.level == "warn":
            status.append(" (warn)", style="dim")
        comparison = it.comparison
        made.add_row(
            Text(it.limit.metric),
            measured(it.limit.metric, comparison.base),
            measured(it.limit.metric, comparison.candidate),
            change_text(comparison),
            interval_text(comparison),
            str(it.limit),
            status,
        )
    return made


def _print_reasons(result: MetricResult, out: Console) -> None:
    name = result.limit.metric
    if result.reason:
        out.print(Text(f"{name}: {printable(result.reason)}"))
    for number, line in enumerate(result.why):
        # The lines after the sentence are a table, whose columns must stay where they are.
        text = f"{name}: {printable(line)}" if number == 0 else f"  {printable(line)}"
        out.print(Text(text), soft_wrap=number > 0)


def _print_explored(found: tuple[Explored, ...], out: Console) -> None:
    changed = [it for it in found if it.changed]
    same = len(found) - len(changed)
    if changed:
        made = _table("not gated", "baseline", "now", "change", "interval", "p")
        for it in changed:
            comparison, metric = it.comparison, it.comparison.metric
            made.add_row(
                Text(metric),
                measured(metric, comparison.base),
                measured(metric, comparison.candidate),
                change_text(comparison),
                interval_text(comparison),
                p_text(it.p),
            )
        out.print(made)
    if same:
        others = "other metric" if same == 1 else "other metrics"
        out.print(Text(f"{same} {others} without a change beyond chance.", style="dim"))


def _table(*columns: str) -> Table:
    made = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    made.add_column(columns[0], no_wrap=True)
    for column in columns[1:]:
        made.add_column(column, justify="right", no_wrap=True)
    return made

"""Tables fitted to a terminal."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.text import Text

from harness.columns import Column, Grid
from harness.gate.comparison import Comparison
from harness.gate.exploration import Explored
from harness.gate.output.words import (
    advice,
    amounts,
    budget_sentence,
    change_text,
    headline,
    interval_text,
    measured,
    p_text,
)
from harness.gate.verdict import GateResult, MetricResult
from harness.printable import printable_line

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

_NUMBERS: Final = tuple(map(Column, ("baseline", "now", "change", "interval")))


_CAUSE: Final = (
    Column("agent", "name"),
    Column("of which", "key"),
    Column("model or tool", "name"),
)


def print_result(result: GateResult, out: Console) -> None:
    """Print the result of a gate.

    Args:
        result: What it found.
        out: Where to; its width decides how tables are laid out and where lines are folded.
    """
    out.print(Text(headline(result), style="bold"))
    _metrics(result).print(out)
    for it in result.metrics:
        _print_reasons(it, out)
    if result.explored:
        _print_explored(result.explored, out)
    for budget in result.budgets:
        style = "" if budget.passed else "bold red"
        out.print(Text(budget_sentence(budget), style=style))
    for note in result.notes:
        out.print(Text.assemble(("note: ", "yellow"), printable_line(note)))
    verdict = (result.verdict.upper(), _STYLES.get(result.verdict, "yellow"))
    out.print(Text.assemble(verdict, f". {advice(result)}"))


def _metrics(result: GateResult) -> Grid:
    seeds = max((it.comparison.seeds for it in result.metrics), default=0)
    title = "metric (mean of seeds)" if seeds > 1 else "metric"
    made = Grid([Column(title, "key"), *_NUMBERS, Column("limit"), Column("", "words")])
    for it in result.metrics:
        status = Text(it.status, style=_STYLES.get(it.status, ""))
        if it.limit.level == "warn":
            status.append(" (warn)", style="dim")
        made.add(*_cells(it.comparison), str(it.limit), status)
    return made


def _cells(comparison: Comparison) -> tuple[str | Text, ...]:
    metric = comparison.metric
    return (
        metric,
        measured(metric, comparison.base),
        measured(metric, comparison.candidate),
        change_text(comparison),
        interval_text(comparison),
    )


def _print_reasons(result: MetricResult, out: Console) -> None:
    name = result.limit.metric
    if result.reason:
        out.print(Text(f"{name}: {printable_line(result.reason)}"))
    if result.why is None:
        return
    out.print(Text(f"{name}: {printable_line(result.why.sentence)}"))
    if result.why.rows:
        made = Grid([*_CAUSE, Column("baseline"), Column("now")])
        for row in result.why.rows:
            cause = (printable_line(it) for it in (row.agent, row.kind, row.name))
            made.add(*cause, *amounts(name, row))
        made.print(out)


def _print_explored(found: tuple[Explored, ...], out: Console) -> None:
    changed = [it for it in found if it.changed]
    same = len(found) - len(changed)
    if changed:
        made = Grid([Column("not gated", "key"), *_NUMBERS, Column("p")])
        for it in changed:
            made.add(*_cells(it.comparison), p_text(it.p))
        made.print(out)
    if same:
        others = "other metric" if same == 1 else "other metrics"
        out.print(Text(f"{same} {others} without a change beyond chance.", style="dim"))

"""Wording of a gate's results, the same in every format."""

from __future__ import annotations

import math
from typing import Final

from harness.gate.comparison import Comparison
from harness.gate.samples import Samples
from harness.gate.verdict import GateResult, MetricResult
from harness.gate.why import Row
from harness.metrics.limits import SHARES
from harness.printable import printable_line
from harness.run import BudgetResult
from harness.units import render

_ROUNDING: Final = 1e-9
"""What keeps 0.01, which floats write as 0.00999..., from being shown as a smaller number than it is."""


def headline(result: GateResult) -> str:
    """What was compared, and the number of runs."""
    seeds = max((it.comparison.seeds for it in result.metrics), default=0)
    runs = len(result.candidate.runs) if result.base is None else seeds
    many = "1 seed" if runs == 1 else f"{runs} seeds"
    candidate = _side(result.candidate, "candidate")
    if result.base is None:
        text = f"{result.candidate.scenario}: {candidate}, {many}, no baseline"
    else:
        text = f"{result.candidate.scenario}: {_side(result.base, 'baseline')} against {candidate}, {many}"
    return printable_line(text)


def measured(metric: str, value: float | None) -> str:
    """A value with its unit."""
    return "-" if value is None else render(metric, value)


def change_text(comparison: Comparison) -> str:
    """How much a metric changed: `+24.9%`, or in points `-1.5 pt`."""
    change = comparison.change
    if change is None or (comparison.base is None and comparison.candidate is None):
        return "-"
    return "0" if change.method == "identical" else _signed(comparison.metric, change.value)


def interval_text(comparison: Comparison) -> str:
    """The interval of a change: `+24.1..+25.7%`, `exact` when it was the same in every run, `-` when there is none."""
    change = comparison.change
    if change is None or change.method in ("none", "identical"):
        return "-"
    if change.method == "exact":
        return "exact"
    decimals = min(2, _decimals((change.high - change.low) / 2))
    low, high = (_number(bound, decimals) for bound in (change.low, change.high))
    return f"{low}..{high}{_unit(comparison.metric)}"


def p_text(p: float) -> str:
    """A p-value, to one figure."""
    return "<0.001" if p < 0.001 else f"{p:.1g}"


def sentence(result: MetricResult) -> str:
    """The result of a metric, in one sentence."""
    it, metric = result.comparison, result.limit.metric
    text = f"{metric}: {result.status}"
    if it.base is not None and it.candidate is not None:
        means = "mean of seeds " if it.seeds > 1 else ""
        text += f", {means}{measured(metric, it.base)} -> {measured(metric, it.candidate)}"
        if it.change is not None and it.change.method != "identical":
            interval = interval_text(it)
            text += f", {change_text(it)}" + (f" ({interval})" if interval != "-" else "")
            text += f", limit {result.limit}"
    return printable_line(f"{text}; {result.reason}" if result.reason else text)


def why_lines(result: MetricResult) -> list[str]:
    """Why a metric changed, as plain text: a sentence, and the lines of a table; nothing if it is not known."""
    if result.why is None:
        return []
    cells = [
        (row.kind, row.agent, row.name, *amounts(result.limit.metric, row))
        for row in result.why.rows
    ]
    wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rows = [
        f"{kind:<{wide[0]}}  {agent:<{wide[1]}}  {name:<{wide[2]}}  {old:>{wide[3]}} -> {new:>{wide[4]}}"
        for kind, agent, name, old, new in cells
    ]
    return [printable_line(line) for line in (result.why.sentence, *rows)]


def amounts(metric: str, row: Row) -> tuple[str, str]:
    """A contribution before and after the change, with its unit."""
    return render(metric, row.base), render(metric, row.candidate)


def budget_sentence(budget: BudgetResult) -> str:
    """The result of a budget, in one sentence."""
    value = (
        "not measured"
        if budget.value is None
        else f"{render(budget.metric, budget.value)} over all tasks"
    )
    verdict = "holds" if budget.passed else "does not hold"
    text = f"budget {budget.metric} {budget.limit}: {verdict}, {value}"
    return printable_line(f"{text}. {budget.why}" if budget.why else text)


def advice(result: GateResult) -> str:
    """The next step, in one sentence."""
    if result.is_first:
        return "There is no baseline yet: save one, and commit it."
    return {
        "pass": "Nothing became worse than allowed.",
        "fail": "If the change is wanted, save the baseline again with a reason; if not, see above.",
        "inconclusive": "The interval still crosses the limit: run more seeds, or allow a larger change.",
        "nothing to compare with": "What is gated could not be compared, for the reasons above.",
    }[result.verdict]


def _side(side: Samples, what: str) -> str:
    return f"{what} {side.label}" if side.label else what


def _signed(metric: str, value: float) -> str:
    return f"{_number(value, _decimals(value))}{_unit(metric)}"


def _unit(metric: str) -> str:
    return " pt" if metric in SHARES else "%"


def _decimals(share: float) -> int:
    """How many decimals a share has as a hundredth, for two significant figures of it; three at most."""
    hundredths = abs(100 * share)
    if not hundredths or not math.isfinite(hundredths):
        return 0
    return max(0, min(3, 1 - math.floor(math.log10(hundredths) + _ROUNDING)))


def _number(share: float, decimals: int) -> str:
    """A share as a hundredth, with a sign."""
    if math.isinf(share):
        return "+∞" if share > 0 else "-∞"
    return f"{100 * share:+,.{decimals}f}"

"""The result of a gate as sections of a report."""

from __future__ import annotations

import math
from typing import Final

from harness.gate.comparison import Comparison
from harness.gate.exploration import Explored
from harness.gate.output.words import (
    advice,
    budget_sentence,
    change_text,
    headline,
    interval_text,
    sentence,
)
from harness.gate.verdict import GateResult, MetricResult, Verdict
from harness.gate.why import Explanation, Row
from harness.printable import printable_line
from harness.report.blocks import Tone
from harness.report.judgement import Cause, Judged, Judgement

_VERDICTS: Final[dict[Verdict, Tone]] = {
    "pass": "good",
    "fail": "bad",
    "inconclusive": "unsure",
    "nothing to compare with": "unsure",
}

_STATUSES: Final[dict[str, Tone]] = {
    "identical": "good",
    "within limit": "good",
    "improved": "good",
    "regressed": "bad",
    "missing": "bad",
}


def shown_in_notebook(result: GateResult) -> str:
    """A result as HTML for a notebook."""
    from harness.report.notebook import comparison_html

    return comparison_html(judgement(result))


def judgement(result: GateResult) -> Judgement:
    """The result of a gate, for a page."""
    return Judgement(
        verdict=result.verdict,
        tone=_VERDICTS[result.verdict],
        headline=headline(result),
        advice=advice(result),
        metrics=tuple(map(_gated, result.metrics)),
        explored=tuple(map(_explored, result.explored)),
        notes=(
            *(printable_line(note) for note in result.notes),
            *(budget_sentence(it) for it in result.budgets if not it.passed),
        ),
    )


def _gated(it: MetricResult) -> Judged:
    return _judged(
        it.comparison,
        limit=str(it.limit),
        status=it.status,
        tone=_STATUSES.get(it.status, "unsure"),
        sentence=sentence(it),
        why=it.why,
    )


def _explored(it: Explored) -> Judged:
    return _judged(it.comparison, limit="", status="changed" if it.changed else "unchanged")


def _judged(
    comparison: Comparison,
    *,
    limit: str,
    status: str,
    tone: Tone = "",
    sentence: str = "",
    why: Explanation | None = None,
) -> Judged:
    change = comparison.change
    return Judged(
        metric=comparison.metric,
        base=comparison.base,
        candidate=comparison.candidate,
        change=_finite(change.value) if change is not None else None,
        low=_finite(change.low) if change is not None else None,
        high=_finite(change.high) if change is not None else None,
        change_text=change_text(comparison),
        interval_text=interval_text(comparison),
        limit=limit,
        status=status,
        tone=tone,
        sentence=sentence,
        why="" if why is None else printable_line(why.sentence),
        causes=() if why is None else tuple(map(_cause, why.rows)),
    )


def _cause(row: Row) -> Cause:
    kind, agent, name = map(printable_line, (row.kind, row.agent, row.name))
    return Cause(kind=kind, agent=agent, name=name, base=row.base, candidate=row.candidate)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None

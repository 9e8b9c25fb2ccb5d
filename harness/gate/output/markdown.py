"""Markdown for a page at GitHub or GitLab, such as `$GITHUB_STEP_SUMMARY`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

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

_BYTES_MAX: Final = 1_000_000
"""A step summary may have 1 MiB (GitHub docs, "Adding a job summary"); beyond it GitHub drops the whole."""

_MARKS: Final = {
    "identical": "🟢", "within limit": "🟢", "improved": "🟢", "regressed": "🔴", "missing": "🔴",
    "inconclusive": "🟡", "not comparable": "🟡", "new": "⚪", "pass": "🟢", "fail": "🔴",
    "nothing to compare with": "🟡",
}  # fmt: skip

_HEAD: Final = ("metric", "baseline", "candidate", "change", "interval", "limit", "status")


def as_markdown(result: GateResult) -> str:
    """Write the result of a gate as a section of Markdown, of less than a megabyte."""
    text = "\n".join(_lines(result)) + "\n"
    if len(text.encode()) <= _BYTES_MAX:
        return text
    kept = text.encode()[:_BYTES_MAX].decode(errors="ignore").rpartition("\n")[0]
    return f"{kept}\n\nThe rest was cut off; it is in the log.\n"


def escaped(text: str) -> str:
    """Escape an untrusted text, so that it contains no link, mention, table cell or tag."""
    return re.sub(
        r"[&<>|\\`*_{}\[\]()#+!~@$:]", lambda found: f"&#{ord(found[0])};", printable_line(text)
    )


def _lines(result: GateResult) -> Iterator[str]:
    yield f"### {_MARKS[result.verdict]} Gate: {result.verdict}"
    yield ""
    yield escaped(headline(result))
    yield ""
    yield from _table(_HEAD, [_row(it) for it in result.metrics])
    for it in result.metrics:
        yield from _reasons(it)
    for budget in result.budgets:
        yield f"- {'🟢' if budget.passed else '🔴'} {escaped(budget_sentence(budget))}"
    yield from (f"- {escaped(note)}" for note in result.notes)
    yield ""
    yield from _explored(result)
    yield advice(result)


def _row(result: MetricResult) -> list[str]:
    metric, comparison = result.limit.metric, result.comparison
    warn = " (warn)" if result.limit.level == "warn" else ""
    return [
        f"`{metric}`",
        measured(metric, comparison.base),
        measured(metric, comparison.candidate),
        change_text(comparison),
        interval_text(comparison),
        str(result.limit),
        f"{_MARKS[result.status]} {result.status}{warn}",
    ]


def _reasons(result: MetricResult) -> Iterator[str]:
    if result.reason:
        yield f"- `{result.limit.metric}`: {escaped(result.reason)}"
    if result.why is not None:
        metric = result.limit.metric
        yield f"- `{metric}`: {escaped(result.why.sentence)}"
        if result.why.rows:
            yield ""
            yield from _table(
                ("time or money", "agent", "model or tool", "baseline", "candidate"),
                [
                    [*map(escaped, (row.kind, row.agent, row.name)), *amounts(metric, row)]
                    for row in result.why.rows
                ],
            )


def _explored(result: GateResult) -> Iterator[str]:
    changed = [it for it in result.explored if it.changed]
    if not changed:
        return
    rows = [
        [
            f"`{it.comparison.metric}`",
            measured(it.comparison.metric, it.comparison.base),
            measured(it.comparison.metric, it.comparison.candidate),
            change_text(it.comparison),
            interval_text(it.comparison),
            p_text(it.p),
        ]
        for it in changed
    ]
    yield "<details><summary>Metrics that are not gated and changed</summary>\n"
    yield from _table((*_HEAD[:5], "p"), rows)
    yield "</details>\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""

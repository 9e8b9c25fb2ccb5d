"""Annotations for GitHub Actions: lines that it finds in the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from harness.gate.output.words import budget_sentence, sentence, why_lines
from harness.gate.verdict import GateResult, MetricResult

ANNOTATIONS_MAX: Final = 10
"""GitHub shows ten of a kind for a step (GitHub docs, "Usage limits": annotations)."""

_WARNED: Final = ("regressed", "missing", "inconclusive", "not comparable")


def as_annotations(result: GateResult, *, file: str = "") -> str:
    """Write the result of a gate as workflow commands: at most ten, errors first, none if it passed.

    Args:
        result: What it found.
        file: The scenario or the baseline, from the root of the repository; where annotations are shown.
    """
    found = [*_errors(result), *_warnings(result)]
    if len(found) > ANNOTATIONS_MAX:
        more = len(found) - ANNOTATIONS_MAX + 1
        found[ANNOTATIONS_MAX - 1 :] = [("warning", f"and {more} more; see the summary of the job")]
    where = f"file={_property(file)}," if file else ""
    title = _property(f"harness gate: {result.candidate.scenario}")
    return "".join(f"::{kind} {where}title={title}::{_data(text)}\n" for kind, text in found)


def _errors(result: GateResult) -> Iterator[tuple[str, str]]:
    for it in result.metrics:
        if it.failed:
            yield "error", _said(it)
    for budget in result.budgets:
        if not budget.passed:
            yield "error", budget_sentence(budget)


def _warnings(result: GateResult) -> Iterator[tuple[str, str]]:
    for it in result.metrics:
        if it.status in _WARNED and not it.failed and not it.unmeasured:
            yield "warning", _said(it)


def _said(result: MetricResult) -> str:
    """The metric's sentence, and the first of its explanation; an annotation is short."""
    return "\n".join((sentence(result), *why_lines(result)[:1]))


def _data(text: str) -> str:
    """Escape a message (https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts, escapeData)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a property (the same file, escapeProperty)."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")

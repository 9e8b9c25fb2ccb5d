"""Section: five headline numbers (latency, cost, success, tokens, faults)."""

from __future__ import annotations

from harness.report.blocks import Card, Cards, Section
from harness.report.contents import Contents, Side
from harness.units import render


def section(contents: Contents) -> Section:
    """The cards, with the change of each where there is a base."""
    return Section(
        key="numbers",
        title="In numbers",
        lead=_lead(contents),
        blocks=[Cards(cards=(
            _latency(contents),
            _card(contents, "Cost of a task", "cost_usd_mean", _beside(contents, "wasted_usd", "wasted in all")),
            _card(contents, "Tasks that ended well", "success_rate", _beside(contents, "calls_mean", "calls a task")),
            _card(contents, "Tokens written for a task", "output_tokens_mean", _beside(contents, "input_tokens_mean", "read")),
            _faults(contents),
        ))],
    )  # fmt: skip


def _lead(contents: Contents) -> str:
    if contents.judgement is not None:
        return "Means over the seeds of the candidate, and their change against the base with its interval."
    runs = len(contents.side.runs)
    return "" if runs == 1 else f"Of all tasks of all {runs} runs together."


def _latency(contents: Contents) -> Card:
    if contents.side.measured_tasks == 1:
        return _card(contents, "Latency", "latency_s_mean", "")
    return _card(
        contents, "Latency, p95", "latency_s_p95", _beside(contents, "latency_s_mean", "mean")
    )


def _card(contents: Contents, title: str, metric: str, note: str) -> Card:
    if contents.judgement is None:
        return Card(title=title, metric=metric, value=contents.side.totals.get(metric), note=note)
    found = contents.judgement.of(metric)
    if found is None:
        return Card(title=title, metric=metric, value=contents.side.totals.get(metric), note=note)
    return Card(
        title=title,
        metric=metric,
        value=found.candidate,
        change=found.change_text,
        interval=found.interval_text,
        tone=found.tone,
        note=note,
    )


def _beside(contents: Contents, metric: str, words: str) -> str:
    value = contents.side.totals.get(metric)
    judged = None if contents.judgement is None else contents.judgement.of(metric)
    if judged is not None and metric.endswith("_mean"):
        value = judged.candidate  # of the same kind as the number that it stands beside
    return "" if value is None else f"{words}: {render(metric, value)}"


def _faults(contents: Contents) -> Card:
    met = _met(contents.side)
    change = ""
    if contents.base is not None:
        difference = met - _met(contents.base)
        change = f"{difference:+,}" if difference else "0"
    failed = sum(row.get("failed_attempts", 0) for row in contents.side.agents)
    return Card(
        title="Attempts that met a fault",
        metric="faults",
        value=met,
        change=change,
        note=f"failed in all: {failed:,}",
    )


def _met(side: Side) -> int:
    return sum(row.get("faults", 0) for row in side.agents)

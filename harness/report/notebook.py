"""Runs and comparisons in notebooks: an HTML fragment with its own scoped style."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from harness.metrics import METRICS
from harness.report.blocks import Card, Cards, Column, DataTable
from harness.report.judgement import Judgement
from harness.report.page import environment, fragment_style
from harness.report.sections.comparison import comparison_table
from harness.report.timeline import as_svg, finding, run_timeline, task_timeline
from harness.spans import TASK, Table
from harness.units import render

_CARDS = (
    "latency_s_mean",
    "latency_s_p95",
    "cost_usd_mean",
    "success_rate",
    "calls_mean",
    "retries",
)


def run_html(heading: str, spans: Table, events: Table, metrics: Mapping[str, float]) -> str:
    """A run: its numbers, and its timeline.

    Args:
        heading: What it is called.
        spans: Its spans.
        events: Its events.
        metrics: Its numbers.
    """
    tasks = [task for kind, task in spans.rows("kind", "task") if kind == TASK]
    timeline = (
        task_timeline(spans, events, tasks[0]) if len(tasks) == 1 else run_timeline(spans, events)
    )
    cards = [
        Card(title=METRICS[name].partition(";")[0], metric=name, value=metrics[name]) for name in _CARDS if name in metrics
    ]  # fmt: skip
    # Ids of several runs on one page must differ, and the same run shall give the same text.
    key = "h" + hashlib.sha256(repr((heading, list(metrics.items()))).encode()).hexdigest()[:10]
    return _fragment(
        heading=heading,
        lead=finding(timeline),
        blocks=[Cards(cards=tuple(cards)), _numbers(metrics)],
        svg=as_svg(timeline, key) if timeline.marks else "",
    )


def comparison_html(judgement: Judgement) -> str:
    """A comparison: its verdict, and what changed."""
    return _fragment(
        heading=f"{judgement.verdict}: {judgement.headline}",
        lead=judgement.advice,
        blocks=[comparison_table(judgement)],
        svg="",
    )


def _numbers(metrics: Mapping[str, float]) -> DataTable:
    return DataTable(
        caption="All numbers",
        columns=(Column("metric"), Column("value"), Column("meaning")),
        rows=[
            (name, render(name, value), METRICS.get(name, "")) for name, value in metrics.items()
        ],
    )


def _fragment(*, heading: str, lead: str, blocks: Sequence[Cards | DataTable], svg: str) -> str:
    return environment().get_template("notebook.html.j2").render(
        heading=heading, lead=lead, blocks=blocks, svg=svg, style=fragment_style()
    )  # fmt: skip

"""The page of a bake-off: several ways to do the same tasks, side by side; `harness.gate` fills in what they are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.json_types import JsonObject
from harness.report.blocks import Column, DataTable, Drawing, Measured, Section, Tone, Value, Words
from harness.report.drawing import as_png
from harness.report.figures.tradeoff import Way, draw_tradeoff
from harness.report.page import blocks_as_json, drawings_of, page_html, write_files

COLUMNS: Final = {
    "latency_s_mean": "latency",
    "latency_s_p95": "p95",
    "cost_usd_mean": "cost",
    "success_rate": "success",
    "quality_mean": "quality",
    "calls_mean": "calls",
    "messages_mean": "messages",
    "waiting_share": "waiting",
}
"""What is shown of each way, and what it is called."""

_CAUTIONS: Final = (
    "All ways met the same tasks, with the same seeds: differences are those of the ways, and not of luck.",
    "The numbers are those of this scenario. Trust which way is ahead before by how much: an order is worth more than a size.",
    "Sizes need your own accuracies, lengths and latencies.",
    "A way is Pareto-optimal if no other is better in one objective and worse in none.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """By how much a metric of a way differs from that of the first."""

    metric: str
    change: float | None
    change_text: str
    interval_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way, as the page shows it."""

    name: str
    metrics: Mapping[str, float]
    is_optimal: bool
    run_ids: tuple[int, ...]
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the page is about."""

    scenario: str
    description: str
    seeds: int
    better: str
    """Which values of the objectives are the better ones, in words."""
    rows: tuple[Row, ...]


def write_bakeoff(page: Page, folder: Path) -> list[Path]:
    """Write the page, its numbers and its picture.

    Raises:
        HarnessError: The files cannot be written.
    """
    name = f"bakeoff-{page.scenario}"
    sections = _sections(page)
    files = {
        f"{name}.html": page_html(f"{page.scenario}: {sections[0].title}", sections, name).encode(),
        f"{name}.json": _as_json(page, sections, name).encode(),
        **{f"{name}-{it.key}.png": as_png(it.figure) for it in drawings_of(sections)},
    }
    return write_files(folder, files)


def _sections(page: Page) -> list[Section]:
    optimal = [row.name for row in page.rows if row.is_optimal]
    seeds = "1 seed" if page.seeds == 1 else f"{page.seeds} seeds"
    lead = f"{page.description} {len(page.rows)} ways, {seeds}, the same tasks for all.".strip()
    sections = [
        Section(
            key="verdict",
            title=f"Pareto-optimal: {', '.join(optimal) or 'none'}",
            lead=lead,
            blocks=[_numbers(page)],
        )
    ]
    if (figure := _tradeoff(page)) is not None:
        sections.append(Section(key="tradeoff", title="Time against money", blocks=[figure]))
    sections.append(
        Section(
            key="differences",
            title=f"Against {page.rows[0].name}",
            lead="The mean change over the seeds, seed by seed, with its interval of 95 %.",
            blocks=[_differences(page)],
        )
    )
    notes = [f"{row.name}: {note}" for row in page.rows for note in row.notes]
    said: list[tuple[Tone, str]] = [("", text) for text in _CAUTIONS]
    said += [("unsure", note) for note in notes]
    sections.append(
        Section(key="reading", title="How to read this", blocks=[Words(sentences=said)])
    )
    return sections


def _shown(page: Page) -> list[str]:
    return [metric for metric in COLUMNS if any(metric in row.metrics for row in page.rows)]


def _numbers(page: Page) -> DataTable:
    shown = _shown(page)
    return DataTable(
        caption="All ways, over all tasks of all seeds",
        columns=(
            Column("way"),
            *(Column(COLUMNS[metric], metric) for metric in shown),
            Column("Pareto-optimal"),
        ),
        rows=[
            (
                row.name,
                *(row.metrics.get(metric) for metric in shown),
                "yes" if row.is_optimal else "",
            )
            for row in page.rows
        ],
        note=f"Better is {page.better}.",
    )


def _tradeoff(page: Page) -> Drawing | None:
    ways = [
        Way(row.name, row.metrics["latency_s_mean"], row.metrics["cost_usd_mean"], row.is_optimal)
        for row in page.rows
        if {"latency_s_mean", "cost_usd_mean"} <= row.metrics.keys()
    ]
    if len(ways) < 2:
        return None
    fastest, cheapest = (
        min(ways, key=lambda it: it.latency_s),
        min(ways, key=lambda it: it.cost_usd),
    )
    return Drawing(
        key="tradeoff",
        title="Mean latency and cost of a task",
        alt=f"The fastest is {fastest.name}, the cheapest {cheapest.name}.",
        reading="How to read this: further left is faster, further down is cheaper; filled points are Pareto-optimal.",
        figure=draw_tradeoff(ways),
        table=DataTable(
            caption="Mean latency and cost of a task",
            columns=(
                Column("way"),
                Column("latency", "latency_s"),
                Column("cost", "cost_usd"),
                Column("Pareto-optimal"),
            ),
            rows=[
                (it.name, it.latency_s, it.cost_usd, "yes" if it.is_optimal else "") for it in ways
            ],
        ),
    )


def _differences(page: Page) -> DataTable:
    rows: list[Sequence[Value]] = [
        (
            row.name,
            it.metric,
            Measured("change", it.change, it.change_text),
            it.interval_text,
        )
        for row in page.rows[1:]
        for it in row.differences
    ]
    return DataTable(
        caption=f"Changes against {page.rows[0].name}",
        columns=(Column("way"), Column("metric"), Column("change", "change"), Column("interval")),
        rows=rows,
    )


def _as_json(page: Page, sections: Sequence[Section], name: str) -> str:
    report: JsonObject = {
        "report": name,
        "scenario": page.scenario,
        "runs": [run_id for row in page.rows for run_id in row.run_ids],
        "base_runs": None,
        "verdict": sections[0].title,
        "tone": "",
        "sections": blocks_as_json(sections),
    }
    return json.dumps(report, indent=1, allow_nan=False) + "\n"

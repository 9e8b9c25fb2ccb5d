"""The page of a sweep: numbers at every point, curves, what matters most; `harness.cli` fills in what was found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.json_types import JsonObject
from harness.report.blocks import Block, Column, DataTable, Drawing, Section, Tone, Value, Words
from harness.report.drawing import as_png
from harness.report.figures.heatmap import draw_heatmap
from harness.report.figures.response import LINES_MAX, Mark, draw_response
from harness.report.figures.tornado import Bar, draw_tornado
from harness.report.page import blocks_as_json, drawings_of, page_html, write_files
from harness.units import render

_BARS_MAX: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One point."""

    name: str
    values: Mapping[str, str]
    """By key."""
    marks: Mapping[str, Mark]
    """By metric."""
    holds: str = ""
    """Whether the conditions hold there; empty if there are none."""
    is_optimal: bool = False
    reliability: tuple[float, ...] = ()
    """That 1, 2, 3, ... independent runs of a task all succeed."""
    runs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the page is about."""

    scenario: str
    description: str
    title: str
    """The answer, in one line."""
    keys: tuple[str, ...]
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]
    answers: tuple[tuple[Tone, str], ...]
    bounds: Mapping[str, float] = field(default_factory=dict)
    """Limits of conditions, by metric."""
    knees: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    """By metric, of the only key with numbers: where the curve turns, and the interval of that."""
    effects: Mapping[str, Sequence[Bar]] = field(default_factory=dict)
    """By metric."""


def write_sweep(page: Page, folder: Path) -> list[Path]:
    """Write the page, its numbers and its pictures.

    Raises:
        HarnessError: The files cannot be written.
    """
    name = f"sweep-{page.scenario}"
    sections = _sections(page)
    report: JsonObject = {
        "report": name,
        "scenario": page.scenario,
        "runs": [],
        "base_runs": None,
        "verdict": page.title,
        "tone": "",
        "sections": blocks_as_json(sections),
    }
    files = {
        f"{name}.html": page_html(f"{page.scenario}: {page.title}", sections, name).encode(),
        f"{name}.json": (json.dumps(report, indent=1, allow_nan=False) + "\n").encode(),
        **{f"{name}-{it.key}.png": as_png(it.figure) for it in drawings_of(sections)},
    }
    return write_files(folder, files)


def _sections(page: Page) -> list[Section]:
    first: list[Block] = [Words(sentences=list(page.answers))] if page.answers else []
    sections = [
        Section(
            key="verdict", title=page.title, lead=page.description, blocks=[*first, _numbers(page)]
        )
    ]
    if curves := list(_curves(page)):
        lead = "A point is the mean over seeds; a bar is its interval of 95 %."
        sections.append(Section(key="curves", title="Response", lead=lead, blocks=curves))
    if maps := list(_maps(page)):
        sections.append(Section(key="maps", title="Two keys together", blocks=maps))
    if tornados := list(_tornados(page)):
        lead = "The change from the first value of a key to another, with the same seeds and the same values of all other keys."
        sections.append(
            Section(key="effects", title="What matters most", lead=lead, blocks=tornados)
        )
    if any(row.reliability for row in page.rows):
        sections.append(_reliability(page))
    return sections


def _numbers(page: Page) -> DataTable:
    has_conditions = any(row.holds for row in page.rows)
    columns = [
        *(Column(key) for key in page.keys),
        Column("runs"),
        *(Column(metric, metric) for metric in page.metrics),
        *([Column("conditions hold")] if has_conditions else []),
        Column("Pareto-optimal"),
    ]
    rows: list[Sequence[Value]] = [
        (
            *(row.values[key] for key in page.keys),
            row.runs,
            *(row.marks[it].mean if it in row.marks else None for it in page.metrics),
            *([row.holds] if has_conditions else []),
            "yes" if row.is_optimal else "",
        )
        for row in page.rows
    ]
    return DataTable(caption="Every point, means over its seeds", columns=tuple(columns), rows=rows)


def as_number(text: str) -> float | None:
    """A value of a key as a number; None if it is none."""
    try:
        return float(text)
    except ValueError:
        return None


def _numeric_keys(page: Page) -> list[str]:
    return [
        key
        for key in page.keys
        if len({row.values[key] for row in page.rows}) > 1
        and all(as_number(row.values[key]) is not None for row in page.rows)
    ]


def _curves(page: Page) -> list[Drawing]:
    """A figure for each metric over the numeric key with the most values; the others make lines."""
    numeric = _numeric_keys(page)
    if not numeric:
        return []
    key = max(numeric, key=lambda it: len({row.values[it] for row in page.rows}))
    return [
        drawing for metric in page.metrics if (drawing := _curve(page, metric, key)) is not None
    ]


def _curve(page: Page, metric: str, key: str) -> Drawing | None:
    lines: dict[str, list[Mark]] = {}
    for row in page.rows:
        if metric in row.marks:
            name = ", ".join(
                f"{other.rpartition('.')[2]}={row.values[other]}"
                for other in page.keys
                if other != key
            )
            at = as_number(row.values[key])
            assert at is not None, "numeric keys were chosen"
            lines.setdefault(name, []).append(row.marks[metric]._replace(at=at))
    lines = {name: sorted(marks) for name, marks in lines.items()}
    if not lines or max(map(len, lines.values())) < 2:
        return None
    left_out = (
        ""
        if len(lines) <= LINES_MAX
        else f"{len(lines) - LINES_MAX} more lines are in the table above."
    )
    ends = next(iter(lines.values()))
    return Drawing(
        key=f"curve-{metric}",
        title=f"{metric} over {key}",
        alt=f"From {render(metric, ends[0].mean)} at {ends[0].at:g} to {render(metric, ends[-1].mean)} at {ends[-1].at:g}.",
        reading=f"How to read this: one line for each setting of the other keys. {left_out}".strip(),
        figure=draw_response(
            lines,
            metric=metric,
            key=key,
            bound=page.bounds.get(metric),
            knee=page.knees.get(metric),
        ),
        table=DataTable(
            caption=f"{metric} over {key}",
            columns=(
                Column("line"),
                Column(key),
                Column("mean", metric),
                Column("low", metric),
                Column("high", metric),
            ),
            rows=[
                (name or page.scenario, f"{it.at:g}", it.mean, it.low, it.high)
                for name, marks in lines.items()
                for it in marks
            ],
        ),
    )


def _maps(page: Page) -> list[Drawing]:
    """A heat map for each metric, of exactly two keys with two values or more."""
    keys = [key for key in page.keys if len({row.values[key] for row in page.rows}) > 1]
    if len(keys) != 2:
        return []
    columns, rows = (list(dict.fromkeys(row.values[key] for row in page.rows)) for key in keys)
    found = []
    for metric in page.metrics:
        values = {
            (row.values[keys[0]], row.values[keys[1]]): row.marks[metric].mean
            for row in page.rows
            if metric in row.marks
        }
        if len(values) < 2:
            continue
        most = max(values, key=lambda it: values[it])
        found.append(
            Drawing(
                key=f"map-{metric}",
                title=f"{metric} over {keys[0]} and {keys[1]}",
                alt=f"Most, {render(metric, values[most])}, at {most[0]} and {most[1]}.",
                reading="How to read this: a darker cell is a larger number.",
                figure=draw_heatmap(
                    values,
                    metric=metric,
                    columns=columns,
                    rows=rows,
                    column_key=keys[0],
                    row_key=keys[1],
                ),
                table=DataTable(
                    caption=f"{metric} over {keys[0]} and {keys[1]}",
                    columns=(Column(keys[0]), Column(keys[1]), Column(metric, metric)),
                    rows=[(*pair, value) for pair, value in values.items()],
                ),
            )
        )
    return found


def _tornados(page: Page) -> list[Drawing]:
    return [
        Drawing(
            key=f"effects-{metric}",
            title=f"What moves {metric}",
            alt=f"Most: {bars[0].name}.",
            reading="How to read this: the longest bar matters most; a grey one may be chance.",
            figure=draw_tornado(bars[:_BARS_MAX], metric=metric),
            table=DataTable(
                caption=f"What moves {metric}",
                columns=(
                    Column("change"),
                    Column("effect", metric),
                    Column("low", metric),
                    Column("high", metric),
                ),
                rows=[(it.name, it.change, it.low, it.high) for it in bars],
            ),
        )
        for metric, bars in page.effects.items()
        if len(bars) > 1
    ]


def _reliability(page: Page) -> Section:
    most = max(len(row.reliability) for row in page.rows)
    table = DataTable(
        caption="Probability that k independent runs of a task all succeed",
        columns=(
            *(Column(key) for key in page.keys),
            *(Column(f"k = {k}", "success_rate") for k in range(1, most + 1)),
        ),
        rows=[
            (
                *(row.values[key] for key in page.keys),
                *row.reliability,
                *[None] * (most - len(row.reliability)),
            )
            for row in page.rows
        ],
        note="Of a task that succeeded in c of n runs, C(c, k) / C(n, k), and the mean over the tasks.",
    )
    return Section(key="reliability", title="Reliability of k runs", blocks=[table])

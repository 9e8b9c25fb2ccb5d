"""The index page: the runs of a store, their numbers over time, and the existing reports."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from harness.errors import HarnessError
from harness.metrics import DEFAULT_LIMITS
from harness.report.blocks import Column, DataTable
from harness.report.page import environment, page_parts, write_files
from harness.store import Store, queries
from harness.store.asking import Row

RUNS_MAX: Final = 500
"""The latest runs; a page of more is slow to load, and the store has them all."""

_SPARK_WIDTH, _SPARK_HEIGHT = 160, 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report that lies in the folder."""

    file: str
    """The page."""
    scenario: str
    verdict: str
    tone: str
    runs: str
    """Which; of a comparison with those of the base."""
    run_ids: tuple[int, ...]
    is_comparison: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """How one metric of one scenario went from run to run."""

    metric: str
    svg: Markup
    text: str
    """From which value to which."""


def write_index(store: Store, folder: Path) -> Path:
    """Write `index.html` over a store and the reports in a folder.

    Raises:
        HarnessError: The folder cannot be read or written.
    """
    rows = queries.runs(store, last=RUNS_MAX)
    reports = _reports(folder)
    scenarios: dict[str, list[Row]] = {}
    for row in rows:
        scenarios.setdefault(row["scenario"], []).append(row)
    html = environment().get_template("index.html.j2").render(
        reports=reports,
        scenarios={name: _sparks(of) for name, of in scenarios.items()},
        runs=_runs(rows),
        links=_links(reports),
        store=store.path.name,
        shown=len(rows),
        **page_parts(),
    )  # fmt: skip
    return write_files(folder, {"index.html": html.encode()})[0]


_COLUMNS: Final = (
    Column("run", "run"), Column("scenario"), Column("seed", "seed"), Column("tasks", "tasks"),
    *(Column(metric, metric) for metric in DEFAULT_LIMITS),
    Column("status"), Column("engine"), Column("harness"), Column("commit"),
)  # fmt: skip


def _runs(rows: Sequence[Row]) -> DataTable:
    return DataTable(
        caption="Runs, the last first",
        columns=_COLUMNS,
        rows=[
            (
                row["run_id"], row["scenario"], row["seed"], row["tasks"],
                *(row["metrics"].get(metric) for metric in DEFAULT_LIMITS),
                row["status"], row["engine"] or "-", row["harness_version"], (row["commit_id"] or "-")[:10],
            )
            for row in reversed(rows)
        ],
        note=f"The last {RUNS_MAX} runs of the store." if len(rows) == RUNS_MAX else "",
    )  # fmt: skip


def _links(reports: Sequence[Report]) -> dict[int, str]:
    """The report of each run, one about few runs before one about many."""
    return {
        run_id: report.file
        for report in sorted(reports, key=lambda it: -len(it.run_ids))
        for run_id in report.run_ids
    }


def _sparks(rows: Sequence[Row]) -> list[Spark]:
    found = []
    for metric in DEFAULT_LIMITS:
        values = [row["metrics"][metric] for row in rows if metric in row["metrics"]]
        if values:
            text = Column("", metric)
            table = DataTable(caption="", columns=(text,), rows=())
            first, last = (table.text(text, value) for value in (values[0], values[-1]))
            told = f"{first} to {last} over {len(values)} runs" if len(values) > 1 else last
            found.append(Spark(metric=metric, svg=_spark(values, f"{metric}: {told}"), text=told))
    return found


def _spark(values: Sequence[float], alt: str) -> Markup:
    """A line without axes; a dot when there is one value alone."""
    low, high = min(values), max(values)
    reach = (high - low) or 1.0
    step = (_SPARK_WIDTH - 8) / max(1, len(values) - 1)
    points = [
        (4 + step * number, _SPARK_HEIGHT - 4 - (value - low) / reach * (_SPARK_HEIGHT - 8))
        for number, value in enumerate(values)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return Markup(
        '<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<polyline points="{}" fill="none" stroke="var(--work)" stroke-width="1.6"/>'
        '<circle cx="{:.1f}" cy="{:.1f}" r="2.6" fill="var(--work)"/></svg>'
    ).format(_SPARK_WIDTH, _SPARK_HEIGHT, alt, line, x, y)


def _reports(folder: Path) -> list[Report]:
    """The reports in a folder, by their numbers in JSON; what is no report of ours is passed over."""
    try:
        files = sorted(folder.glob("*.json"))
        found = [_report(file) for file in files if file.with_suffix(".html").is_file()]
    except OSError as error:
        raise HarnessError(f"cannot read {folder}: {error.strerror or error}") from error
    return [report for report in found if report is not None]


def _report(file: Path) -> Report | None:
    try:
        data: Any = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return None
    if (
        not isinstance(data, Mapping)
        or not {"report", "scenario", "verdict", "tone", "runs"} <= data.keys()
    ):
        return None
    runs, base = data["runs"], data.get("base_runs")
    if not _are_ids(runs) or not (base is None or _are_ids(base)):
        return None
    is_comparison = "-against-" in file.stem
    return Report(
        file=file.with_suffix(".html").name,
        scenario=str(data["scenario"]),
        verdict=str(data["verdict"]),
        tone=str(data["tone"]),
        runs=_ids(runs)
        + (f" against {_ids(base) if base else 'a baseline'}" if is_comparison else ""),
        run_ids=tuple(runs) if not is_comparison else (),
        is_comparison=is_comparison,
    )


def _are_ids(found: object) -> bool:
    return isinstance(found, list) and bool(found) and all(type(it) is int for it in found)


def _ids(run_ids: Sequence[int]) -> str:
    first, last = run_ids[0], run_ids[-1]
    return f"run {first}" if first == last else f"runs {first}-{last}"

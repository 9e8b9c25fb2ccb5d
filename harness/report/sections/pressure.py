"""How close the providers were to their limits."""

from __future__ import annotations

from harness.report.blocks import Column, DataTable, Drawing, Section
from harness.report.contents import Contents
from harness.report.figures.pressure import draw_pressure
from harness.store import series
from harness.units import render

BINS = 60
"""A row of the table each, and some eight pixels of the figure."""

_COLUMNS = (
    Column("from", "from_s"),
    Column("until", "until_s"),
    Column("requests", "attempts"),
    Column("429", "rate_limited"),
    Column("failed", "failed"),
    Column("tokens read", "input_tokens"),
    Column("written", "output_tokens"),
    Column("waiting, mean", "waiting"),
    Column("in service, mean", "in_service"),
)


def section(contents: Contents) -> Section | None:
    """The course of the run that is shown."""
    side, run = contents.side, contents.shown
    rows = series.pressure(side.store, run["run_id"], BINS)
    if not rows:
        return None
    refused = sum(row["rate_limited"] for row in rows)
    requests = sum(row["attempts"] for row in rows)
    peak = max(rows, key=lambda row: (row["waiting"] + row["in_service"], -row["from_s"]))
    finding = (
        f"{refused:,} of {requests:,} requests were refused with a 429; at most "
        f"{peak['waiting'] + peak['in_service']:.1f} were there at once, {render('at_s', peak['from_s'])} after the beginning."
    )
    return Section(
        key="pressure",
        title="Pressure on the providers",
        lead=_which(contents),
        blocks=[
            Drawing(
                key="pressure",
                title="Requests over time",
                alt=finding,
                reading="How to read this: above, how many requests were there at once; below, how many came a minute, what became of "
                "them, and the tokens if they came near their limit.",
                figure=draw_pressure(rows, series.bounds(side.store, [run["run_id"]], "limits")),
                table=DataTable(
                    caption="Requests over time",
                    columns=_COLUMNS,
                    rows=[tuple(row[column.name] for column in _COLUMNS) for row in rows],
                ),
            )
        ],
    )


def _which(contents: Contents) -> str:
    if len(contents.side.runs) == 1:
        return ""
    run = contents.shown
    return f"Run {run['run_id']} (seed {run['seed']}), whose tasks were the slowest of all runs."

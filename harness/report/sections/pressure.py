"""Section: how close the providers were to their limits."""

from __future__ import annotations

from harness.metrics.buckets import BUCKETS, BucketLevel
from harness.metrics.refusals import limit_told
from harness.report.blocks import Column, DataTable, Drawing, Section
from harness.report.contents import Contents
from harness.report.figures.pressure import buckets_of, draw_pressure
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
        f"{refused:,} of {requests:,} requests were refused with a 429{_by_limit(contents)}; at most "
        f"{peak['waiting'] + peak['in_service']:.1f} were there at once, {render('at_s', peak['from_s'])} after the beginning."
    )
    limits = series.bounds(side.store, [run["run_id"]], "limits")
    buckets = buckets_of(side.store, run["run_id"], rows, limits)
    return Section(
        key="pressure",
        title="Pressure on the providers",
        lead=_which(contents),
        blocks=[
            Drawing(
                key="pressure",
                title="Requests over time",
                alt=finding,
                reading="How to read this: above, how many requests were there at once; then, how many came a minute and what became of "
                "them; below, what a model's rate limit left: it fills up again all the time, and at nothing it refuses.",
                figure=draw_pressure(rows, limits, buckets),
                table=DataTable(
                    caption="Requests over time",
                    columns=(*_COLUMNS, *(Column(_named(it), "tokens") for it in buckets)),
                    rows=[
                        (
                            *(row[column.name] for column in _COLUMNS),
                            *(it.least[number] for it in buckets),
                        )
                        for number, row in enumerate(rows)
                    ],
                ),
            )
        ],
    )


def _by_limit(contents: Contents) -> str:
    """Which limits refused them, in parentheses; empty where none is known."""
    rows = series.refusals(contents.side.store, contents.shown["run_id"])
    told = [f"{row['attempts']:,} by {limit_told(row['limit'])}" for row in rows]
    return f" ({', '.join(told)})" if told else ""


def _which(contents: Contents) -> str:
    if len(contents.side.runs) == 1:
        return ""
    run = contents.shown
    return f"Run {run['run_id']} (seed {run['seed']}), whose tasks were the slowest of all runs."


def _named(bucket: BucketLevel) -> str:
    return f"{bucket.model}: {BUCKETS[bucket.limit]} left, least"

"""Section: the critical path."""

from __future__ import annotations

from collections.abc import Mapping

from harness.report.blocks import Column, DataTable, Drawing, Section, Value
from harness.report.contents import Contents, PathShare
from harness.report.figures.path import draw_path, share_text
from harness.report.palette import WORDS
from harness.units import render


def section(contents: Contents) -> Section | None:
    """The parts of a task's latency, by what they are and whose; with those of the base if it is there."""
    path_s = contents.side.path_s
    if not path_s:
        return None
    base_s = contents.base.path_s if contents.base is not None else None
    whole_s = sum(path_s.values())
    first, first_s = max(path_s.items(), key=lambda item: (item[1], item[0]))
    finding = (
        f"Of {render('latency_s', whole_s)} that a task takes on average, {first_s / whole_s:.0%} is "
        f"{share_text(first)} ({WORDS[first[0]]})."
    )
    return Section(
        key="why",
        title="Where the time goes",
        lead=finding + _sampled(contents),
        blocks=[
            Drawing(
                key="critical-path",
                title="The critical path of a task, by agent and kind of time",
                alt=finding,
                reading="How to read this: the bars add up to the mean latency; what is not on them could be slower at no cost.",
                figure=draw_path(path_s, base_s),
                table=_table(path_s, base_s, whole_s),
            )
        ],
    )


def _sampled(contents: Contents) -> str:
    every = contents.side.every
    return (
        ""
        if every == 1
        else f" Looked at: every {every:,}th task, {len(contents.side.paths):,} in all."
    )


def _table(
    path_s: Mapping[PathShare, float], base_s: Mapping[PathShare, float] | None, whole_s: float
) -> DataTable:
    keys = sorted({*path_s, *(base_s or {})}, key=lambda key: (-path_s.get(key, 0.0), key))
    columns = [
        Column("agent"), Column("time"), Column("model or tool"), Column("for a task", "latency_s"), Column("share", "path_share"),
    ]  # fmt: skip
    if base_s is not None:
        columns += [Column("base", "latency_s"), Column("change", "latency_s")]
    rows: list[tuple[Value, ...]] = []
    for key in keys:
        kind, agent, name = key
        row: tuple[Value, ...] = (
            agent or "-", WORDS[kind], name or "-", path_s.get(key, 0.0), path_s.get(key, 0.0) / whole_s,
        )  # fmt: skip
        if base_s is not None:
            row += (base_s.get(key, 0.0), path_s.get(key, 0.0) - base_s.get(key, 0.0))
        rows.append(row)
    return DataTable(
        caption="The critical path of a task, mean over the tasks",
        columns=tuple(columns),
        rows=rows,
    )

"""The command `sweep`. Its code is imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from harness.cli.options import (
    COUNT_MAX,
    PATH,
    format_option,
    runs_option,
    seed_option,
    set_option,
    store_option,
)


@click.command()
@click.argument("file", type=PATH)
@click.option(
    "--grid",
    multiple=True,
    metavar="KEY=VALUES",
    help="A key and its values: a,b,c or 0.1..2.0:8 or 1..64:7:log; all combinations are simulated.",
)
@click.option(
    "--zip",
    "zipped",
    multiple=True,
    metavar="KEY=VALUES",
    help="Keys whose values change together.",
)
@click.option(
    "--sample", metavar="METHOD:N", help="Draw points from the ranges: latin:20 or random:20."
)
@click.option(
    "--find",
    type=(click.Choice(["max", "min"]), str),
    metavar="max|min KEY",
    help="Find the largest or smallest value at which the conditions of --while hold.",
)
@click.option(
    "--while",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="A condition such as 'latency_s_p95<30'; may be repeated.",
)
@click.option(
    "--between",
    metavar="LOW..HIGH",
    help="Where --find looks; from the file's own value otherwise.",
)
@click.option(
    "--precision",
    type=click.FloatRange(min=1e-6, max=1),
    show_default="0.02",
    help="Share of the value to which --find narrows it down.",
)
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME", help="A metric to show; may be repeated."
)
@click.option(
    "--pass-k",
    type=click.IntRange(min=1, max=100),
    help="Tell how often 1 to K runs of a task all succeed.",
)
@set_option
@runs_option
@seed_option
@click.option(
    "--max-runs",
    type=click.IntRange(min=1, max=COUNT_MAX),
    help="Runs that --find and --while may make in all.",
)
@click.option(
    "--max-cpu",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="CPU that they may take, of all workers.",
)
@click.option(
    "--engine",
    default="processes",
    show_default=True,
    help="processes, dask, dask://HOST:PORT, or module:function.",
)
@click.option("--jobs", type=click.IntRange(min=1, max=COUNT_MAX), help="How many runs at once.")
@click.option(
    "--shards",
    type=PATH,
    metavar="FOLDER",
    help="Where workers leave their runs, for the store to import.",
)
@click.option("--status", is_flag=True, help="Say what is done, and run nothing.")
@click.option(
    "-o",
    "--output",
    "folder",
    type=PATH,
    show_default="reports",
    help="The folder for the page.",
)
@store_option
@format_option
def sweep(
    file: Path,
    grid: tuple[str, ...],
    zipped: tuple[str, ...],
    sample: str | None,
    find: tuple[Literal["max", "min"], str] | None,
    conditions: tuple[str, ...],
    between: str | None,
    precision: float | None,
    metrics: tuple[str, ...],
    pass_k: int | None,
    overrides: tuple[str, ...],
    runs: int | None,
    seed: int | None,
    max_runs: int | None,
    max_cpu: float | None,
    engine: str,
    jobs: int | None,
    shards: Path | None,
    status: bool,  # noqa: FBT001 - click passes options by name
    folder: Path | None,
    store: Path,
    output: str,
) -> int:
    """Simulate a scenario at many points of its settings, and say what they show.

    What the store holds already is not run again, so that the same command goes on after an interruption. All points have
    the same seeds. Exits with 1 if nothing worked, a run could not be made, or --find found no value.
    """
    from harness.cli.sweep import sweep_file
    from harness.cli.sweep_asked import Asked
    from harness.sweep.budget import Budget

    asked = Asked(
        file=file,
        grid=grid,
        zipped=zipped,
        sample=sample,
        find=find,
        conditions=conditions,
        between=between,
        precision=precision,
        metrics=metrics,
        pass_k=pass_k,
        overrides=overrides,
        folder=folder,
        runs=runs,
        seed=seed,
        budget=Budget(runs=max_runs, cpu_s=max_cpu),
    )
    return sweep_file(
        asked,
        engine=engine,
        jobs=jobs,
        shards=shards,
        only_status=status,
        store=store,
        output=output,
    )

"""The commands `audit`, `report`, `whatif`, `trace`, `export` and `import`. Their code is imported when they are called."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from harness.cli.options import (
    COUNT_MAX,
    PATH,
    format_option,
    limit_option,
    runs_option,
    seed_option,
    set_option,
    store_option,
)


@click.command()
@click.argument("file", type=PATH)
@click.option(
    "--faster",
    multiple=True,
    metavar="AGENT=PERCENT",
    help="Such as reviewer=20%: its attempts take 0.8 times as long to serve; may be repeated.",
)
@click.option(
    "--slower",
    multiple=True,
    metavar="AGENT=PERCENT",
    help="Such as reviewer=20%: they take 1.2 times as long; may be repeated.",
)
@set_option
@runs_option
@seed_option
@format_option
def whatif(
    file: Path,
    faster: tuple[str, ...],
    slower: tuple[str, ...],
    overrides: tuple[str, ...],
    runs: int | None,
    seed: int | None,
    output: str,
) -> int:
    """Simulate FILE again with one agent faster, and tell what that gains in latency and cost.

    --set changes the scenario of both sides.

    20 % faster means that its attempts take 0.8 times as long to serve; tools, limits and waits stay as they are. Both
    sides meet the same seeds, 8 unless --runs says otherwise. Without --faster and --slower every agent in turn is made
    20 % faster, and the table begins with the one that gains most.
    """
    from harness.cli.whatif import print_what_if

    return print_what_if(
        file,
        faster=faster,
        slower=slower,
        overrides=overrides,
        runs=runs,
        seed=seed,
        output=output,
    )


@click.command()
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@click.option(
    "--base",
    metavar="BASE",
    help="Compare with a run (12), runs (1-8), a store (old.duckdb), its runs (old.duckdb:1-8), or a baseline file.",
)
@limit_option
@click.option(
    "-o",
    "--output",
    "target",
    type=PATH,
    default="reports",
    show_default=True,
    help="The folder to write to.",
)
@click.option(
    "--task",
    type=click.IntRange(min=1, max=COUNT_MAX),
    help="A short page of this task alone: its timeline, its messages, and what was said.",
)
@store_option
def report(
    runs: tuple[str, ...],
    base: str | None,
    limits: tuple[str, ...],
    target: Path,
    task: int | None,
    store: Path,
) -> int:
    """Draw stored runs: a page, a picture for each figure, and the numbers, beside an index of all reports.

    RUN is a run, such as 12, or several, such as 1-8,11; without any, what was simulated last. The page is one file that
    needs no network, and the same runs give the same bytes.
    """
    from harness.cli.report import report_runs, report_task

    if task is not None:
        return report_task(runs, task, base=base, target=target, store=store)
    return report_runs(runs, base=base, limits=limits, target=target, store=store)


@click.command()
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(["chrome", "otlp", "openinference"]),
    help="For Perfetto (the default), for OpenTelemetry (the default of --endpoint), or for Phoenix.",
)
@click.option(
    "-o", "--output", "target", type=PATH, help="The file to write; - is standard output."
)
@click.option("--endpoint", metavar="URL", help="Send it to this collector instead.")
@click.option("--task", type=click.IntRange(min=1, max=COUNT_MAX), help="Only this task.")
@store_option
def trace(
    runs: tuple[str, ...],
    form: str | None,
    target: Path | None,
    endpoint: str | None,
    task: int | None,
    store: Path,
) -> int:
    """Write stored runs as a trace that other tools show: the last run, or those named, such as 12 or 1-8,11.

    Goes to a file such as run-12.trace.json, or to standard output with `-o -`. Headers for a
    collector come from OTEL_EXPORTER_OTLP_HEADERS. Exits with 1 if the collector rejects spans.
    """
    from harness.cli.trace import trace_runs

    return trace_runs(runs, form=form, target=target, endpoint=endpoint, task=task, store=store)


@click.command("export")
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(["parquet", "csv", "arrow"]),
    default="parquet",
    show_default=True,
    help="Of the files; arrow needs the extra `arrow`.",
)
@click.option(
    "-o",
    "--output",
    "folder",
    type=PATH,
    default="harness-export",
    show_default=True,
    help="The folder to write; it must not be there, or be empty.",
)
@store_option
def export(
    runs: tuple[str, ...], form: Literal["parquet", "csv", "arrow"], folder: Path, store: Path
) -> int:
    """Write stored runs into a folder of files, to be taken to another store with `harness import`.

    Each RUN is a run (12) or several (1-8,11); without any, all runs of the store are written. The same runs always give
    the same bytes.
    """
    from harness.cli.exchange import export_stored

    return export_stored(runs, format_name=form, folder=folder, store=store)


@click.command("import")
@click.argument("folders", metavar="FOLDER...", type=PATH, nargs=-1, required=True)
@store_option
def import_(folders: tuple[Path, ...], store: Path) -> int:
    """Take the runs of folders that `harness export` has written into a store: all of them, or none.

    They get new ids, which go on from the last of the store, and keep everything else.
    """
    from harness.cli.exchange import import_folders

    return import_folders(folders, store=store)


@click.command()
@click.argument(
    "run_id", metavar="[RUN]", type=click.IntRange(min=1, max=COUNT_MAX), required=False
)
@store_option
@click.option("--task", type=click.IntRange(min=1, max=COUNT_MAX), help="Only this task.")
@format_option
def audit(run_id: int | None, store: Path, task: int | None, output: str) -> int:
    """Show who decided what from which input: calls, tools, and what policies did. The last run if none is named.

    With --format json it prints one decision a line. In SQL it is the view `audit` of the store.
    """
    from harness.cli.audit import show_audit

    return show_audit(store, run_id, task=task, output=output)

"""The commands that compare: `gate`, `baseline`, `compare`, `bakeoff`, `history`. Their code is imported when they are called."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from harness.cli.options import (
    COUNT_MAX,
    PATH,
    Format,
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
    "--baseline",
    type=PATH,
    help="Compare with this baseline file. Default: baselines/NAME.json, if it exists; see `harness baseline`.",
)
@click.option("--base", metavar="REF", help="Compare with the same files of this commit.")
@set_option
@limit_option
@runs_option
@seed_option
@click.option(
    "--format",
    "output",
    type=click.Choice(["table", "json", "markdown", "junit", "github"]),
    default="table",
    show_default=True,
)
@click.option(
    "--no-baseline",
    type=click.Choice(["pass", "fail"]),
    default="pass",
    show_default=True,
    help="Result if there is no baseline yet.",
)
def gate(
    file: Path,
    baseline: Path | None,
    base: str | None,
    overrides: tuple[str, ...],
    limits: tuple[str, ...],
    runs: int | None,
    seed: int | None,
    output: Format,
    no_baseline: Literal["pass", "fail"],
) -> int:
    """Compare a scenario, and the program it runs, with how it was before.

    Both sides meet the same seeds, so that a change of one percent is seen and chance raises no alarm. Exits with 1 if a
    metric became worse than allowed or a budget fails, with 3 if nothing could be compared, with 4 if it is undecided.

    --set changes the candidate alone: it tells whether such a change would pass.
    """
    from harness.cli.gate import gate_file

    return gate_file(
        file,
        baseline=baseline,
        base=base,
        overrides=overrides,
        limits=limits,
        runs=runs,
        seed=seed,
        output=output,
        no_baseline=no_baseline,
    )


@click.command()
@click.argument("base", metavar="BASE")
@click.argument("candidate", metavar="CAND")
@set_option
@limit_option
@click.option("--scenario", help="Scenario to compare, if a side has several.")
@click.option(
    "--engine",
    type=click.Choice(["simulated", "live", "replayed", "wall-clock"]),
    help="Engine of stored runs, if not what the store says. Live runs do not depend on their seed, so they are not paired.",
)
@store_option
@click.option(
    "--format",
    "output",
    type=click.Choice(["table", "json", "markdown", "junit", "github"]),
    default="table",
    show_default=True,
)
def compare(
    base: str,
    candidate: str,
    overrides: tuple[str, ...],
    limits: tuple[str, ...],
    scenario: str | None,
    engine: str | None,
    store: Path,
    output: Format,
) -> int:
    """Compare the candidate's runs with the base's, seed by seed.

    Each side is a run (12), several runs (1-8,11), a store (old.duckdb), runs of a store (old.duckdb:1-8), a baseline
    file (baselines/x.json), or a scenario (x.yaml), which is simulated with the seeds of the other side. --set changes the
    scenario of the candidate: `harness compare x.yaml x.yaml --set agents.lead.model=fast`. Exit codes are those of
    `harness gate`.
    """
    from harness.cli.compare import compare_sides

    return compare_sides(
        base,
        candidate,
        overrides=overrides,
        limits=limits,
        scenario=scenario,
        engine=(engine or "").replace("-", " "),
        store=store,
        output=output,
    )


@click.command()
@click.argument("file", type=PATH)
@click.option(
    "--patterns",
    metavar="NAME,NAME",
    help="Which entries under `bakeoff`, the first to compare with; all otherwise.",
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="MODULE:FUNCTION",
    help="A program of your own beside them; may be repeated.",
)
@set_option
@runs_option
@seed_option
@click.option(
    "-o",
    "--output",
    "folder",
    type=PATH,
    default="reports",
    show_default=True,
    help="The folder for the page.",
)
@store_option
@format_option
def bakeoff(
    file: Path,
    patterns: str | None,
    targets: tuple[str, ...],
    overrides: tuple[str, ...],
    runs: int | None,
    seed: int | None,
    folder: Path,
    store: Path,
    output: str,
) -> int:
    """Simulate the tasks of FILE with several patterns, and compare latency, cost, success and traffic.

    FILE names the patterns in its section `bakeoff`. All meet the same tasks, agents, providers and faults, with the same
    seeds; those than which no other is better in everything are marked. Also writes a page. --set changes the scenario of
    all of them.
    """
    from harness.cli.bakeoff import bake_off_file

    return bake_off_file(
        file,
        patterns=patterns,
        targets=targets,
        overrides=overrides,
        runs=runs,
        seed=seed,
        target_folder=folder,
        store=store,
        output=output,
    )


@click.group()
def baseline() -> None:
    """Save and show the numbers that `harness gate` compares with."""


@baseline.command("save")
@click.argument("file", type=PATH, required=False)
@click.option(
    "-o",
    "--output",
    "target",
    type=PATH,
    help="The file to write; baselines/NAME.json otherwise.",
)
@click.option(
    "--reason", default="", help="Reason for this baseline. Required if it replaces another."
)
@set_option
@limit_option
@runs_option
@seed_option
@store_option
def baseline_save(
    file: Path | None,
    target: Path | None,
    reason: str,
    overrides: tuple[str, ...],
    limits: tuple[str, ...],
    runs: int | None,
    seed: int | None,
    store: Path,
) -> int:
    """Simulate FILE, and make its numbers the baseline; commit the file that is written.

    Without FILE it is the scenario of the newest run in the store, or else the only one in `scenarios`.
    """
    from harness.cli.default_scenario import default_scenario
    from harness.cli.gate import save_file

    return save_file(
        default_scenario(store) if file is None else file,
        runs=runs,
        seed=seed,
        target=target,
        reason=reason,
        overrides=overrides,
        limits=limits,
    )


@baseline.command("show")
@click.argument("file", type=PATH)
def baseline_show(file: Path) -> int:
    """Print the content of a baseline."""
    from harness.cli.gate import show_file

    return show_file(file)


@click.command()
@click.option(
    "--metric", default="latency_s_p95", show_default=True, metavar="NAME", help="Which metric."
)
@click.option("--scenario", help="Only runs of this scenario.")
@store_option
@click.option(
    "--last",
    type=click.IntRange(min=1, max=COUNT_MAX),
    help="Number of latest versions of each scenario to show.",
)
@format_option
def history(metric: str, scenario: str | None, store: Path, last: int | None, output: str) -> int:
    """Show a metric over the stored runs and versions, and the first commit at which it changed.

    Runs of the same scenario, harness and commit are one line. Values are compared seed for seed with those before.
    """
    from harness.cli.history import print_history

    return print_history(store, metric=metric, scenario=scenario, last=last, output=output)

"""The command `explore`. Its code is imported when it is called."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import COUNT_MAX, PATH, format_option, seed_option, set_option


@click.command()
@click.argument("file", type=PATH)
@click.option(
    "--runs",
    type=click.IntRange(min=1, max=COUNT_MAX),
    default=300,
    show_default=True,
    help="Runs of the search; those for shrinking are not counted.",
)
@click.option(
    "--wall-s",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Real time of the search [s].",
)
@click.option(
    "--tasks",
    type=click.IntRange(min=1, max=COUNT_MAX),
    default=2,
    show_default=True,
    help="Only so many tasks of the workload.",
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=VALUE",
    help="What every task must keep, whatever fails: calls, tokens, cost_usd, latency_s, recovery_s (after the last fault). Repeatable.",
)
@set_option
@seed_option
@click.option(
    "--jobs",
    type=click.IntRange(min=1, max=COUNT_MAX),
    default=1,
    show_default=True,
    help="Processes; what is found does not depend on it.",
)
@click.option("--replay", metavar="TOKEN", help="Run a finding again instead of searching.")
@click.option(
    "--cases", type=PATH, metavar="DIR", help="Keep findings here, and run those of FILE first."
)
@click.option(
    "--pytest", "as_test", is_flag=True, help="FILE is a kept finding: print it as a test."
)
@format_option
def explore(
    file: Path,
    runs: int,
    wall_s: float,
    tasks: int,
    limits: tuple[str, ...],
    overrides: tuple[str, ...],
    seed: int | None,
    jobs: int,
    replay: str | None,
    cases: Path | None,
    as_test: bool,  # noqa: FBT001 - click passes options by name
    output: str,
) -> int:
    """Search for the least bad luck that breaks FILE: faults, latencies, order, cancellations.

    Starts from the passing run of one seed, and tells of each class of failure once, shrunk to the least. Exits with 1 if
    anything was found.
    """
    from harness.cli.explore import Wanted, explore_file, print_as_pytest

    if as_test:
        return print_as_pytest(file)
    return explore_file(
        Wanted(
            file=file,
            runs=runs,
            wall_s=wall_s,
            tasks=tasks,
            seed=seed,
            overrides=(*overrides, *(f"explore.limits.{limit}" for limit in limits)),
            jobs=jobs,
            replay=replay,
            cases=cases,
            output=output,
        )
    )

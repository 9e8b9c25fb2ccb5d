"""What can be typed about measured calls: `harness calibrate`."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import PATH


@click.command()
@click.argument("files", type=PATH, nargs=-1)
@click.option("--store", type=PATH, help="Fit the attempts in the runs of this store as well.")
@click.option(
    "-o",
    "--output",
    type=PATH,
    default="profile.yaml",
    show_default=True,
    help="The profile that is written.",
)
@click.option("--plot", type=PATH, help="Draw measured and fitted durations into this PNG file.")
def calibrate(files: tuple[Path, ...], store: Path | None, output: Path, plot: Path | None) -> int:
    """Fit latency, sizes of replies and error rates to measured calls, by model and agent.

    FILES are cassettes, or tables of calls whose names end in .csv, .json or .jsonl, with the columns model, agent,
    output_tokens, first_s, total_s and error. A scenario takes the profile as `latency: {profile: FILE}`.
    """
    from harness.cli.calibrate import calibrate_files

    return calibrate_files(files, store=store, output=output, plot=plot)

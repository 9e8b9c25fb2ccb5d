"""What can be typed about cassettes: `harness record` and `harness cassette check`."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import COUNT_MAX, PATH


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option(
    "-o",
    "--output",
    type=PATH,
    default="cassette.yaml",
    show_default=True,
    help="The cassette that is written.",
)
@click.option(
    "--mode",
    type=click.Choice(["all", "new", "once"]),
    default="all",
    show_default=True,
    help="Write the cassette anew, add to it, or refuse if there is one.",
)
@click.option(
    "--host", "hosts", multiple=True, help="Record only this host; a glob; may be repeated."
)
@click.option(
    "--keep-header",
    "keep_headers",
    multiple=True,
    help="Keep this header, besides those that are known to be harmless; may be repeated.",
)
@click.option(
    "--scrub",
    "scrubbers",
    multiple=True,
    metavar="MODULE:FUNCTION",
    help="Give every text to this function before it is written; may be repeated.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def record(
    output: Path,
    mode: str,
    hosts: tuple[str, ...],
    keep_headers: tuple[str, ...],
    scrubbers: tuple[str, ...],
    command: tuple[str, ...],
) -> int:
    """Run a program against real APIs, and write what they answer, and when, into a cassette.

    \b
    harness record -o stubs/critic.yaml -- python main.py
    """  # noqa: D301 - click means the very character by it
    from harness.cli.record import record_command

    return record_command(
        command,
        output=output,
        mode=mode,
        hosts=hosts,
        keep_headers=keep_headers,
        scrubbers=scrubbers,
    )


@click.group()
def cassette() -> None:
    """Look after recordings."""


@cassette.command()
@click.argument("files", type=PATH, nargs=-1, required=True)
@click.option(
    "--max-age-days",
    type=click.IntRange(min=0, max=COUNT_MAX),
    help="Fail if a recording is older.",
)
def check(files: tuple[Path, ...], max_age_days: int | None) -> int:
    """Refuse cassettes that hold a secret; tell their age, their models, and what tests do not use."""
    from harness.cli.cassette import check_cassettes

    return check_cassettes(files, max_age_days=max_age_days)

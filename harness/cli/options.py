"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from harness.units import SEED_MAX

DEFAULT_STORE = "harness.duckdb"

COUNT_MAX = 10**9
"""The largest number of anything that can be asked for; more would not fit where it is counted."""

Format = Literal["table", "json", "markdown", "junit", "github"]

PATH = click.Path(path_type=Path)

store_option = click.option(
    "--store",
    type=PATH,
    default=DEFAULT_STORE,
    envvar="HARNESS_STORE",
    show_default=True,
    help="The DuckDB file that keeps the runs; also from HARNESS_STORE.",
)
format_option = click.option(
    "--format",
    "output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="A table for people, or JSON for programs.",
)

runs_option = click.option(
    "--runs", type=click.IntRange(min=1, max=COUNT_MAX), help="Maximum number of seeds."
)
seed_option = click.option(
    "--seed", type=click.IntRange(min=0, max=SEED_MAX), help="The first seed."
)
set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change the scenario that is simulated; may be repeated.",
)
limit_option = click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=CHANGE",
    help="Largest change for the worse of a metric, such as cost_usd_mean=1%; may be repeated.",
)

"""What can be typed about live runs: the options of `harness simulate --live`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.cli.options import COUNT_MAX, PATH

if TYPE_CHECKING:
    from harness.cli.live import LiveOptions

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--live", is_flag=True, help="On the real clock, against the real APIs; costs money."
    ),
    click.option(
        "--max-usd",
        type=click.FloatRange(min=0, min_open=True),
        help="With --live: the most that is spent [USD].",
    ),
    click.option(
        "--base-url",
        "base_urls",
        multiple=True,
        metavar="PROVIDER=URL",
        help="With --live: where a provider is; may be repeated.",
    ),
    click.option(
        "--max-tokens",
        type=click.IntRange(min=1, max=COUNT_MAX),
        help="With --live: the most that a reply may have [tokens]; 1024 otherwise.",
    ),
    click.option("--cassette", type=PATH, help="With --live: record the calls into this cassette."),
)


def live_options(command: F) -> F:
    """Give a command the options of live runs."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def live_options_of(said: dict[str, Any]) -> LiveOptions | None:
    """What was said of a live run; None if it is simulated.

    Raises:
        click.UsageError: An option of live runs stands without --live.
    """
    if not said["live"]:
        names = {"max_usd": "--max-usd", "base_urls": "--base-url", "max_tokens": "--max-tokens", "cassette": "--cassette"}  # fmt: skip
        stray = [option for name, option in names.items() if said[name]]
        if stray:
            raise click.UsageError(f"{stray[0]} goes with --live.")
        return None
    from harness.cli.live import LiveOptions
    from harness.run.live import MAX_TOKENS

    cassette: Path | None = said["cassette"]
    return LiveOptions(
        max_usd=said["max_usd"],
        base_urls=said["base_urls"],
        max_tokens=said["max_tokens"] or MAX_TOKENS,
        cassette=cassette,
    )

"""How long the work of a command takes, told before most of it is done."""

from __future__ import annotations

import click

from harness.run import RunResult
from harness.units import render

_LONG_WALL_S = 10.0
"""Who waits no longer need not be told [real s]."""


class Announcement:
    """Tells how long all runs take, from how long the first one took; nothing if that is not long.

    Args:
        runs: How many runs there are, at most.
        jobs: How many processes work on them.
    """

    def __init__(self, runs: int, jobs: int = 1) -> None:
        self._runs = runs
        self._jobs = min(runs, jobs)
        self._is_told = False

    def __call__(self, run: RunResult) -> None:
        """Be told of a run that is done."""
        if self._is_told:
            return
        self._is_told = True
        wall_s = run.wall_s * self._runs / self._jobs
        if self._runs > 1 and wall_s >= _LONG_WALL_S:
            click.echo(
                f"{self._runs} runs take about {render('wall_s', float(f'{wall_s:.2g}'))}", err=True
            )

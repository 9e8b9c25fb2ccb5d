"""Estimated duration of a command, printed early in its work."""

from __future__ import annotations

import click

from harness import wall
from harness.run import RunResult
from harness.units import render

_LONG_WALL_S = 10.0
"""Who waits no longer need not be told [real s]."""

_LOOK_WALL_S = 2.0
"""So long tasks are watched before anything is said of the rest; earlier an estimate is worth nothing [real s]."""


class Announcement:
    """Prints an estimate of the total duration once, if it is long.

    One run tells it of many. A single long run, or the first of several in this process, is judged by its first tasks.

    Args:
        runs: How many runs there are, at most.
        jobs: How many processes work on them.
        tasks: How many tasks each has; None if that is not known.
    """

    def __init__(self, runs: int, jobs: int = 1, tasks: int | None = None) -> None:
        self._runs = runs
        self._jobs = min(runs, jobs)
        self._tasks = tasks
        self._is_told = False
        self._ended = 0
        self._first_ended_s = 0.0
        self._look_s = 0.0

    def __call__(self, run: RunResult) -> None:
        """Be told of a run that is done."""
        if self._is_told:
            return
        self._is_told = True
        wall_s = run.wall_s * self._runs / self._jobs
        if self._runs > 1 and wall_s >= _LONG_WALL_S:
            self._tell(f"{self._runs} runs take", wall_s, "")

    def task_ended(self) -> None:
        """Record the end of a task of a run in this process."""
        if self._is_told or self._tasks is None:
            return
        self._ended += 1
        now_s = wall.elapsed_s()
        if self._ended == 1:
            self._first_ended_s, self._look_s = now_s, now_s + _LOOK_WALL_S
        elif now_s >= self._look_s:
            seen_s = now_s - self._first_ended_s
            self._look_s = (
                now_s + seen_s
            )  # tasks may become slower: look again after twice the time
            in_all = self._tasks * self._runs
            wall_s = seen_s * in_all / (self._ended - 1)
            if wall_s >= _LONG_WALL_S:
                self._is_told = True
                what = "this run takes" if self._runs == 1 else f"{self._runs} runs take"
                self._tell(what, wall_s, f", by the first {self._ended:,} of {in_all:,} tasks")

    def _tell(self, what: str, wall_s: float, by: str) -> None:
        about = render("wall_s", float(f"{wall_s:.2g}"))
        click.echo(f"{what} about {about}{by}", err=True)

"""Progress of a sweep: its size before it starts, its time after the first runs, and a line on a terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import click

from harness import wall
from harness.sweep.work import Made
from harness.units import render

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_LOOK_WALL_S: Final = 1.0
"""After so long the rest can be estimated [real s]."""

_WORTH_TELLING_WALL_S: Final = 5.0
"""Who waits no longer need not be told [real s]."""


class SweepProgress:
    """Told of all runs that are done; writes to standard error alone."""

    def __init__(self) -> None:
        self.done = self.failed = 0
        self._missing = 0
        self._began_s = self._first_s = wall.elapsed_s()
        self._is_told = False
        self._line: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Begin."""
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
            )

            self._line = Progress(
                BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
                TextColumn("{task.fields[failed]}"), console=Console(stderr=True), transient=True,
            )  # fmt: skip
            self._line.start()
            self._task = self._line.add_task("", total=None, rate="", failed="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the line."""
        if self._line is not None:
            self._line.stop()

    def begin(
        self, points: int, seeds: int, there: int, jobs: int, run_wall_s: float | None
    ) -> None:
        """Say how large the sweep is, and how long it will take.

        Args:
            points: How many.
            seeds: How many each has.
            there: How many runs are stored.
            jobs: How many workers.
            run_wall_s: What a run takes [real s]; None if that is not known.
        """
        runs = points * seeds
        self._missing = runs - there
        self._began_s = wall.elapsed_s()
        stored = f"; {there:,} {'is' if there == 1 else 'are'} stored already" if there else ""
        workers = "one worker" if jobs == 1 else f"{jobs} workers"
        takes = ""
        if run_wall_s is not None:
            wall_s = run_wall_s * self._missing / jobs
            takes = f"; about {render('wall_s', float(f'{wall_s:.2g}'))}"
            self._is_told = wall_s < _WORTH_TELLING_WALL_S
        click.echo(
            f"{_many(points, 'point')} x {_many(seeds, 'seed')} = {_many(runs, 'run')}{stored}; {workers}{takes}",
            err=True,
        )

    def __call__(self, made: Made) -> None:
        """Be told of runs that are done.

        Workers send back many runs at once. So what is left is told from the time between the first job and a later
        one: what came between was made in that time.
        """
        now_s = wall.elapsed_s()
        if self.done == 0:
            self._first_s = now_s
        before, since_s = self.done, now_s - self._first_s
        self.done += made.runs
        self.failed += made.failed
        took_s = now_s - self._began_s
        if self._line is not None and self._task is not None:
            self._line.update(
                self._task, completed=self.done, total=max(self._missing, self.done) or None,
                rate=f"{self.done / max(took_s, 1e-9):.0f} runs/s", failed=f"{self.failed:,} without success" if self.failed else "",
            )  # fmt: skip
        elif not self._is_told and since_s >= _LOOK_WALL_S:
            self._is_told = True
            left_s = since_s / before * (self._missing - before)
            if left_s >= _WORTH_TELLING_WALL_S:
                click.echo(f"about {render('wall_s', float(f'{left_s:.2g}'))} are left", err=True)


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"

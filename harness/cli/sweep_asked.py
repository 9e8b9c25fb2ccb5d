"""What a `harness sweep` asks: its options, or the section `sweep` of the file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.errors import HarnessError
from harness.metrics import METRICS
from harness.metrics.summary import no_such_metric
from harness.scenario.sweep import SweepSpec, Values, as_text
from harness.sweep.axes import Axis, axis_of, listed
from harness.sweep.budget import NO_BOUND, Budget
from harness.sweep.points import Method, Point, points_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a command asks."""

    file: Path
    grid: tuple[str, ...]
    zipped: tuple[str, ...]
    sample: str | None
    find: tuple[Literal["max", "min"], str] | None
    conditions: tuple[str, ...]
    between: str | None
    precision: float | None
    metrics: tuple[str, ...]
    pass_k: int | None
    folder: Path | None
    overrides: tuple[str, ...]
    runs: int | None
    seed: int | None
    budget: Budget


def with_section(asked: Asked, section: SweepSpec | None) -> Asked:
    """What the file's section `sweep` says, where the command says nothing."""
    if section is None or asked.grid or asked.zipped or asked.find is not None:
        return asked
    return dataclasses.replace(
        asked,
        sample=asked.sample or section.sample,
        runs=asked.runs if asked.runs is not None else section.runs,
        conditions=asked.conditions or section.conditions,
        metrics=asked.metrics or section.metrics,
        pass_k=asked.pass_k or section.pass_k,
        grid=_as_options(section.grid),
        zipped=_as_options(section.zip),
    )


def _as_options(axes: Mapping[str, Values]) -> tuple[str, ...]:
    return tuple(
        f"{key}={values if isinstance(values, str) else json.dumps(list(map(as_text, values)))}"
        for key, values in axes.items()
    )


def points(asked: Asked) -> tuple[Point, ...]:
    """The points that are asked for.

    Raises:
        HarnessError: Nothing says what to change, or an axis is wrong.
    """
    if not asked.grid and not asked.zipped:
        raise HarnessError(
            f"{asked.file}: nothing says what to change\n"
            "  How to fix: name values with --grid KEY=VALUES, such as --grid workload.tasks=10,20,40, or write a section `sweep`"
        )
    grid = [_axis(text, "--grid") for text in asked.grid]
    zipped = [_axis(text, "--zip") for text in asked.zipped]
    return points_of(grid, zipped, sample=_sample(asked.sample), seed=asked.seed or 1)


def _axis(text: str, option: str) -> Axis:
    """An axis as an option or a section says it; a section's list comes as JSON."""
    key, _, values = text.partition("=")
    if values.startswith('["') and values.endswith('"]'):
        try:
            return listed(key, json.loads(values), f"sweep: {key}")
        except json.JSONDecodeError:
            pass
    return axis_of(text, option)


def _sample(text: str | None) -> tuple[Method, int] | None:
    if text is None:
        return None
    method, _, count = text.partition(":")
    if method not in ("latin", "random") or not count.isdigit() or not 0 < int(count) < 10**6:
        raise HarnessError(
            f"--sample {text!r}: this is no sample\n  How to fix: write --sample latin:20 or --sample random:20"
        )
    return ("latin" if method == "latin" else "random"), int(count)


def check_metrics(metrics: Sequence[str]) -> None:
    """Check the names that `--metric` has.

    Raises:
        HarnessError: There is no such metric.
    """
    for name in metrics:
        if name not in METRICS:
            raise HarnessError(f"--metric {name}: {no_such_metric(name)}")


def check_grid(asked: Asked) -> None:
    """Check what goes without `--find`.

    Raises:
        HarnessError: An option is only for searches, or bounds runs that are given by the points and seeds.
    """
    if asked.between is not None:
        raise HarnessError(
            "--between says where --find looks, and there is no --find\n"
            "  How to fix: write --find max KEY, or the points as --grid KEY=LOW..HIGH:8"
        )
    if asked.precision is not None:
        raise HarnessError(
            "--precision says how near --find comes, and there is no --find\n"
            "  How to fix: write --find max KEY, or leave --precision out"
        )
    if not asked.conditions and asked.budget != NO_BOUND:
        raise HarnessError(
            "--max-runs and --max-cpu bound the runs that --find and --while add, and there is neither\n"
            "  How to fix: say with --runs how many seeds each point has, or add a condition with --while"
        )


def check_find(asked: Asked, *, only_status: bool) -> None:
    """Check what goes with `--find`.

    Raises:
        HarnessError: There is no condition, or there are axes as well, or only the status is asked for, or an option is
            about a page or a table of points.
    """
    if not asked.conditions:
        raise HarnessError(
            "--find: nothing says what must hold\n  How to fix: add a condition, such as --while 'latency_s_p95<30'"
        )
    if only_status:
        raise HarnessError(
            "--status: a search has no list of runs\n"
            "  How to fix: leave --status out; what is stored already is not run again"
        )
    if asked.grid or asked.zipped or asked.sample:
        raise HarnessError(
            "--find looks at one key\n  How to fix: leave --grid, --zip and --sample out"
        )
    of_points = {
        "--metric": asked.metrics,
        "--pass-k": asked.pass_k is not None,
        "--output": asked.folder is not None,
    }
    for option, is_given in of_points.items():
        if is_given:
            raise HarnessError(
                f"{option} is about the page and the table of a grid, and --find has neither\n"
                f"  How to fix: leave {option} out; --format json tells all metrics of the values that were tried"
            )

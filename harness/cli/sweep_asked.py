"""What a `harness sweep` asks: its options, or the section `sweep` of the file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.errors import HarnessError
from harness.scenario.sweep import SweepSpec, Values, as_text
from harness.sweep.answers import Condition
from harness.sweep.answers.decide import Budget
from harness.sweep.axes import Axis, axis_of, listed
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
    precision: float
    metrics: tuple[str, ...]
    pass_k: int | None
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


def check_find(asked: Asked, conditions: tuple[Condition, ...]) -> None:
    """Check what goes with `--find`.

    Raises:
        HarnessError: There is no condition, or there are axes as well.
    """
    if not conditions:
        raise HarnessError(
            "--find: nothing says what must hold\n  How to fix: add a condition, such as --while 'latency_s_p95<30'"
        )
    if asked.grid or asked.zipped or asked.sample:
        raise HarnessError(
            "--find looks at one key\n  How to fix: leave --grid, --zip and --sample out"
        )

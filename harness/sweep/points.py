"""Points of a sweep: all combinations of axes, axes side by side, or samples of ranges."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

from harness.chance import Draws
from harness.errors import HarnessError
from harness.sweep.axes import Axis

POINTS_MAX: Final = 5_000
"""The most points of a sweep; each is a scenario that is read and checked before the first run."""

Method = Literal["random", "latin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One setting of all keys."""

    number: int
    """1 for the first."""
    values: tuple[tuple[str, str], ...]
    """Key and value, as they are written in the file."""

    @property
    def overrides(self) -> tuple[str, ...]:
        """What is changed of the file, each as `path=value`."""
        return tuple(f"{key}={value}" for key, value in self.values)

    @property
    def name(self) -> str:
        """How people tell it from others."""
        return (
            ", ".join(f"{key.rpartition('.')[2]}={value}" for key, value in self.values)
            or "as it is"
        )


def points_of(
    grid: Sequence[Axis],
    zipped: Sequence[Axis] = (),
    *,
    sample: tuple[Method, int] | None = None,
    seed: int = 1,
) -> tuple[Point, ...]:
    """All points of a sweep, in a fixed order: the last axis changes first.

    Args:
        grid: Axes of which all combinations are taken; with `sample`, ranges or lists to draw from.
        zipped: Axes that change together: their first values, their second ones, and so on.
        sample: How points are drawn, and how many; None for all combinations.
        seed: What samples follow from.

    Raises:
        HarnessError: A key occurs twice, a range has no number of values, zipped axes differ in length, or there are too many points.
    """
    _check_keys([*grid, *zipped])
    for axis in grid if sample is None else ():
        if axis.is_range:
            raise HarnessError(
                f"{axis.key}={axis.low:g}..{axis.high:g}: how many values?\n"
                f"  How to fix: write {axis.low:g}..{axis.high:g}:8 for 8 of them, or draw points with --sample latin:20"
            )
    together = _together(zipped)
    many = sample[1] if sample is not None else math.prod(len(axis.values) for axis in grid)
    _check_count(many * max(1, len(together)))
    alone = (
        _drawn(grid, *sample, seed=seed)
        if sample is not None
        else product(*([(axis.key, value) for value in axis.values] for axis in grid))
    )
    combined = [(*one, *other) for one in alone for other in together or [()]]
    return tuple(Point(number=number, values=values) for number, values in enumerate(combined, 1))


def _check_keys(axes: Sequence[Axis]) -> None:
    keys = [axis.key for axis in axes]
    for key in keys:
        if keys.count(key) > 1:
            raise HarnessError(
                f"{key} is named twice\n  How to fix: write all of its values in one place"
            )


def _check_count(points: int) -> None:
    if points > POINTS_MAX:
        raise HarnessError(
            f"{points:,} points are too many; a sweep has at most {POINTS_MAX:,}\n"
            "  How to fix: take fewer values, or draw points from the ranges with --sample latin:200"
        )


def _together(axes: Sequence[Axis]) -> list[tuple[tuple[str, str], ...]]:
    lengths = {axis.key: len(axis.values) for axis in axes}
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        told = ", ".join(f"{key} {length}" for key, length in lengths.items())
        raise HarnessError(
            f"axes that change together have a different number of values: {told}\n"
            "  How to fix: give each the same number of values, or cross them with --grid"
        )
    return list(zip(*([(axis.key, value) for value in axis.values] for axis in axes), strict=True))


def _drawn(
    axes: Sequence[Axis], method: Method, count: int, *, seed: int
) -> Iterator[tuple[tuple[str, str], ...]]:
    """Draw points: each by itself, or as a Latin hypercube, which has one point in each of `count` slices of each axis.

    Source: McKay, Beckman and Conover, "A comparison of three methods for selecting values of input variables",
    Technometrics 21 (1979).
    """
    if method == "latin":
        from scipy.stats import qmc  # type: ignore[import-untyped]

        shares = qmc.LatinHypercube(len(axes), rng=seed).random(count).tolist()
    else:
        draws = Draws.of(seed)
        shares = [[draws.uniform("sweep", axis.key, row) for axis in axes] for row in range(count)]
    for row in shares:
        yield tuple((axis.key, _value(axis, share)) for axis, share in zip(axes, row, strict=True))


def _value(axis: Axis, share: float) -> str:
    if axis.is_range:
        return axis.at(share)
    return axis.values[min(int(share * len(axis.values)), len(axis.values) - 1)]

"""A plan: the scenario at every point, read and checked before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError, ScenarioError
from harness.scenario import LoadedScenario, load_scenario
from harness.sweep.points import Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is run."""

    file: str
    """The scenario file, as it was named."""
    points: tuple[Point, ...]
    scenarios: tuple[LoadedScenario, ...]
    """The scenario of each point."""
    seeds: tuple[int, ...]
    """The same for all points: neighbours differ by what was changed, and not by luck."""

    @property
    def runs(self) -> int:
        """How many there are in all."""
        return len(self.points) * len(self.seeds)


def plan_of(
    file: str | Path,
    points: Sequence[Point],
    *,
    overrides: Sequence[str] = (),
    runs: int | None = None,
    seed: int | None = None,
) -> Plan:
    """Read the scenario at every point.

    Args:
        file: The scenario file.
        points: Where it is simulated.
        overrides: Changes to it at all points, each as `path=value`.
        runs: How many seeds; None means as many as the scenario says.
        seed: The first seed; None means the scenario's.

    Raises:
        ScenarioError: The file is wrong, or has no such key, or a value is of another kind.
    """
    base = load_scenario(file, overrides=overrides)
    scenarios = [scenario_at(file, point, overrides) for point in points]
    if not scenarios:
        raise HarnessError(
            "a sweep needs a point\n  How to fix: name values with --grid KEY=VALUES"
        )
    seeds = base.spec.seeds(first=seed, runs=runs)
    return Plan(
        file=str(file), points=tuple(points), scenarios=tuple(scenarios), seeds=tuple(seeds)
    )


def scenario_at(file: str | Path, point: Point, overrides: Sequence[str] = ()) -> LoadedScenario:
    """Read the scenario at one point.

    Raises:
        ScenarioError: As for `plan_of`; names the point.
    """
    try:
        return load_scenario(file, overrides=(*overrides, *point.overrides))
    except ScenarioError as error:
        if point.overrides:
            error.add_note(f"  At point {point.number}: {', '.join(point.overrides)}")
        raise

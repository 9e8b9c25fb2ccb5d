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
        HarnessError: There is no point; or a key is set by an override as well, or changes no run.
    """
    base = load_scenario(file, overrides=overrides)
    if not points:
        raise HarnessError(
            "a sweep needs a point\n  How to fix: name values with --grid KEY=VALUES"
        )
    _check_overrides(points[0], overrides)
    scenarios = [scenario_at(file, point, overrides) for point in points]
    for key, _ in points[0].values:
        values = dict.fromkeys(dict(point.values)[key] for point in points)
        check_changes(file, points[0], key, list(values), overrides)
    seeds = base.spec.seeds(first=seed, runs=runs)
    return Plan(
        file=str(file), points=tuple(points), scenarios=tuple(scenarios), seeds=tuple(seeds)
    )


def _check_overrides(point: Point, overrides: Sequence[str]) -> None:
    for override in overrides:
        key = override.partition("=")[0]
        if key in dict(point.values):
            raise HarnessError(
                f"--set {override}: the sweep gives {key} other values\n"
                f"  How to fix: leave --set {key} out, or do not sweep it"
            )


def check_changes(
    file: str | Path, point: Point, key: str, values: Sequence[str], overrides: Sequence[str]
) -> None:
    """Check that a key decides runs: the seed and the budgets, for example, do not.

    Args:
        file: The scenario file.
        point: Where the other keys are.
        key: What is changed.
        values: Its values.
        overrides: Changes to the scenario, each as `path=value`.

    Raises:
        HarnessError: All values give the same runs.
    """
    found = set[str]()
    for value in values:
        there = tuple((name, value if name == key else old) for name, old in point.values)
        try:
            scenario = scenario_at(file, Point(number=point.number, values=there), overrides)
        except ScenarioError:
            return  # a value that is allowed only together with another
        found.add(scenario.digest)
        if len(found) > 1:
            return
    if len(values) > 1:
        raise HarnessError(
            f"{key}={','.join(values[:3])}: all values give the same runs\n"
            "  How to fix: name a key that decides what happens in a run; seeds are chosen with --seed and --runs"
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

"""What came of the points of a sweep, read from the store."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from harness.errors import HarnessError
from harness.gate.statistics import mean
from harness.metrics.reliability import PASS_K, pass_k_by_run
from harness.run.record import harness_version
from harness.scenario import LoadedScenario
from harness.store import Store, queries
from harness.store.columns import measured_tasks, metric_columns
from harness.sweep.intervals import Interval, interval_of_mean
from harness.sweep.points import Point

_SUCCESS: Final = "success_rate"


@dataclass(frozen=True, kw_only=True)
class PointResult:
    """The runs of one point."""

    point: Point
    scenario: LoadedScenario
    seeds: tuple[int, ...]
    """The seeds that were run."""
    columns: Mapping[str, array[float]]
    """The value of each metric in each run, in the order of the seeds; not a number where it was not measured."""
    failed: Mapping[int, Sequence[int]]
    """The numbers of the measured tasks that did not end well, by seed."""
    tasks: Mapping[int, int]
    """How many tasks were measured, by seed."""
    run_ids: tuple[int, ...]

    def values(self, metric: str) -> dict[int, float]:
        """The values of a metric by seed, of the runs that measured it."""
        if metric == PASS_K:
            found = pass_k_by_run(list(self.tasks.values()), list(self.failed.values()))
            return dict(zip(self.seeds, found, strict=True)) if found else {}
        column = self.columns.get(metric, ())
        return {
            seed: value
            for seed, value in zip(self.seeds, column, strict=bool(column))
            if not math.isnan(value)
        }

    def interval(self, metric: str, tail: float = 0.025) -> Interval | None:
        """The mean of a metric over the seeds with its interval; None if no run measured it."""
        values = list(self.values(metric).values())
        return interval_of_mean(values, tail) if values else None

    @cached_property
    def means(self) -> dict[str, float]:
        """The mean over the seeds of each metric that every run measured."""
        found = {name: list(self.values(name).values()) for name in sorted([*self.columns, PASS_K])}
        return {name: mean(values) for name, values in found.items() if len(values) == len(self.seeds) > 0}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """A sweep as far as the store holds it."""

    scenario: str
    """The name of the scenario."""
    keys: tuple[str, ...]
    """The keys that were changed, in their order."""
    results: tuple[PointResult, ...]

    def column(self, key: str) -> list[str]:
        """The value of a key at every point."""
        return [dict(it.point.values)[key] for it in self.results]

    @property
    def metrics(self) -> list[str]:
        """The metrics that every point has measured."""
        sets = [set(it.means) for it in self.results]
        return sorted(set.intersection(*sets)) if sets else []


def read(store: Store, wanted: Sequence[tuple[Point, LoadedScenario, Sequence[int]]]) -> Swept:
    """Read some runs of points from a store.

    Args:
        store: Where they are.
        wanted: Each point with its scenario and seeds; what is not there is left out.
    """
    if not wanted:
        raise HarnessError(
            "a sweep needs a point\n  How to fix: name values with --grid KEY=VALUES"
        )
    hashes = [scenario.digest for _, scenario, _ in wanted]
    with store.reading():
        there: dict[str, dict[int, int]] = {}
        for scenario_hash, seed, run_id in queries.runs_there(store, hashes, harness_version()):
            there.setdefault(scenario_hash, {})[seed] = run_id
        ids = [
            {seed: found[seed] for seed in seeds if seed in found}
            for found, seeds in ((there.get(it.digest, {}), seeds) for _, it, seeds in wanted)
        ]
        found = _found(store, list(dict.fromkeys(run_id for one in ids for run_id in one.values())))
    results = [
        _result(point, scenario, of_point, found)
        for (point, scenario, _), of_point in zip(wanted, ids, strict=True)
    ]
    return Swept(
        scenario=wanted[0][1].spec.scenario,
        keys=tuple(key for key, _ in wanted[0][0].values),
        results=tuple(results),
    )


class _Found(NamedTuple):
    """What the store says of the runs of all points."""

    places: Mapping[int, int]
    """Where each run is in the columns."""
    columns: Mapping[str, array[float]]
    failed: Mapping[int, Sequence[int]]
    tasks: Mapping[int, int]


def _found(store: Store, run_ids: Sequence[int]) -> _Found:
    columns = metric_columns(store, run_ids)
    # Where every task ended well there is no need to look at spans.
    success = columns.get(_SUCCESS, [math.nan] * len(run_ids))
    imperfect = [run_id for run_id, share in zip(run_ids, success, strict=True) if share != 1]
    return _Found(
        places={run_id: place for place, run_id in enumerate(run_ids)},
        columns=columns,
        failed=queries.failed_tasks(store, imperfect) if imperfect else {},
        tasks=measured_tasks(store, run_ids),
    )


def _result(
    point: Point, scenario: LoadedScenario, ids: Mapping[int, int], found: _Found
) -> PointResult:
    """The runs of a point, whose numbers are given by seed."""
    places = [found.places[run_id] for run_id in ids.values()]
    return PointResult(
        point=point,
        scenario=scenario,
        seeds=tuple(ids),
        columns={
            name: array("d", [column[place] for place in places])
            for name, column in found.columns.items()
        },
        failed={seed: found.failed.get(run_id, ()) for seed, run_id in ids.items()},
        tasks={seed: found.tasks[run_id] for seed, run_id in ids.items()},
        run_ids=tuple(ids.values()),
    )

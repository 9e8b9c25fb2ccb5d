"""What came of the points of a sweep, read from the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.errors import HarnessError
from harness.json_types import JsonObject
from harness.metrics.reliability import PASS_K, pass_k_by_run
from harness.run.record import harness_version
from harness.scenario import LoadedScenario
from harness.store import Store, queries
from harness.sweep.intervals import Interval, interval_of_mean
from harness.sweep.points import Point


@dataclass(frozen=True, slots=True, kw_only=True)
class PointResult:
    """The runs of one point."""

    point: Point
    scenario: LoadedScenario
    runs: Mapping[int, Mapping[str, float]]
    """The metrics of each run, by seed; what was not measured is absent."""
    failed: Mapping[int, tuple[int, ...]]
    """The numbers of the measured tasks that did not end well, by seed."""
    tasks: Mapping[int, int]
    """How many tasks were measured, by seed."""
    run_ids: tuple[int, ...]

    def values(self, metric: str) -> dict[int, float]:
        """The values of a metric by seed, of the runs that measured it."""
        if metric == PASS_K:
            found = pass_k_by_run(list(self.tasks.values()), list(self.failed.values()))
            return dict(zip(self.tasks, found, strict=True)) if found else {}
        return {seed: run[metric] for seed, run in self.runs.items() if metric in run}

    def interval(self, metric: str, tail: float = 0.025) -> Interval | None:
        """The mean of a metric over the seeds with its interval; None if no run measured it."""
        values = list(self.values(metric).values())
        return interval_of_mean(values, tail) if values else None

    @property
    def means(self) -> dict[str, float]:
        """The mean over the seeds of each metric that every run measured."""
        names = set.intersection(*(set(run) for run in self.runs.values())) if self.runs else set()
        found = {name: self.interval(name) for name in sorted([*names, PASS_K])}
        return {name: it.mean for name, it in found.items() if it is not None}


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
    hashes = [scenario.digest for _, scenario, _ in wanted]
    seeds = {(scenario.digest, seed) for _, scenario, some in wanted for seed in some}
    with store.reading():
        ids = {
            (scenario_hash, seed): run_id
            for scenario_hash, seed, run_id in queries.runs_there(store, hashes, harness_version())
        }
        run_ids = sorted(run_id for key, run_id in ids.items() if key in seeds)
        found = queries.runs(store, run_ids=run_ids) if run_ids else []
        failed = queries.failed_tasks(store, run_ids)
    rows = {row["run_id"]: row for row in found}
    results = [
        _result(
            point,
            scenario,
            {seed: ids[scenario.digest, seed] for seed in some if (scenario.digest, seed) in ids},
            rows,
            failed,
        )
        for point, scenario, some in wanted
    ]
    if not wanted:
        raise HarnessError(
            "a sweep needs a point\n  How to fix: name values with --grid KEY=VALUES"
        )
    return Swept(
        scenario=wanted[0][1].spec.scenario,
        keys=tuple(key for key, _ in wanted[0][0].values),
        results=tuple(results),
    )


def _result(
    point: Point,
    scenario: LoadedScenario,
    ids: Mapping[int, int],
    rows: Mapping[int, JsonObject],
    failed: Mapping[int, Sequence[int]],
) -> PointResult:
    by_seed = {seed: rows[run_id] for seed, run_id in ids.items()}
    return PointResult(
        point=point,
        scenario=scenario,
        runs={seed: row["metrics"] for seed, row in by_seed.items()},
        failed={seed: tuple(failed.get(run_id, ())) for seed, run_id in ids.items()},
        tasks={seed: max(0, row["tasks"] - row["warmup_tasks"]) for seed, row in by_seed.items()},
        run_ids=tuple(ids.values()),
    )

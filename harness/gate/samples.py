"""The samples of a comparison: metrics of runs, seed by seed, and what must be equal to compare them.

A side of a comparison is made of runs that were just executed (`SimulatedSide`), of records, of runs in a store, or of a
baseline file (`baseline.py`).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.errors import HarnessError
from harness.gate.kept import Kept, kept_of
from harness.metrics import summarise
from harness.metrics.engine import ENGINES, SIMULATED, Engine, engine_of, is_live
from harness.provider.prices import PRICES_AS_OF
from harness.run import BudgetResult, Results, RunResult, simulate_each
from harness.run.many import whole
from harness.scenario import Budget, LoadedScenario
from harness.spans import OK, TASK, Table

if TYPE_CHECKING:
    from harness.store import RunRecord, Store

PRICES_DATE: Final = PRICES_AS_OF.date().isoformat()
"""The day whose prices runs are charged at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The numbers of one run."""

    seed: int
    metrics: Mapping[str, float]
    """By name; what was not measured is absent."""
    tasks: int
    """Tasks that were measured."""
    failed: tuple[int, ...] = ()
    """The numbers of those that did not end well, ascending."""
    kept: Kept | None = None
    """What its metrics consist of; None where it was not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """The numbers of some runs of one version of one scenario: one side of a comparison."""

    scenario: str
    """Its name; sides of another name are not comparable."""
    scenario_hash: str
    """Of all that determines a run but its seed."""
    workload: str = ""
    """Of how many tasks come, and when; "" when it is not known."""
    harness_version: str
    prices_as_of: str = ""
    """The day whose prices were charged; "" when it is not known."""
    engine: str = SIMULATED
    """What moved time, and whose replies it has: `simulated`, `live` or `replayed`."""
    python: str = ""
    label: str = ""
    """What people call this side, such as a file or a commit."""
    reason: str = ""
    """Why it was made the baseline."""
    runs: tuple[Sample, ...]
    """One for each seed, ascending."""

    def __post_init__(self) -> None:
        seeds = [one.seed for one in self.runs]
        if len(set(seeds)) < len(seeds):
            raise HarnessError(f"{self.label or self.scenario}: a seed occurs twice")
        object.__setattr__(self, "runs", tuple(sorted(self.runs, key=lambda one: one.seed)))

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, ascending."""
        return tuple(one.seed for one in self.runs)

    @property
    def names(self) -> frozenset[str]:
        """The metrics that at least one run measured."""
        return frozenset(name for one in self.runs for name in one.metrics)

    def values(self, metric: str) -> dict[int, float]:
        """The values of a metric by seed; runs that did not measure it are left out."""
        return {one.seed: one.metrics[metric] for one in self.runs if metric in one.metrics}

    @property
    def kept(self) -> dict[int, Kept]:
        """What the metrics of each run consist of, by seed, where that was kept."""
        return {one.seed: one.kept for one in self.runs if one.kept}

    def only(self, seeds: Iterable[int]) -> Samples:
        """The part of some seeds."""
        wanted = set(seeds)
        return replace(self, runs=tuple(one for one in self.runs if one.seed in wanted))

    def joined(self, other: Samples) -> Samples:
        """This side with more of its runs.

        Raises:
            HarnessError: The other runs are of another version of the scenario, or repeat a seed.
        """
        if (other.scenario, other.scenario_hash) != (self.scenario, self.scenario_hash):
            raise HarnessError("the scenario changed while its runs were made; start again")
        return replace(self, runs=(*self.runs, *other.runs))


def sample(result: RunResult, kept_metrics: Collection[str] = ()) -> Sample:
    """The numbers of a run, and what some of them consist of."""
    metrics, _ = summarise([result.tally])
    warmup_tasks = result.tally.tasks_in_all - result.tally.tasks
    failed = _failed(result.spans, warmup_tasks)
    return Sample(
        seed=result.seed,
        metrics=metrics,
        tasks=result.tally.tasks,
        failed=failed,
        kept=kept_of([result.spans], kept_metrics, warmup_tasks=warmup_tasks) or None,
    )


@dataclass(slots=True)
class SimulatedSide:
    """A side that executes runs of a scenario when it is asked for more seeds.

    Args:
        scenario: What to simulate.
        jobs: How many processes run side by side.
        label: What people call this side.
        on_run: Told of every run, with its spans, to keep or to explain.
        kept_metrics: Metrics of which samples keep what they consist of.
    """

    scenario: LoadedScenario
    jobs: int = 1
    label: str = ""
    on_run: Callable[[RunResult], None] | None = None
    kept_metrics: Collection[str] = ()
    results: Results = field(init=False)

    def __post_init__(self) -> None:
        self.results = Results(self.scenario)

    def __call__(self, seeds: Sequence[int]) -> Samples:
        """Execute one run for each seed."""
        found, engines = list[Sample](), list[Engine]([SIMULATED])

        def take(result: RunResult) -> None:
            self.results.add(result)
            engines.append(engine_of(result.events))
            found.append(sample(result, self.kept_metrics))
            if self.on_run is not None:
                self.on_run(result)

        simulate_each(take, whole, self.scenario, seeds, jobs=min(self.jobs, len(seeds)))
        engine = max(engines, key=ENGINES.index)
        return samples_of(self.scenario, found, label=self.label, engine=engine)

    def budgets(self) -> tuple[BudgetResult, ...]:
        """The scenario's budgets, held against all runs that were made; one fails in any case where no task ended well."""
        outcome = self.results.outcome()
        rate = outcome.metrics.get("success_rate")
        if rate == 0 and all(budget.passed for budget in outcome.budgets):
            return (
                *outcome.budgets,
                BudgetResult("success_rate", rate, Budget(above=0), passed=False),
            )
        return outcome.budgets


def samples_of(
    scenario: LoadedScenario,
    found: Iterable[Sample],
    *,
    label: str = "",
    engine: str = SIMULATED,
) -> Samples:
    """The side of runs that this process, or another with this harness, executed just now."""
    return Samples(
        scenario=scenario.spec.scenario,
        scenario_hash=scenario.digest,
        workload=workload_hash(scenario),
        harness_version=version("multiagent-harness"),
        prices_as_of=PRICES_DATE,
        engine=engine,
        python=".".join(platform.python_version_tuple()[:2]),
        label=label,
        runs=tuple(found),
    )


def recorded(records: Sequence[RunRecord], *, engine: str = "", label: str = "") -> Samples:
    """The side of some records; `engine` stands for that of each record if it is stated.

    Raises:
        HarnessError: There are none, or they are not of one version of one scenario, or live and not.
    """
    _check_one_version({(it.scenario, it.scenario_hash) for it in records}, label)
    return Samples(
        scenario=records[0].scenario,
        scenario_hash=records[0].scenario_hash,
        harness_version=records[0].harness_version,
        engine=engine or _engine((it.engine for it in records), label),
        label=label,
        runs=tuple(
            Sample(
                seed=it.seed,
                metrics={name: value for name, value in it.metrics.items() if value == value},
                tasks=max(0, it.tasks - it.warmup_tasks),
                failed=_failed(it.spans, it.warmup_tasks),
            )
            for it in records
        ),
    )


def stored(store: Store, run_ids: Iterable[int], *, engine: str = "", label: str = "") -> Samples:
    """The side of some runs in a store; of simulated runs with the same seed, which are equal, the last is taken.

    Args:
        store: Where they are.
        run_ids: Which.
        engine: Stands for what the store says of each run, if it is stated.
        label: What people call this side.

    Raises:
        StoreError: One of the runs does not exist.
        HarnessError: There are none, or they are not of one version of one scenario, or live and not.
    """
    from harness.store import queries

    wanted = set(run_ids)
    failed = queries.failed_tasks(store, wanted)
    rows = [row for row in queries.runs(store) if row["run_id"] in wanted]
    _check_one_version({(row["scenario"], row["scenario_hash"]) for row in rows}, label)
    # In real time a seed decides nothing: each run is one of its own.
    engine = engine or _engine((row["engine"] or SIMULATED for row in rows), label)
    key = "run_id" if is_live(engine) else "seed"
    samples = {
        row[key]: Sample(
            seed=row[key],
            metrics=row["metrics"],
            tasks=max(0, row["tasks"] - row["warmup_tasks"]),
            failed=tuple(failed.get(row["run_id"], ())),
        )
        for row in rows
    }
    return Samples(
        scenario=rows[0]["scenario"],
        scenario_hash=rows[0]["scenario_hash"],
        harness_version=rows[-1]["harness_version"],
        engine=engine,
        label=label,
        runs=tuple(samples.values()),
    )


def workload_hash(scenario: LoadedScenario) -> str:
    """Hash of the tasks and their arrival times; the content of a task is part of what is compared."""
    spec = scenario.spec
    arrivals = spec.workload.arrivals
    parts = [
        spec.workload.tasks,
        spec.workload.warmup_tasks,
        spec.horizon_s,
        type(arrivals).__name__,
        _without_folders(dataclasses.asdict(arrivals)),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _without_folders(part: Any) -> Any:  # noqa: ANN401 - a record as a dict
    """The same, with files by name alone: two checkouts of one repository stand in different folders."""
    if isinstance(part, dict):
        return {
            key: Path(value).name
            if key == "file" and isinstance(value, str)
            else _without_folders(value)
            for key, value in part.items()
        }
    return part


def _failed(spans: Table, warmup_tasks: int) -> tuple[int, ...]:
    return tuple(
        sorted(
            task
            for kind, task, status in spans.rows("kind", "task", "status")
            if kind == TASK and status != OK and task > warmup_tasks
        )
    )


def _engine(found: Iterable[str], label: str) -> str:
    """The engine of all runs of a side; of simulated and replayed ones `replayed`.

    Raises:
        HarnessError: Some are live and others are not.
    """
    engines = sorted(set(found), key=ENGINES.index)
    if len({is_live(it) for it in engines}) > 1:
        raise HarnessError(
            f"{label or 'this side'} holds {' and '.join(engines)} runs, which are not of one kind\n"
            "  How to fix: name the runs of one of them; `harness runs` lists them with their engine"
        )
    return engines[-1] if engines else SIMULATED


def _check_one_version(versions: set[tuple[str, str]], label: str) -> None:
    what = label or "this side"
    if not versions:
        raise HarnessError(f"{what} holds no runs, so there is nothing to compare")
    if len(versions) > 1:
        names = ", ".join(f"{scenario} ({digest})" for scenario, digest in sorted(versions))
        raise HarnessError(
            f"{what} holds runs of several scenarios or versions of one: {names}\n"
            "  How to fix: name the runs of one of them; `harness runs` lists them"
        )

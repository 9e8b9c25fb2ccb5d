"""`Simulation`, the Python interface: a scenario, ready to run.

simulation = Simulation("scenarios/code_review.yaml")
outcome = simulation.run_many(runs=32)
assert outcome.metrics["latency_s_p95"] < 60
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, overload

from harness.chance.choices import Choices
from harness.resilience import Memory, Storage
from harness.run import numbers
from harness.run.many import simulate_each, whole
from harness.run.one import RunResult, simulate
from harness.run.outcome import Outcome, Results
from harness.scenario import Scenario, load_scenario, load_spec

if TYPE_CHECKING:
    from harness.store import Store

T = TypeVar("T")


class Simulation:
    """A scenario that was loaded and checked.

    Args:
        path: The scenario file.
        overrides: Changes to it, each as `path=value`, such as `workload.tasks=10`.
        keep_texts: Whether runs keep their prompts and replies, without secrets, in `RunResult.texts`.

    Raises:
        ScenarioError: The file is wrong.
    """

    def __init__(
        self, path: str | Path, *, overrides: Sequence[str] = (), keep_texts: bool = False
    ) -> None:
        self.scenario = replace(load_scenario(path, overrides=overrides), keep_texts=keep_texts)
        self.memory = Memory()
        """Where progress is kept if the scenario says `memory`."""

    @classmethod
    def from_spec(
        cls,
        spec: Mapping[str, object],
        *,
        folder: str | Path = ".",
        overrides: Sequence[str] = (),
    ) -> Simulation:
        """Make a simulation of a scenario that is a mapping, as it would be written in a file.

        Args:
            spec: What the file would say.
            folder: Where relative paths in it begin.
            overrides: Changes to it, each as `path=value`.

        Raises:
            ScenarioError: The scenario is wrong.
        """
        simulation = cls.__new__(cls)
        simulation.scenario = load_spec(spec, folder=folder, overrides=overrides)
        simulation.memory = Memory()
        return simulation

    def run(
        self,
        seed: int | None = None,
        *,
        choices: Choices | None = None,
        checkpoint: Storage | None = None,
        stop_at_event: int | None = None,
    ) -> RunResult:
        """Execute one run, or resume one that was killed.

        Args:
            seed: The seed; None means the scenario's first.
            choices: Overrides of single choices, and the record of all; None means neither.
            checkpoint: Where its progress is kept: a `Memory`, a `CheckpointFile`, or an object with `get` and `put`. A run that
                was killed with it goes on; one that has ended begins anew. None means where the scenario says, if it does.
            stop_at_event: The event at which the run is killed, as by a crash: 1 for the first. A run with fewer events
                comes to its end. None if it is not killed.
        """
        spec = self.scenario.spec
        stated = spec.checkpoint if isinstance(spec, Scenario) else None
        if checkpoint is None and stated is not None and stated.file is None:
            checkpoint = self.memory
        return simulate(
            self.scenario,
            spec.seed if seed is None else numbers.seed(seed),
            choices=choices,
            checkpoint=checkpoint,
            stop_at_event=stop_at_event,
        )

    @overload
    def run_many(
        self,
        runs: int | None = None,
        *,
        seed: int | None = None,
        executor: Executor | None = None,
        jobs: int = 1,
        store: Store | str | Path | None = None,
    ) -> Outcome: ...
    @overload
    def run_many(
        self,
        runs: int | None = None,
        *,
        seed: int | None = None,
        executor: Executor | None = None,
        jobs: int = 1,
        store: Store | str | Path | None = None,
        reduce: Callable[[RunResult], T],
    ) -> list[T]: ...
    def run_many(
        self,
        runs: int | None = None,
        *,
        seed: int | None = None,
        executor: Executor | None = None,
        jobs: int = 1,
        store: Store | str | Path | None = None,
        reduce: Callable[[RunResult], T] | None = None,
    ) -> Outcome | list[T]:
        """Execute many runs, and compute their metrics.

        Spans are not sent between processes, unless they are stored.

        Args:
            runs: How many; None means as many as the scenario says.
            seed: The first seed; None means the scenario's.
            executor: Where to run them, such as a process pool or a cluster's; None means here, or in processes of
                its own when `jobs` is above 1.
            jobs: How many runs are done at once; tell it of an executor too, so that none of its workers idles.
            store: The file that keeps the runs with their spans; None means that nothing is kept.
            reduce: Reduces each run in the process that executed it: a function of a module, which
                other processes can import.

        Returns:
            The metrics of all runs; with `reduce`, its return values, in the order of the seeds.

        Raises:
            HarnessError: A number of runs, a seed or a number of jobs is none.
            StubError: All runs of the scenario were made, and a scripted reply was never asked for; with `reduce`,
                that is not checked.
        """
        seeds = self.scenario.spec.seeds(
            first=None if seed is None else numbers.seed(seed),
            runs=None if runs is None else numbers.count("runs", runs),
        )
        numbers.count("jobs", jobs)
        if store is not None:
            return self._stored(store, seeds, executor, jobs, reduce)
        each = partial(
            simulate_each, scenario=self.scenario, seeds=seeds, executor=executor, jobs=jobs
        )
        if reduce is not None:
            reduced = list[T]()
            each(reduced.append, reduce)
            return reduced
        results = Results(self.scenario)
        each(results.add, RunResult.without_spans)
        results.check_stubs()
        return results.outcome()

    def _stored(
        self,
        store: Store | str | Path,
        seeds: range,
        executor: Executor | None,
        jobs: int,
        reduce: Callable[[RunResult], T] | None,
    ) -> Outcome | list[T]:
        """The same for runs that travel home with their spans, and into a store."""
        from harness.run.keep import Keeping
        from harness.run.record import record
        from harness.store import Store

        results, reduced = Results(self.scenario), list[T]()

        def take(result: RunResult) -> None:
            results.add(result)
            if reduce is not None:
                reduced.append(reduce(result))
            keeping.add(record(self.scenario, result))

        with Keeping(store if isinstance(store, Store) else Store(store)) as keeping:
            simulate_each(take, whole, self.scenario, seeds, executor=executor, jobs=jobs)
        if reduce is not None:
            return reduced
        results.check_stubs()
        return results.outcome()

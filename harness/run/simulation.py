"""The Python face: a scenario, ready to run.

simulation = Simulation("scenarios/code_review.yaml")
outcome = simulation.run_many(runs=32)
assert outcome.metrics["latency_s_p95"] < 60
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from harness.resilience import Memory, Storage
from harness.run.many import simulate_jobs, simulate_many
from harness.run.one import RunResult, simulate
from harness.run.outcome import Outcome, Results
from harness.scenario import Scenario, load_scenario


class Simulation:
    """A scenario that has been read and checked.

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
        self._memory = Memory()

    def run(
        self,
        seed: int | None = None,
        *,
        checkpoint: Storage | None = None,
        stop_at_event: int | None = None,
    ) -> RunResult:
        """Execute one run, or resume one that was killed.

        Args:
            seed: The seed; None means the scenario's first.
            checkpoint: Where its progress is kept: a `Memory`, a `CheckpointFile`, or an object with `get` and `put`. A run that
                was killed with it goes on; one that has ended begins anew. None means where the scenario says, if it does.
            stop_at_event: The event at which the run is killed, as by a crash: 1 for the first. A run with fewer events
                comes to its end. None if it is not killed.
        """
        spec = self.scenario.spec
        stated = spec.checkpoint if isinstance(spec, Scenario) else None
        if checkpoint is None and stated is not None and stated.file is None:
            checkpoint = self._memory
        return simulate(
            self.scenario,
            spec.seed if seed is None else seed,
            checkpoint=checkpoint,
            stop_at_event=stop_at_event,
        )

    def run_many(
        self,
        runs: int | None = None,
        *,
        seed: int | None = None,
        executor: Executor | None = None,
        jobs: int = 1,
    ) -> Outcome:
        """Execute many runs, and work out their numbers.

        Args:
            runs: How many; None means as many as the scenario says.
            seed: The first seed; None means the scenario's.
            executor: Where to run them, such as a process pool or a cluster's; None means here, or in processes of
                its own when `jobs` is above 1.
            jobs: How many runs are done at once; tell it of an executor too, so that none of its workers idles.

        Raises:
            StubError: All runs of the scenario were made, and a scripted reply was never asked for.
        """
        seeds = self.scenario.spec.seeds(first=seed, runs=runs)
        if executor is None:
            found = simulate_jobs(self.scenario, seeds, jobs)
        else:
            found = simulate_many(self.scenario, seeds, executor=executor, jobs=jobs)
        results = Results(self.scenario)
        for result in found:
            results.add(result)
        results.check_stubs()
        return results.outcome()

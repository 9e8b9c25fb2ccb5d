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

from harness.run.many import simulate_jobs, simulate_many
from harness.run.one import RunResult, simulate
from harness.run.outcome import Outcome, Results
from harness.scenario import load_scenario


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

    def run(self, seed: int | None = None) -> RunResult:
        """Execute one run.

        Args:
            seed: The seed; None means the scenario's first.
        """
        return simulate(self.scenario, self.scenario.spec.seed if seed is None else seed)

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

"""Sweeps: what a run costs in one, what a second process brings, and how often the true capacity lies in the interval found.

Targets: 1,200 runs of a scenario of ten calls in below 20 s of CPU; two processes on two cores at least 1.8 times as fast as
one; of 100 searches for the capacity of M/M/1 and of M/M/3, which are known, 95 are right.
"""

from __future__ import annotations

import math
import resource
import statistics
import tempfile
from pathlib import Path
from typing import NamedTuple

from harness import wall
from harness.store import Store
from harness.sweep import Sweeping, plan_of
from harness.sweep.axes import axis_of
from harness.sweep.engines import Processes
from harness.sweep.points import points_of

SCENARIO = """
scenario: ten-calls
workload: {tasks: 2, arrivals: {every_s: 5}}
providers: {anthropic: {concurrency: 4}}
models: {fast: {provider: anthropic, name: claude-haiku-4-5}}
agents:
  lead: &agent {model: fast, output_tokens: {lognormal: {median: 150, sigma: 0.4}}}
  a: *agent
  b: *agent
  c: *agent
pattern: {orchestrator_worker: {orchestrator: lead, workers: [a, b, c], synthesizer: lead}}
"""
SEARCHES = 100
_RATE = "workload.arrivals.every_s"


ROUNDS = 2


class Spent(NamedTuple):
    """What a sweep has taken."""

    wall_s: float
    driver_s: float
    """CPU of this process."""
    workers_s: float
    """CPU of the others."""

    @property
    def cpu_s(self) -> float:
        """CPU of all."""
        return self.driver_s + self.workers_s


def main() -> None:
    """Measure each; the searches take some minutes."""
    few = _swept(jobs=1, runs=100)
    print(f"1,200 runs of ten calls:        {few.cpu_s:>6.1f} s of CPU (target: below 20)")
    print(f"a run of ten calls, stored:     {few.cpu_s / 1_200 * 1e3:>6.1f} ms of CPU")
    for tasks, runs in ((2, 400), (60, 33)):
        for _ in range(ROUNDS):
            one, two = _swept(1, runs, tasks), _swept(2, runs, tasks)
            bound = one.cpu_s / max(two.driver_s, two.cpu_s / 2)
            print(
                f"{12 * runs:,} runs of {5 * tasks} calls: two processes are {one.wall_s / two.wall_s:.2f} times as fast as one"
                f" (target: at least 1.8); by their CPU {bound:.2f} times\n"
                f"  one: {one.wall_s:.1f} s, CPU {one.cpu_s:.1f} s;"
                f" two: {two.wall_s:.1f} s, CPU of the driver {two.driver_s:.1f} s, of the workers {two.workers_s:.1f} s"
            )
    for servers in (1, 3):
        right, width = searched(servers)
        print(
            f"capacity of M/M/{servers}, searches:    {right:>6} of {SEARCHES} right (target: at least 95);"
            f" the interval is {width:.0%} of the true value wide (median)"
        )


def searched(servers: int) -> tuple[int, float]:
    """How many searches found an interval with the true capacity in it, and the median width as a share of that."""
    # Not above: workers import this module, and would import pytest with it.
    from tests.theory.test_capacity import capacity, rate_with_wait

    true = rate_with_wait(servers, 0.5)
    right, widths = 0, list[float]()
    for search in range(SEARCHES):
        with tempfile.TemporaryDirectory() as folder:
            good, bad = capacity(Path(folder), 1 + 1_000 * search, servers)
        widths.append(math.inf if good is None or bad is None else (bad - good) / true)
        right += good is not None and bad is not None and good < true < bad
    return right, statistics.median(widths)


def _swept(jobs: int, runs: int, tasks: int = 2) -> Spent:
    """What twelve points take, all of it in the end and nothing of the plan."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "ten.yaml")
        file.write_text(SCENARIO.replace("tasks: 2", f"tasks: {tasks}"), encoding="utf-8")
        plan = plan_of(file, points_of([axis_of(f"{_RATE}=1..12:12")]), runs=runs)
        wanted = [
            (point.number, scenario, plan.seeds)
            for point, scenario in zip(plan.points, plan.scenarios, strict=True)
        ]
        sweeping = Sweeping(Store(Path(folder, "runs.duckdb")), Processes(jobs))
        began = _spent()
        sweeping.ensure(wanted)
        return Spent(*(after - before for before, after in zip(began, _spent(), strict=True)))


def _spent() -> Spent:
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))  # fmt: skip
    return Spent(wall.elapsed_s(), own.ru_utime + own.ru_stime, others.ru_utime + others.ru_stime)


if __name__ == "__main__":
    main()

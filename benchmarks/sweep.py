"""Sweeps: what a run costs in one, what a second process brings, and how often the true capacity lies in the interval found.

Targets: 1,200 runs of a scenario of ten calls in below 20 s of CPU; two processes on two cores at least 1.8 times as fast as
one, by the elapsed time of the whole command; of 100 searches for the capacity of M/M/1 and of M/M/3, which are known, 95 are right.
"""

from __future__ import annotations

import math
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from harness import wall
from harness.store import Store
from harness.sweep import Sweeping, plan_of
from harness.sweep.axes import axis_of
from harness.sweep.engines import HERE
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
ROUNDS = 3
SIZES = ((2, 600), (2, 2_400), (60, 33), (60, 132))
"""Tasks of a run and runs at each of twelve points: about 15 s and 60 s, twice."""


class Spent(NamedTuple):
    """What a command, or several at once, has taken."""

    wall_s: float
    cpu_s: float


def main() -> None:
    """Measure each; the searches take some minutes."""
    few = _swept(runs=100)
    print(f"1,200 runs of ten calls:        {few.cpu_s:>6.1f} s of CPU (target: below 20)")
    print(f"a run of ten calls, stored:     {few.cpu_s / 1_200 * 1e3:>6.1f} ms of CPU")
    for tasks, runs in SIZES:
        # In turn, and the best of each: other programs come and go.
        rounds = [[_commands(*jobs, runs=runs, tasks=tasks) for jobs in ((1,), (2,), (1, 1))] for _ in range(ROUNDS)]  # fmt: skip
        one, two, both = map(min, zip(*rounds, strict=True))
        print(
            f"{12 * runs:,} runs of {5 * tasks} calls: two processes are {one.wall_s / two.wall_s:.2f} times as fast as one"
            f" (target: at least 1.8); two sweeps at once that share nothing, {2 * one.wall_s / both.wall_s:.2f} times\n"
            f"  one: {one.wall_s:.1f} s, CPU {one.cpu_s:.1f} s; two: {two.wall_s:.1f} s, CPU {two.cpu_s:.1f} s;"
            f" two sweeps at once: {both.wall_s:.1f} s, CPU {both.cpu_s:.1f} s"
        )
    for servers in (1, 3):
        right, width = searched(servers)
        print(
            f"capacity of M/M/{servers}, searches:    {right:>6} of {SEARCHES} right (target: at least 95);"
            f" the interval is {width:.0%} of the true value wide (median)"
        )


def searched(servers: int) -> tuple[int, float]:
    """How many searches found an interval with the true capacity in it, and the median width as a share of that."""
    from tests.theory.test_capacity import capacity, rate_with_wait

    true = rate_with_wait(servers, 0.5)
    right, widths = 0, list[float]()
    for search in range(SEARCHES):
        with tempfile.TemporaryDirectory() as folder:
            good, bad = capacity(Path(folder), 1 + 1_000 * search, servers)
        widths.append(math.inf if good is None or bad is None else (bad - good) / true)
        right += good is not None and bad is not None and good < true < bad
    return right, statistics.median(widths)


def _commands(*jobs: int, runs: int, tasks: int) -> Spent:
    """What commands take that begin at once, each with so many processes, until the last has ended."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "ten.yaml")
        file.write_text(SCENARIO.replace("tasks: 2", f"tasks: {tasks}"), encoding="utf-8")
        words = [sys.executable, "-m", "harness", "sweep", str(file), "--grid", f"{_RATE}=1..12:12", "--runs", str(runs)]  # fmt: skip
        began = _spent(resource.RUSAGE_CHILDREN)
        begun = [
            subprocess.Popen(
                [*words, "--jobs", str(many), "--store", f"{folder}/{number}.duckdb", "-o", f"{folder}/{number}"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for number, many in enumerate(jobs)
        ]  # fmt: skip
        assert all(command.wait() == 0 for command in begun)
        after = _spent(resource.RUSAGE_CHILDREN)
    return Spent(after.wall_s - began.wall_s, after.cpu_s - began.cpu_s)


def _swept(runs: int) -> Spent:
    """What twelve points take in this process, all of it in the end and nothing of the plan."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "ten.yaml")
        file.write_text(SCENARIO, encoding="utf-8")
        plan = plan_of(file, points_of([axis_of(f"{_RATE}=1..12:12")]), runs=runs)
        wanted = [
            (point.number, scenario, plan.seeds)
            for point, scenario in zip(plan.points, plan.scenarios, strict=True)
        ]
        sweeping = Sweeping(Store(Path(folder, "runs.duckdb")), HERE)
        began = _spent(resource.RUSAGE_SELF)
        sweeping.ensure(wanted)
        after = _spent(resource.RUSAGE_SELF)
        return Spent(after.wall_s - began.wall_s, after.cpu_s - began.cpu_s)


def _spent(who: int) -> Spent:
    used = resource.getrusage(who)
    return Spent(wall.elapsed_s(), used.ru_utime + used.ru_stime)


if __name__ == "__main__":
    main()

"""Sweeps: what a run costs in one, what a second process brings, and how often the true capacity lies in the interval found.

Targets: 1,200 runs of a scenario of ten calls in below 20 s of CPU; two processes on two cores at least 1.8 times as fast as
one; of 100 searches for the capacity of M/M/1 and of M/M/3, which are known, 95 are right.
"""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from pathlib import Path

from harness import wall
from harness.store import Store
from harness.sweep import Sweeping, plan_of
from harness.sweep.axes import axis_of
from harness.sweep.engines import Processes
from harness.sweep.points import points_of
from tests.theory.test_capacity import capacity, rate_with_wait

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


def main() -> None:
    """Measure each once; the searches take some minutes."""
    one_s, cpu_s = _swept_s(jobs=1, runs=100)
    print(f"1,200 runs of ten calls:        {cpu_s:>6.1f} s of CPU (target: below 20)")
    two_s, _ = _swept_s(jobs=2, runs=400)
    alone_s, _ = _swept_s(jobs=1, runs=400)
    print(
        f"two processes against one:      {alone_s / two_s:>6.2f} times as fast (target: at least 1.8)"
    )
    print(f"a run of ten calls, stored:     {one_s / 1_200 * 1e3:>6.1f} ms")
    for servers in (1, 3):
        right, width = searched(servers)
        print(
            f"capacity of M/M/{servers}, searches:    {right:>6} of {SEARCHES} right (target: at least 95);"
            f" the interval is {width:.0%} of the true value wide (median)"
        )


def searched(servers: int) -> tuple[int, float]:
    """How many searches found an interval with the true capacity in it, and the median width as a share of that."""
    true = rate_with_wait(servers, 0.5)
    right, widths = 0, list[float]()
    for search in range(SEARCHES):
        with tempfile.TemporaryDirectory() as folder:
            good, bad = capacity(Path(folder), 1 + 1_000 * search, servers)
        widths.append(math.inf if good is None or bad is None else (bad - good) / true)
        right += good is not None and bad is not None and good < true < bad
    return right, statistics.median(widths)


def _swept_s(*, jobs: int, runs: int) -> tuple[float, float]:
    """Real time and CPU of this process for twelve points [s]."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "ten.yaml")
        file.write_text(SCENARIO, encoding="utf-8")
        plan = plan_of(file, points_of([axis_of(f"{_RATE}=1..12:12")]), runs=runs)
        wanted = [
            (point.number, scenario, plan.seeds)
            for point, scenario in zip(plan.points, plan.scenarios, strict=True)
        ]
        sweeping = Sweeping(Store(Path(folder, "runs.duckdb")), Processes(jobs))
        began_s, began_cpu_s = wall.elapsed_s(), time.process_time()
        sweeping.ensure(wanted)
        return wall.elapsed_s() - began_s, time.process_time() - began_cpu_s


if __name__ == "__main__":
    main()

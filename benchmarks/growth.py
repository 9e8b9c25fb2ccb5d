"""CPU per call from a thousand calls to a million, and memory of a million end to end.

Targets: flat; a million calls, from the scenario to committed rows, within 2 GB.
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

from benchmarks.bare import CALLS_PER_TASK
from benchmarks.workload import scenario, simulated_cpu_s
from harness.run import simulate
from harness.run.record import record
from harness.store import Store


def main() -> None:
    """Measure growing runs, then the largest end to end."""
    for calls in (1_000, 10_000, 100_000, 1_000_000):
        tasks = calls // CALLS_PER_TASK
        print(
            f"{calls:>9,} calls: {simulated_cpu_s(scenario(tasks)) / calls * 1e6:6.1f} us per call",
            flush=True,
        )
    with tempfile.TemporaryDirectory() as folder:
        began_s = time.process_time()
        loaded = scenario(1_000_000 // CALLS_PER_TASK)
        result = simulate(loaded, 1)
        Store(Path(folder, "runs.duckdb")).write([record(loaded, result)])
        print(
            f"a million calls end to end: {time.process_time() - began_s:.1f} s of CPU, {len(result.spans):,} spans"
        )
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"peak memory: {peak_gb:.2f} GB (target: at most 2)")


if __name__ == "__main__":
    main()

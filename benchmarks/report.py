"""What a report costs: CPU and memory of `harness report`, and the size of a page.

Targets: 3 s of CPU for a run of 10,000 calls; 20 s and 1 GB for one of a million; 500 KB for a page of a thousand spans.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from harness.store import Store, series

SCENARIO = Path(__file__).parents[1] / "scenarios" / "code_review.yaml"

CALLS_PER_TASK = 6

BUSY = "workload.arrivals={poisson: {rate_per_s: 0.1}}"
"""A task every ten seconds: at a hundred a day, as the scenario says, the largest run would take years."""

ROUNDS = 3

MEASURED = """
import resource, sys
from harness.__main__ import main
sys.argv[1:] = {words!r}
try:
    main()
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
"""


def main() -> None:
    """Measure a small run, one of ten thousand calls, and one of a million."""
    for tasks, cpu_target_s in (
        (60, None),
        (10_000 // CALLS_PER_TASK, 3),
        (1_000_000 // CALLS_PER_TASK, 20),
    ):
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder, "runs.duckdb")
            simulate(store, tasks)
            (size,) = series.sizes(Store(store), [1])
            cpu_s, memory_gb = measured(store, Path(folder, "reports"))
            page_kb = Path(folder, "reports", "run-1.html").stat().st_size / 1000
            target = f" (target: below {cpu_target_s})" if cpu_target_s else ""
            print(
                f"{size['calls']:>9,} calls, {size['spans']:>9,} spans: {cpu_s:5.2f} s of CPU{target}, "
                f"{memory_gb:.2f} GB, page of {page_kb:,.0f} KB",
                flush=True,
            )


def simulate(store: Path, tasks: int) -> None:
    """Make the run in a process of its own: what is started from a large one counts its memory as its own."""
    words = ["simulate", str(SCENARIO), "--runs", "1", "--store", str(store), "--quiet"]
    changes = [f"workload.tasks={tasks}", BUSY]
    command = [
        sys.executable,
        "-m",
        "harness",
        *words,
        *(it for change in changes for it in ("--set", change)),
    ]
    subprocess.run(command, check=False)  # a budget that does not hold is no matter here


def measured(store: Path, target: Path) -> tuple[float, float]:
    """CPU [s], the best of some rounds, and memory [GB] of the command."""
    words = ["report", "--store", str(store), "-o", str(target)]
    rounds = []
    for _ in range(ROUNDS):
        done = subprocess.run(
            [sys.executable, "-c", MEASURED.format(words=words)],
            check=True,
            capture_output=True,
            text=True,
        )
        cpu_s, peak_kib = done.stderr.split()[-2:]
        rounds.append((float(cpu_s), float(peak_kib) * 1024 / 1e9))
    return min(rounds)


if __name__ == "__main__":
    main()

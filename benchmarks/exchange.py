"""How fast runs go out of a store and into another: `python -m benchmarks.exchange`.

What is timed is `export_runs`, from a closed store to a folder with checksums, and `import_runs`, from there to committed
rows in a new store. The runs are simulated ones of the code-review team.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from harness.run import Simulation
from harness.run.record import record
from harness.store import Store
from harness.store.exchange import export_runs, import_runs
from harness.store.exchange.formats import FORMATS
from harness.store.exchange.manifest import FormatName

SPANS = int(os.environ.get("BENCHMARK_SPANS", "1_000_000"))
SCENARIO = Path(__file__).parents[1] / "scenarios" / "code_review.yaml"
RUNS = 100
SPANS_A_TASK = 19


def main() -> None:
    """Print the speed of each format, and the size of what it writes."""
    tasks = max(1, SPANS // RUNS // SPANS_A_TASK)
    simulation = Simulation(SCENARIO, overrides=[f"workload.tasks={tasks}"])
    with tempfile.TemporaryDirectory() as name:
        store = Store(Path(name, "runs.duckdb"))
        records = [record(simulation.scenario, simulation.run(seed)) for seed in range(1, RUNS + 1)]
        store.write(records)
        spans = sum(len(one.spans) for one in records)
        print(f"{spans:,} spans in {RUNS} runs; store {store.path.stat().st_size / 1e6:.1f} MB")
        for form in FORMATS:
            measure(store, form, spans, Path(name))


def measure(store: Store, form: FormatName, spans: int, folder: Path) -> None:
    """Print the figures of one format; each way is gone three times, and the best counts."""
    run_ids = range(1, RUNS + 1)
    out = folder / form
    out_s = best_s(lambda turn: export_runs(store, run_ids, form, f"{out}{turn}"))
    in_s = best_s(lambda turn: import_runs(Store(f"{out}{turn}.duckdb"), [f"{out}{turn}"]))
    size = sum(path.stat().st_size for path in Path(f"{out}0").iterdir())
    print(
        f"{form:>8}: export {out_s:5.2f} s {spans / out_s:10,.0f} spans/s   "
        f"import {in_s:5.2f} s {spans / in_s:10,.0f} spans/s   folder {size / 1e6:6.1f} MB"
    )


def best_s(work: Callable[[int], object]) -> float:
    """The shortest time of three [s]."""
    times_s = []
    for number in range(3):
        began_s = time.perf_counter()
        work(number)
        times_s.append(time.perf_counter() - began_s)
    return min(times_s)


if __name__ == "__main__":
    main()

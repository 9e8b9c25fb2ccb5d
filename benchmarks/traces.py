"""How fast stored runs become traces: `python -m benchmarks.traces`.

What is timed is all that `harness trace` does for one long run: reading it from the store, lanes, critical paths and
slack, and writing the file. The runs are copies of one of `scenarios/code_review.yaml`, laid behind one another.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from harness.run import Simulation
from harness.run.record import record
from harness.scenario import load_scenario
from harness.spans import SPAN_COLUMNS, Table
from harness.store import RunRecord, Store
from harness.trace.chrome import chrome_text
from harness.trace.names import GEN_AI
from harness.trace.openinference import OPEN_INFERENCE
from harness.trace.otlp import otlp_text
from harness.trace.run import TracedRun
from harness.trace.stored import stored_runs

SPANS = int(os.environ.get("BENCHMARK_SPANS", "100_000"))
SCENARIO = Path(__file__).parents[1] / "scenarios" / "code_review.yaml"
WANTED_SPANS_PER_S = 100_000
ROUNDS = 7

Write = Callable[[Iterable[TracedRun]], Iterator[str]]

WRITERS: dict[str, Write] = {
    "chrome": chrome_text,
    "otlp": lambda runs: otlp_text(runs, GEN_AI),
    "openinference": lambda runs: otlp_text(runs, OPEN_INFERENCE),
}


def main() -> None:
    """Print the speed of each format, the best of some rounds."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder, "runs.duckdb"))
        made = long_record()
        store.write([made])
        spans = len(made.spans)
        print(f"{spans:,} spans; {WANTED_SPANS_PER_S:,} spans/s of processor time are wanted")
        tell("reading alone", spans, lambda: sum(len(run.spans) for run in stored_runs(store, [1])))
        for name, write in WRITERS.items():
            file = Path(folder, f"{name}.json")
            tell(name, spans, lambda file=file, write=write: save(file, write, store))  # type: ignore[misc]  # defaults
            print(f"{'':>15}  {file.stat().st_size / spans:,.0f} bytes a span")


def save(file: Path, write: Write, store: Store) -> None:
    """Read the run and write it, as the command does."""
    with file.open("w", encoding="ascii") as target:
        target.writelines(write(stored_runs(store, [1])))


def tell(name: str, spans: int, work: Callable[[], object]) -> None:
    """Do it a few times, and print how fast it was at best, in processor time: of all threads, whoever else computes."""
    best_s = float("inf")
    for _ in range(ROUNDS):
        began_s = time.process_time()
        work()
        best_s = min(best_s, time.process_time() - began_s)
    print(f"{name:>15}: {spans / best_s:9,.0f} spans/s   {1e6 * best_s / spans:5.2f} µs a span")


def long_record() -> RunRecord:
    """One run again and again, until it is long enough."""
    scenario = load_scenario(SCENARIO)
    result = Simulation(SCENARIO).run()
    rows = [list(row) for row in result.spans.rows()]
    names = list(SPAN_COLUMNS)
    ids = [names.index(name) for name in ("span_id", "parent_id")]
    times = [names.index(name) for name in ("arrival_s", "start_s", "first_token_s", "end_s")]
    shift_s = max(row[names.index("end_s")] for row in rows) + 1.0
    spans = Table(SPAN_COLUMNS)
    copy = 0
    while len(spans) < SPANS:
        moved = [row[:] for row in rows]
        for row in moved:
            for place in ids:
                row[place] += copy * len(rows) if row[place] >= 0 else 0
            for place in times:
                row[place] += copy * shift_s
            row[names.index("task")] += copy * 1_000
        spans.extend(*map(list, zip(*moved, strict=True)))
        copy += 1
    return replace(record(scenario, result), spans=spans)


if __name__ == "__main__":
    main()

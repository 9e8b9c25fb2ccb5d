"""How fast spans go from memory to the disk: `python -m benchmarks.store`.

What is timed is `Store.write`, from columns in memory to committed rows in a closed file. What is written is one long
run, and then as many spans in runs of a thousand, as a search over many seeds leaves them.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.spans import (
    AGENT,
    ATTEMPT,
    CALL,
    ERROR,
    EVENT_COLUMNS,
    OK,
    SPAN_COLUMNS,
    TASK,
    WAIT,
    Table,
)
from harness.store import RunRecord, Store

SPANS = int(os.environ.get("BENCHMARK_SPANS", "1_000_000"))
AGENTS = ("lead", "style", "security", "tests", "performance")
WANTED_SPANS_PER_S = 500_000


def main() -> None:
    """Print the speed for one long run and for many short ones."""
    print(f"{SPANS:,} spans; at least {WANTED_SPANS_PER_S:,} spans/s are wanted")
    for label, runs in (("one long run", 1), ("runs of 1,000 spans", SPANS // 1000)):
        # A process for each, because the peak of memory is one of a process.
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(label, runs))
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(process.exitcode)


def measure(label: str, runs: int) -> None:
    """Write some runs to three new stores, one after another, and print the best."""
    records = [record(seed, SPANS // runs) for seed in range(runs)]
    spans = sum(len(one.spans) for one in records)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    best_s, file_bytes = math.inf, 0
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "runs.duckdb")
            began_s = time.perf_counter()
            Store(path).write(records)
            best_s = min(best_s, time.perf_counter() - began_s)
            file_bytes = path.stat().st_size
    more_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    print(
        f"{label:>20}: {spans / best_s:10,.0f} spans/s   {best_s:5.2f} s   file {file_bytes / 1e6:5.1f} MB"
        f"   memory beyond the records {more_kib / 1024:4.0f} MiB"
    )


def record(seed: int, spans: int) -> RunRecord:
    """A run with a realistic mix of spans, and an event for every retry."""
    dice = random.Random(seed)
    span_table, event_table = Table(SPAN_COLUMNS), Table(EVENT_COLUMNS)
    task = 0
    while len(span_table) < spans:
        task += 1
        rows = list(task_rows(task, len(span_table) + 1, dice))
        span_table.extend(*map(list, zip(*rows, strict=True)))
        for row in rows:
            if row[3] == WAIT:
                event_table.extend(
                    [row[8]], [row[1]], [task], [row[5]], ["retry"], ["rate_limit_error"],
                    [""], [-1], [-1], [-1], [-1],
                )  # fmt: skip
    numbers = {f"latency_s_p{p}": dice.random() for p in range(25)}
    return RunRecord(
        scenario="benchmark", scenario_hash="0" * 64, seed=seed, status="done", tasks=task, warmup_tasks=0,
        makespan_s=task * 1.0, wall_s=1.0, harness_version="0", commit_id="", source="benchmark.yaml", command="",
        spans=span_table, events=event_table, metrics=numbers, agent_metrics=dict.fromkeys(AGENTS, numbers),
    )  # fmt: skip


def task_rows(task: int, span_id: int, dice: random.Random) -> Iterator[tuple[Any, ...]]:
    """The spans of one task: each agent takes a turn, makes a call, and one call in ten needs a second attempt."""
    nan = math.nan
    at_s = task * 1.0
    task_id = span_id
    for agent in AGENTS:
        agent_id, call_id, model = span_id + 1, span_id + 2, f"claude-{len(agent) % 3}"
        span_id += 2
        ordinal = 1
        begin_s = at_s
        if dice.random() < 0.1:
            yield (
                span_id + 1, call_id, task, ATTEMPT, model, agent, model, 1, at_s, nan, nan, at_s, -1, -1, -1, -1,
                0.0, ERROR, "rate_limit_error", 429, 0.5, "", -1,
            )  # fmt: skip
            yield (
                span_id + 2, call_id, task, WAIT, "backoff", agent, "", -1, at_s, at_s, nan, at_s + 0.5, -1, -1, -1, -1,
                nan, OK, "", -1, nan, "", -1,
            )  # fmt: skip
            span_id += 2
            ordinal = 2
            at_s += 0.5
        span_id += 1
        start_s = at_s + round(dice.expovariate(5), 6)
        first_s = start_s + round(dice.lognormvariate(0, 0.4), 6)
        end_s = first_s + round(dice.expovariate(0.3), 6)
        yield (
            span_id, call_id, task, ATTEMPT, model, agent, model, ordinal, at_s, start_s, first_s, end_s,
            dice.randrange(200, 9000), dice.randrange(20, 900), -1, -1, dice.random() / 50, OK, "", -1, nan, "", -1,
        )  # fmt: skip
        correct = int(dice.random() < 0.93)
        yield (
            call_id, agent_id, task, CALL, agent, agent, model, 1, begin_s, begin_s, nan, end_s, -1, -1, -1, -1,
            nan, OK, "", -1, nan, "", correct,
        )  # fmt: skip
        yield (
            agent_id, task_id, task, AGENT, agent, agent, "", -1, begin_s, begin_s, nan, end_s, -1, -1, -1, -1,
            nan, OK, "", -1, nan, "", -1,
        )  # fmt: skip
        at_s = end_s
    yield (
        task_id, -1, task, TASK, "pull_request", "", "", -1, task * 1.0, task * 1.0, nan, at_s, -1, -1, -1, -1,
        nan, OK, "", -1, nan, "", -1,
    )  # fmt: skip


if __name__ == "__main__":
    main()

"""CPU per message of small teams and of large ones, and a run of a hundred thousand agents.

Targets: a message of a team of 5,000 workers costs at most 1.5 times that of a team of 50; a hundred thousand agents complete.
Each team handles about as many messages, so that what a run costs once is shared alike; the agents themselves are made once a
run, and are measured apart.
"""

from __future__ import annotations

import gc
import resource
import time
from typing import Any

from harness.run import simulate
from harness.run.build import PatternRun
from harness.scenario import LoadedScenario
from harness.scenario.load import load_spec

MESSAGES = 40_000
"""Messages that each team handles, about."""

WORKERS = (50, 500, 5_000)

TARGET = 1.5


def team(workers: int, tasks: int) -> LoadedScenario:
    """A lead and its workers, all on one model without limits."""
    names = [f"worker-{number}" for number in range(workers)]
    agent = {"model": "fast", "output_tokens": 50}
    pattern = {"orchestrator": "lead", "workers": names, "synthesizer": "lead"}
    spec: dict[str, Any] = {
        "scenario": f"team-of-{workers}",
        "workload": {"tasks": tasks},
        "providers": {"anthropic": {}},
        "models": {"fast": {"provider": "anthropic", "name": "claude-haiku-4-5"}},
        "agents": dict.fromkeys(("lead", *names), agent),
        "pattern": {"orchestrator_worker": pattern},
    }
    return load_spec(spec)


def per_message_s(workers: int) -> float:
    """CPU that a message of a team costs, without making the agents; the best of three [s]."""
    tasks = max(1, MESSAGES // (workers + 2))
    scenario = team(workers, tasks)
    found = []
    for _ in range(3):
        gc.collect()
        began_s = time.process_time()
        PatternRun(scenario, 1)
        made_s = time.process_time() - began_s
        gc.collect()
        began_s = time.process_time()
        simulate(scenario, 1)
        found.append((time.process_time() - began_s - made_s) / (tasks * (workers + 2)))
    return min(found)


def main() -> None:
    """Measure teams of several sizes, then the largest."""
    costs = {workers: per_message_s(workers) for workers in WORKERS}
    for workers, cost_s in costs.items():
        print(f"{workers:>7,} workers: {cost_s * 1e6:6.1f} us per message", flush=True)
    ratio = costs[WORKERS[-1]] / costs[WORKERS[0]]
    print(f"{WORKERS[-1]:,} workers against {WORKERS[0]}: {ratio:.2f} (target: at most {TARGET})")
    began_s = time.process_time()
    scenario = team(100_000, 1)
    read_s = time.process_time() - began_s
    result = simulate(scenario, 1)
    whole_s = time.process_time() - began_s
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(
        f"100,000 agents: {result.status}, {len(result.spans):,} spans, {whole_s:.1f} s of CPU of which {read_s:.1f} s to "
        f"read the scenario, peak memory {peak_gb:.2f} GB"
    )


if __name__ == "__main__":
    main()

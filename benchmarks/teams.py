"""CPU per message of small teams and of large ones, and runs of a hundred thousand agents.

Targets: a message of a team of 5,000 workers costs at most 1.5 times that of a team of 50, with one orchestrator and in a
hierarchy; a message among 100 peers of a mesh at most 1.5 times that among 5; a hundred thousand agents complete within two
minutes of CPU, each run in a process of its own. Messages are counted by their events. The teams of a kind handle about as many, so that what a run costs once is shared alike; the agents
themselves are made once a run, and are measured apart.
"""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from harness.run import simulate
from harness.run.build import PatternRun
from harness.scenario import LoadedScenario
from harness.scenario.load import load_spec
from harness.spans import MESSAGE

MESSAGES = 40_000
"""Messages that each team handles, about."""

ROUNDS = 3
"""Measurements of each team, of which the best counts."""

SPAN_OF_CONTROL = 50
"""How many report to a manager."""

TARGET = 1.5

CROWD = 100_000

CROWD_TARGET_S = 120.0
"""CPU within which a crowd is to be read and to complete [s]."""

Team = Callable[[int, int], LoadedScenario]


def scenario_of(
    pattern: dict[str, Any], names: list[str], tasks: int, **counts: int
) -> LoadedScenario:
    """A team, all on one model without limits."""
    made = {"model": "fast", "output_tokens": 50}
    spec: dict[str, Any] = {
        "scenario": f"team-of-{len(names) + sum(counts.values())}",
        "workload": {"tasks": tasks},
        "providers": {"anthropic": {}},
        "models": {"fast": {"provider": "anthropic", "name": "claude-haiku-4-5"}},
        "agents": dict.fromkeys(names, made)
        | {name: {**made, "count": count} for name, count in counts.items()},
        "pattern": pattern,
    }
    return load_spec(spec)


def flat(workers: int, tasks: int) -> LoadedScenario:
    """A lead and its workers."""
    names = [f"worker-{number}" for number in range(workers)]
    roles = {"orchestrator": "lead", "workers": names, "synthesizer": "lead"}
    return scenario_of({"orchestrator_worker": roles}, ["lead", *names], tasks)


def hierarchy(workers: int, tasks: int) -> LoadedScenario:
    """Workers in groups under managers, and these under a director."""
    groups = max(2, workers // SPAN_OF_CONTROL)
    names = [f"worker-{number}" for number in range(workers)]
    managers = [f"manager-{number}" for number in range(groups)]
    reports = [
        {"manager": manager, "reports": names[number::groups]}
        for number, manager in enumerate(managers)
    ]
    roles = {"manager": "director", "reports": reports}
    return scenario_of({"hierarchical": roles}, ["director", *managers, *names], tasks)


def by_number(workers: int, tasks: int) -> LoadedScenario:
    """A lead, and one entry with a count for its workers."""
    roles = {"orchestrator": "lead", "workers": [{"all": "worker"}], "synthesizer": "lead"}
    return scenario_of({"orchestrator_worker": roles}, ["lead"], tasks, worker=workers)


def mesh(peers: int, tasks: int) -> LoadedScenario:
    """Peers that all write to all until the last round."""
    names = [f"peer-{number}" for number in range(peers)]
    return scenario_of({"mesh": {"peers": names, "max_rounds": 3}}, names, tasks)


def messages_of(scenario: LoadedScenario) -> int:
    """How many messages a run delivers."""
    return sum(name == MESSAGE for name in simulate(scenario, 1).events.values("name"))


def per_message_s(team: Team, size: int) -> float:
    """CPU that a message of a team costs, without making the agents; the best of some rounds [s]."""
    tasks = max(1, round(MESSAGES / messages_of(team(size, 1))))
    scenario = team(size, tasks)
    messages = messages_of(scenario)
    found = []
    for _ in range(ROUNDS):
        gc.collect()
        began_s = time.process_time()
        PatternRun(scenario, 1)
        made_s = time.process_time() - began_s
        gc.collect()
        began_s = time.process_time()
        simulate(scenario, 1)
        found.append((time.process_time() - began_s - made_s) / messages)
    return min(found)


TEAMS: tuple[tuple[str, Team, tuple[int, ...]], ...] = (
    ("workers of an orchestrator", flat, (50, 500, 5_000)),
    ("workers of a hierarchy", hierarchy, (50, 500, 5_000)),
    ("peers of a mesh", mesh, (5, 100)),
)


CROWDS: tuple[tuple[str, Team], ...] = (
    ("workers of an orchestrator", flat),
    ("workers of an orchestrator, by number", by_number),
    ("workers of a hierarchy", hierarchy),
)


def crowd(name: str, team: Team) -> str:
    """Run a hundred thousand agents once, and say what it took."""
    began_s = time.process_time()
    scenario = team(CROWD, 1)
    read_s = time.process_time() - began_s
    result = simulate(scenario, 1)
    whole_s = time.process_time() - began_s
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return (
        f"{CROWD:,} {name}: {result.status}, {len(result.spans):,} spans, {whole_s:.1f} s of CPU (target: at most "
        f"{CROWD_TARGET_S:.0f}) of which {read_s:.1f} s to read the scenario, peak memory {peak_gb:.2f} GB"
    )


def main() -> None:
    """Measure teams of several sizes, then the largest."""
    for name, team, sizes in TEAMS:
        costs = {size: per_message_s(team, size) for size in sizes}
        for size, cost_s in costs.items():
            print(f"{size:>7,} {name}: {cost_s * 1e6:6.1f} us per message", flush=True)
        ratio = costs[sizes[-1]] / costs[sizes[0]]
        print(f"{sizes[-1]:,} against {sizes[0]}: {ratio:.2f} (target: at most {TARGET})")
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as alone:
        for name, team in CROWDS:
            print(alone.submit(crowd, name, team).result(), flush=True)


if __name__ == "__main__":
    main()

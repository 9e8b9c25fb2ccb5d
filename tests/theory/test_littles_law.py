"""Little's law, L = lambda W, holds in every single run, exactly and not on average (Little, 1961; Stidham, 1974).

The area under the number of tasks in the system, swept through time event by event, is the sum of the times that the
tasks spent in it, whatever the pattern, the policies and the faults were. The same holds for the queue and for the
slots. Times are whole microseconds, so the areas are compared as integers.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from harness.metrics import summarise
from harness.run import RunResult, Simulation
from harness.spans import ATTEMPT, TASK

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def whole_us(time_s: float) -> int:
    return round(time_s * 1_000_000)


def area_us(intervals: list[tuple[float, float]]) -> int:
    """The integral over time of the number of intervals that are on, by a sweep over their ends."""
    changes = sorted(
        [(whole_us(start_s), 1) for start_s, _ in intervals]
        + [(whole_us(end_s), -1) for _, end_s in intervals]
    )
    area, on, last_us = 0, 0, 0
    for at_us, change in changes:
        area += on * (at_us - last_us)
        on, last_us = on + change, at_us
    assert on == 0
    return area


def rows(result: RunResult, kind: str) -> list[tuple[Any, ...]]:
    columns = ("arrival_s", "start_s", "end_s", "status", "kind")
    return [row for row in result.spans.rows(*columns) if row[-1] == kind]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("file", sorted(SCENARIOS.glob("*.yaml")), ids=lambda file: file.stem)
def test_area_under_the_number_in_system_is_the_sum_of_sojourns(file: Path, seed: int) -> None:
    """L T = sum of W over the tasks of a run, so L = (n / T) W; both sides in whole microseconds."""
    simulation = Simulation(file, overrides=["workload.warmup_tasks=0"])
    result = simulation.run(seed)
    tasks = rows(result, TASK)
    metrics, _ = summarise([result.tally])
    in_system_us = area_us([(arrival_s, end_s) for arrival_s, _, end_s, _, _ in tasks])
    assert in_system_us == sum(whole_us(end) - whole_us(arrival) for arrival, _, end, _, _ in tasks)
    arrivals_per_s = len(tasks) / metrics["makespan_s_mean"]
    number_in_system = in_system_us / 1e6 / metrics["makespan_s_mean"]
    assert math.isclose(number_in_system, arrivals_per_s * metrics["latency_s_mean"], rel_tol=1e-12)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("servers", [1, 3])
def test_queue_and_slots_obey_the_law_too(servers: int, seed: int) -> None:
    """Lq = lambda Wq for those who wait, and busy slots = lambda S = utilisation times slots for those in service."""
    result = Simulation(
        SCENARIOS / "queue.yaml",
        overrides=[
            "workload.tasks=300",
            "workload.warmup_tasks=0",
            f"providers.server.concurrency={servers}",
            f"workload.arrivals.poisson.rate_per_s={0.9 * servers}",
        ],
    ).run(seed)
    attempts = rows(result, ATTEMPT)
    metrics, _ = summarise([result.tally])
    makespan_s = metrics["makespan_s_mean"]
    waiting_us = area_us([(arrival_s, start_s) for arrival_s, start_s, _, _, _ in attempts])
    serving_us = area_us([(start_s, end_s) for _, start_s, end_s, _, _ in attempts])
    assert math.isclose(
        waiting_us / 1e6, metrics["queue_wait_s_mean"] * len(attempts), rel_tol=1e-12
    )
    assert math.isclose(
        serving_us / 1e6, metrics["utilisation"] * servers * makespan_s, rel_tol=1e-12
    )
    in_system_us = area_us([(arrival_s, end_s) for arrival_s, _, end_s, _, _ in rows(result, TASK)])
    assert in_system_us == waiting_us + serving_us

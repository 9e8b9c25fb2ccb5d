"""Latency and messages of a hierarchy against its depth.

A manager plans, waits for its reports and sums up: with D levels of managers, one report a manager but n at the bottom, and calls that
take independent exponential times of mean 1, a task takes 2 D + H(n) on average, H(n) being the mean of the largest of n of them
(Renyi, 1953). Messages go down and up each edge of the tree, and one goes to the user.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from harness.metrics import Metrics, summarise
from harness.run import Simulation
from tests.theory.test_queues import assert_mean_is

HIERARCHY = Path(__file__).parents[2] / "scenarios" / "hierarchical_lost_detail.yaml"
WORKERS = 4


def metrics_of_depth(depth: int, latency: str, runs: int) -> list[Metrics]:
    """The metrics of each of some runs of 200 tasks, one after another."""
    reports = "[books, tax, doors, locks]"
    for _ in range(depth - 1):
        reports = f"[{{manager: finance, reports: {reports}}}]"
    simulation = Simulation(
        HIERARCHY,
        overrides=[
            "workload.tasks=200",
            "workload.arrivals={closed: {users: 1}}",
            *(
                f"models.{name}.latency={{ttft_s: {latency}, itl_s: 0}}"
                for name in ("deep", "fast")
            ),
            f"pattern.hierarchical={{manager: director, reports: {reports}}}",
        ],
    )
    return [summarise([simulation.run(seed).tally])[0] for seed in range(1, runs + 1)]


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_latency_grows_by_two_calls_a_level(depth: int) -> None:
    """20 runs of 200 tasks, 99 %."""
    bottom = math.fsum(1 / place for place in range(1, WORKERS + 1))
    found = metrics_of_depth(depth, "{exponential: {mean: 1}}", runs=20)
    assert_mean_is([it["latency_s_mean"] for it in found], 2 * depth + bottom, within=0.06)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_messages_grow_by_two_an_edge(depth: int) -> None:
    (found,) = metrics_of_depth(depth, "1", runs=1)
    edges = depth - 1 + WORKERS
    assert found["messages_mean"] == 2 * edges + 1
    assert found["calls_mean"] == 2 * depth + WORKERS
    assert found["latency_s_mean"] == pytest.approx(2 * depth + 1)

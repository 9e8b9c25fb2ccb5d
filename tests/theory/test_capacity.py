"""The capacity of a queue is known: the mean wait of M/M/c stays below a bound up to one arrival rate."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.store import Store
from harness.sweep import Sweeping
from harness.sweep.answers import condition_of, find_capacity
from harness.sweep.axes import axis
from harness.sweep.engines import Processes
from tests.theory.test_queues import erlang_c

QUEUE = Path(__file__).parents[2] / "scenarios" / "queue.yaml"
RATE = "workload.arrivals.poisson.rate_per_s"


def rate_with_wait(servers: int, wait_s: float) -> float:
    """The arrival rate at which the mean wait of M/M/c with service rate 1 is so long [1/s]."""
    low, high = 0.0, float(servers)
    for _ in range(60):
        middle = (low + high) / 2
        wait = erlang_c(servers, middle) / (servers - middle) if middle else 0.0
        low, high = (middle, high) if wait < wait_s else (low, middle)
    return low


def capacity(tmp_path: Path, first_seed: int, servers: int) -> tuple[float | None, float | None]:
    """The ends of the interval that a search finds for a mean wait of half a service time."""
    found = find_capacity(
        Sweeping(Store(tmp_path / "runs.duckdb"), Processes(1)),
        QUEUE,
        RATE,
        (condition_of("queue_wait_s_mean<0.5"),),
        between=axis(RATE, f"{0.1 * servers}..{1.5 * servers}", ""),
        precision=0.2,
        overrides=(
            f"providers.server.concurrency={servers}",
            "workload.tasks=120",
            "workload.warmup_tasks=20",
        ),
        first_seed=first_seed,
        seeds=16,
        seeds_max=32,
    )
    return found.good, found.bad


@pytest.mark.parametrize("servers", [1, 3])
@pytest.mark.parametrize("first_seed", [1, 1001])
def test_true_capacity_lies_in_the_interval_that_is_found(
    tmp_path: Path, first_seed: int, servers: int
) -> None:
    good, bad = capacity(tmp_path, first_seed, servers)
    assert good is not None
    assert bad is not None
    assert good < rate_with_wait(servers, 0.5) < bad


def test_rate_of_one_server_is_the_textbook_one() -> None:
    """M/M/1: Wq = rho / (1 - rho), so half a second at a third."""
    assert rate_with_wait(1, 0.5) == pytest.approx(1 / 3)

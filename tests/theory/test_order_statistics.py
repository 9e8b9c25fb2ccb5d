"""Waiting for the first, or the first k, of n members against the order statistics of their latencies.

The time until the k-th of n independent answers is their k-th order statistic, with the distribution
P(X(k) <= x) = sum over j >= k of C(n, j) F(x)^j (1 - F(x))^(n - j) (David and Nagaraja, "Order Statistics", 2.1).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.metrics import summarise
from harness.run import Simulation
from tests.theory.test_queues import assert_mean_is

PARALLEL = Path(__file__).parents[2] / "scenarios" / "parallel.yaml"
N = 3


def mean_latencies_s(latency: str, aggregate: str, runs: int = 20) -> list[float]:
    """The mean latency of 200 tasks, one after another, in each of some runs."""
    simulation = Simulation(
        PARALLEL,
        overrides=[
            "workload.tasks=200",
            "workload.arrivals={closed: {users: 1}}",
            f"models.fast.latency={{ttft_s: {latency}, itl_s: 0}}",
            "faults=[]",
            f"pattern.parallel.aggregate={aggregate}",
        ],
    )
    return [
        summarise([simulation.run(seed).tally])[0]["latency_s_mean"] for seed in range(1, runs + 1)
    ]


def mean_of_order_statistic(cdf: Callable[[float], float], k: int, n: int) -> float:
    """E[X(k)], the integral of P(X(k) > x), by the trapezoidal rule on a grid of equal ratios."""

    def survival(x: float) -> float:
        p = cdf(x)
        return sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k))

    grid = [10 ** (-5 + step / 200) for step in range(1601)]
    inner = sum((b - a) * (survival(a) + survival(b)) / 2 for a, b in itertools.pairwise(grid))
    return grid[0] + inner


def exponential(x: float) -> float:
    return 1 - math.exp(-x)


def lognormal(x: float) -> float:
    """Median 1, sigma 0.8."""
    return (1 + math.erf(math.log(x) / (0.8 * math.sqrt(2)))) / 2


@pytest.mark.parametrize("k", [1, 2, 3])
def test_integral_gives_the_closed_form_of_exponential_times(k: int) -> None:
    """E[X(k)] = H(n) - H(n - k) for mean 1 (Renyi, 1953): the test of the yardstick below."""
    closed = math.fsum(1 / i for i in range(N - k + 1, N + 1))
    assert math.isclose(mean_of_order_statistic(exponential, k, N), closed, rel_tol=1e-4)


@pytest.mark.parametrize(
    ("aggregate", "k"),
    [("{first: {}}", 1), ("{quorum: {k: 2}}", 2), ("{majority: {}}", 3)],
)
def test_latency_of_exponential_members(aggregate: str, k: int) -> None:
    """1/3, 5/6 and 11/6 of the mean latency; 20 runs of 200 tasks, 99 %."""
    closed = math.fsum(1 / i for i in range(N - k + 1, N + 1))
    found = mean_latencies_s("{exponential: {mean: 1}}", aggregate)
    assert_mean_is(found, closed, within=0.06)


@pytest.mark.parametrize(("aggregate", "k"), [("{first: {}}", 1), ("{quorum: {k: 2}}", 2)])
def test_latency_of_lognormal_members(aggregate: str, k: int) -> None:
    """Median 1 s, sigma 0.8; 20 runs of 200 tasks, 99 %."""
    found = mean_latencies_s("{lognormal: {median: 1, sigma: 0.8}}", aggregate)
    assert_mean_is(found, mean_of_order_statistic(lognormal, k, N), within=0.06)

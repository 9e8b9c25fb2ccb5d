"""Queues with one agent against their closed forms, through the whole machinery: scenario, run, spans, metrics.

Every run gives one mean; over independent seeds the mean of those means lies, with 99 % confidence, within Student's
interval around its expected value. Seeds are fixed, so that a test passes always or never. Each interval must also be
narrow, or a wrong model could hide in it.
"""

from __future__ import annotations

import math
from pathlib import Path
from statistics import fmean, stdev

import pytest

from harness.metrics import Metrics, summarise
from harness.run import Simulation, processes, simulate_many

QUEUE = Path(__file__).parents[2] / "scenarios" / "queue.yaml"

T_995 = {9: 3.250, 19: 2.861, 29: 2.756, 39: 2.708, 59: 2.660}
"""Quantiles 0.995 of Student's t by degrees of freedom: a two-sided interval of 99 %.

Source: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
"""


def metrics_of_runs(runs: int, *overrides: str, jobs: int = 1) -> list[Metrics]:
    simulation = Simulation(QUEUE, overrides=overrides)
    if jobs == 1:
        return [summarise([simulation.run(seed).tally])[0] for seed in range(1, runs + 1)]
    with processes(jobs) as executor:
        results = simulate_many(
            simulation.scenario, range(1, runs + 1), executor=executor, jobs=jobs
        )
        return [summarise([result.tally])[0] for result in results]


def assert_mean_is(samples: list[float], expected: float, *, within: float) -> None:
    """The expected value lies in the interval of 99 %, which is no wider than a share of it to either side."""
    half_width = T_995[len(samples) - 1] * stdev(samples) / math.sqrt(len(samples))
    assert half_width < within * expected, "too few runs to tell right from wrong"
    assert abs(fmean(samples) - expected) < half_width, (fmean(samples), expected, half_width)


def erlang_c(servers: int, load: float) -> float:
    """The probability that an arrival has to wait (Erlang, 1917; Kleinrock, "Queueing Systems I", 3.5)."""
    waiting = load**servers / math.factorial(servers) * servers / (servers - load)
    return waiting / (sum(load**n / math.factorial(n) for n in range(servers)) + waiting)


def test_mean_wait_of_one_exponential_server() -> None:
    """M/M/1: Wq = rho / (mu - lambda) (Kleinrock, "Queueing Systems I", 3.2); lambda 0.6, mu 1: 1.5 s.

    30 runs of 1,500 tasks; 99 %; the interval is about 8 % wide to either side.
    """
    found = metrics_of_runs(30, "workload.tasks=1500", "workload.arrivals.poisson.rate_per_s=0.6")
    waits_s = [metrics["queue_wait_s_mean"] for metrics in found]
    assert_mean_is(waits_s, 0.6 / (1 - 0.6), within=0.1)
    assert_mean_is([metrics["utilisation"] for metrics in found], 0.6, within=0.02)
    assert_mean_is([metrics["throughput_per_s"] for metrics in found], 0.6, within=0.02)


def test_mean_wait_of_three_exponential_servers() -> None:
    """M/M/c: Wq = C(c, a) / (c mu - lambda), Erlang's C (Kleinrock, "Queueing Systems I", 3.5).

    lambda 2.1, mu 1, c 3, so a = 2.1 and rho = 0.7; 30 runs of 2,000 tasks; 99 %.
    """
    found = metrics_of_runs(
        30, "workload.arrivals.poisson.rate_per_s=2.1", "providers.server.concurrency=3"
    )
    waits_s = [metrics["queue_wait_s_mean"] for metrics in found]
    assert_mean_is(waits_s, erlang_c(3, 2.1) / (3 - 2.1), within=0.12)
    assert_mean_is([metrics["utilisation"] for metrics in found], 0.7, within=0.02)


@pytest.mark.parametrize(
    ("service", "second_moment"),
    [
        ("1.0", 1.0),
        ("{uniform: {low: 0, high: 2}}", 4 / 3),
        ("{gamma: {shape: 2, scale: 0.5}}", 3 / 2),
    ],
    ids=["constant", "uniform", "gamma"],
)
def test_mean_wait_of_one_server_of_any_kind(service: str, second_moment: float) -> None:
    """M/G/1: Wq = lambda E[S^2] / (2 (1 - rho)) (Pollaczek and Khinchine; Kleinrock, "Queueing Systems I", 5.6).

    E[S] = 1 in all three, lambda 0.6; M/D/1 is the constant one, with half the wait of M/M/1. 20 runs; 99 %.
    """
    found = metrics_of_runs(
        20,
        "workload.tasks=1500",
        "workload.arrivals.poisson.rate_per_s=0.6",
        f"models.exponential.latency.ttft_s={service}",
    )
    waits_s = [metrics["queue_wait_s_mean"] for metrics in found]
    assert_mean_is(waits_s, 0.6 * second_moment / (2 * (1 - 0.6)), within=0.15)


def test_share_of_refusals_of_a_bounded_queue() -> None:
    """M/M/1/K: P(K) = (1 - rho) rho^K / (1 - rho^(K + 1)) (Kleinrock, "Queueing Systems I", 3.6).

    Three may wait and one is served, so K = 4; rho 0.8. Arrivals are Poisson and so see the average (Wolff, 1982).
    20 runs of 2,000 tasks, no retries; 99 %.
    """
    found = metrics_of_runs(20, "providers.server.queue={capacity: 3}")
    refused = [1 - metrics["success_rate"] for metrics in found]
    assert_mean_is(refused, (1 - 0.8) * 0.8**4 / (1 - 0.8**5), within=0.08)


def test_utilisation_under_a_fixed_number_of_users() -> None:
    """M/M/1//N: 1 - P0 with P0 = 1 / sum over n of N! / (N - n)! (lambda / mu)^n (Kleinrock, "Queueing Systems I", 3.8).

    Four users think for 3 s on average, the server takes 1 s. 20 runs of 1,500 s, which the horizon ends while all
    users are still there; 99 %.
    """
    found = metrics_of_runs(
        20,
        "horizon_s=1500",
        "workload.tasks=100000",
        "workload.arrivals={closed: {users: 4, think_s: {exponential: {mean: 3}}}}",
    )
    idle = 1 / sum(math.perm(4, n) * (1 / 3) ** n for n in range(5))
    assert_mean_is([metrics["utilisation"] for metrics in found], 1 - idle, within=0.02)


@pytest.mark.slow
def test_mean_wait_that_the_scenario_file_claims() -> None:
    """M/M/1 at rho = 0.8: Wq = 0.8 / (1 - 0.8) = 4 s, as scenarios/queue.yaml says.

    Waits are strongly correlated at this load: 40 runs of 4,000 tasks for an interval of 10 %; 99 %.
    """
    found = metrics_of_runs(40, "workload.tasks=4000", "workload.warmup_tasks=400", jobs=2)
    assert_mean_is([metrics["queue_wait_s_mean"] for metrics in found], 4.0, within=0.12)


@pytest.mark.slow
def test_mean_wait_of_ten_servers_under_heavy_load() -> None:
    """M/M/c with c 10, lambda 9, mu 1: Wq = C(10, 9) / (10 - 9) = 0.669 s. 40 runs of 4,000 tasks; 99 %."""
    found = metrics_of_runs(
        40,
        "workload.tasks=4000",
        "workload.warmup_tasks=1000",
        "workload.arrivals.poisson.rate_per_s=9",
        "providers.server.concurrency=10",
        jobs=2,
    )
    waits_s = [metrics["queue_wait_s_mean"] for metrics in found]
    assert_mean_is(waits_s, erlang_c(10, 9), within=0.2)

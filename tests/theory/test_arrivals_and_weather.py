"""Poisson arrivals and two-state overload against their closed forms; intervals of 99 %, fixed seeds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from statistics import NormalDist, fmean, stdev, variance

from harness.chance import Draws
from harness.chance.arrivals import Poisson
from harness.chance.distributions import Exponential
from harness.metrics import summarise
from harness.provider import Overload
from harness.provider.overload import Availability
from harness.run import Simulation

QUEUE = Path(__file__).parents[2] / "scenarios" / "queue.yaml"

Z_995 = NormalDist().inv_cdf(0.995)
T_995_OF_29 = 2.756
"""Quantile 0.995 of Student's t with 29 degrees of freedom (NIST/SEMATECH e-Handbook, 1.3.6.7.2)."""


def chi_square(p: float, degrees: int) -> float:
    """A quantile, to a thousandth at some hundred degrees of freedom (Wilson and Hilferty, PNAS 17, 1931)."""
    step = 2 / (9 * degrees)
    return degrees * (1 - step + NormalDist().inv_cdf(p) * math.sqrt(step)) ** 3


def poisson_times_s(seed: int, rate_per_s: float, until_s: float) -> Iterator[float]:
    arrivals = Poisson(rate_per_s=rate_per_s).arrivals(Draws(seed))
    return takewhile(lambda at_s: at_s < until_s, (arrival.at_s for arrival in arrivals))


def test_number_of_poisson_arrivals_has_its_mean_and_its_variance() -> None:
    """N(T) is Poisson with mean and variance lambda T = 100 (Ross, "Stochastic Processes", 2.1); 400 seeds.

    The mean of the counts is normal with variance lambda T / 400; their dispersion, sum (n - mean)^2 / mean, is
    chi-square with 399 degrees of freedom (Fisher).
    """
    counts = [sum(1 for _ in poisson_times_s(seed, 0.5, 200.0)) for seed in range(400)]
    assert abs(fmean(counts) - 100) < Z_995 * math.sqrt(100 / 400)
    dispersion = 399 * variance(counts) / fmean(counts)
    assert chi_square(0.005, 399) < dispersion < chi_square(0.995, 399)


def test_poisson_arrivals_in_disjoint_intervals_are_independent() -> None:
    """The correlation of two neighbouring counts over n seeds is normal around 0 with variance 1 / n; 400 seeds."""
    pairs = []
    for seed in range(400):
        times_s = list(poisson_times_s(seed, 0.5, 200.0))
        first = sum(at_s < 100 for at_s in times_s)
        pairs.append((first, len(times_s) - first))
    first_mean, second_mean = fmean(a for a, _ in pairs), fmean(b for _, b in pairs)
    covariance = fmean((a - first_mean) * (b - second_mean) for a, b in pairs)
    spread = stdev([a for a, _ in pairs]) * stdev([b for _, b in pairs])
    assert abs(covariance / spread) < Z_995 / math.sqrt(400)


def test_share_of_overloaded_time() -> None:
    """An alternating renewal process is on for E[on] / (E[on] + E[off]) of the time (Ross, 3.4.1): 15 / 75 = 0.2.

    30 seeds of 20,000 s, looked at every 4 s; spells take 37.5 s on average, so nothing is missed but fractions.
    """
    overload = Overload(calm_s=Exponential(mean=60), overloaded_s=Exponential(mean=15), refuse=1.0)
    shares = []
    for seed in range(30):
        weather = Availability(overload, Draws(seed), "p")
        shares.append(fmean(weather.is_overloaded(4.0 * step) for step in range(5000)))
    half_width = T_995_OF_29 * stdev(shares) / math.sqrt(30)
    assert half_width < 0.015
    assert abs(fmean(shares) - 0.2) < half_width


def test_share_of_attempts_that_overload_refuses() -> None:
    """Poisson arrivals see time averages (Wolff, 1982): a share of 0.2 * 0.8 = 0.16 meets a 529; 30 runs."""
    simulation = Simulation(
        QUEUE,
        overrides=[
            "workload={tasks: 1500, arrivals: {poisson: {rate_per_s: 0.5}}}",
            "providers.server.overload.calm_s={exponential: {mean: 60}}",
            "providers.server.overload.overloaded_s={exponential: {mean: 15}}",
            "providers.server.overload.refuse=0.8",
            "providers.server.concurrency=100000",
        ],
    )
    refused = [1 - summarise([simulation.run(seed).tally])[0]["success_rate"] for seed in range(30)]
    half_width = T_995_OF_29 * stdev(refused) / math.sqrt(30)
    assert half_width < 0.02
    assert abs(fmean(refused) - 0.16) < half_width

"""Distributions: their mean, their shape, their support, and what is refused."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist, fmean, median, pvariance
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from harness.chance import Draws
from harness.chance.distributions import (
    DISTRIBUTIONS,
    AnyDistribution,
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    LogNormal,
    LogNormalTail,
    Normal,
    Uniform,
    Weibull,
)
from harness.errors import ScenarioError

SAMPLES = 10_000

phi = NormalDist().cdf


class FixedDraws(Draws):
    """Draws whose every value is given."""

    def __init__(self, value: float) -> None:
        super().__init__(0)
        self.value = value

    def uniform(self, *_: object) -> float:
        return self.value


def samples(distribution: Distribution, n: int = SAMPLES) -> list[float]:
    draws = Draws(20_261_121)
    return [distribution.sample(draws, "sample", number) for number in range(n)]


MEASURED = (3.0, 1.0, 1.0, 7.0)

# Each with its variance, or a bound on it from above, and its distribution function where it is continuous and known.
CASES: list[tuple[Distribution, float, Callable[[float], float] | None]] = [
    (Constant(2.5), 0, None),
    (Uniform(low=2, high=5), 9 / 12, lambda x: (x - 2) / 3),
    (Uniform(high=1), 1 / 12, lambda x: x),
    (Exponential(mean=4), 16, lambda x: 1 - math.exp(-x / 4)),
    (Normal(mu=10, sigma=1), 1, lambda x: phi(x - 10)),
    (Normal(mu=1, sigma=2), 4, lambda x: (phi((x - 1) / 2) - phi(-0.5)) / (1 - phi(-0.5))),
    (Normal(mu=0, sigma=3), 9, lambda x: 2 * phi(x / 3) - 1),
    (
        LogNormal(median=1.5, sigma=0.4),
        (math.exp(0.16) - 1) * 1.5**2 * math.exp(0.16),
        lambda x: phi(math.log(x / 1.5) / 0.4),
    ),
    (LogNormal(median=3, sigma=0), 0, None),
    (
        LogNormalTail(median=1, sigma=0.3, tail_share=0.1, tail_median=8, tail_sigma=0.4),
        0.9 * math.exp(0.18) + 0.1 * 64 * math.exp(0.32),
        lambda x: 0.9 * phi(math.log(x) / 0.3) + 0.1 * phi(math.log(x / 8) / 0.4),
    ),
    (Gamma(shape=1, scale=2), 4, lambda x: 1 - math.exp(-x / 2)),
    (Gamma(shape=2, scale=3), 18, lambda x: 1 - math.exp(-x / 3) * (1 + x / 3)),
    (Gamma(shape=0.5, scale=4), 8, lambda x: math.erf(math.sqrt(x / 4))),
    (Gamma(shape=50, scale=0.1), 0.5, None),
    (
        Weibull(shape=2, scale=3),
        9 * (math.gamma(2) - math.gamma(1.5) ** 2),
        lambda x: 1 - math.exp(-((x / 3) ** 2)),
    ),
    (
        Weibull(shape=0.7, scale=1),
        math.gamma(1 + 2 / 0.7) - math.gamma(1 + 1 / 0.7) ** 2,
        lambda x: 1 - math.exp(-(x**0.7)),
    ),
    (Empirical(values=MEASURED), pvariance(MEASURED), None),
]

each_distribution = pytest.mark.parametrize("distribution", [case[0] for case in CASES])


# -- mean and shape ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("distribution", "variance"), [case[:2] for case in CASES])
def test_mean_of_samples_is_the_mean(distribution: Distribution, variance: float) -> None:
    """The mean of n samples lies within 3.9 standard errors in all but one of ten thousand tries; the seed is fixed."""
    standard_error = math.sqrt(variance / SAMPLES)
    assert fmean(samples(distribution)) == pytest.approx(
        distribution.mean, abs=3.9 * standard_error + 1e-12
    )


@pytest.mark.parametrize(("distribution", "cdf"), [(d, cdf) for d, _, cdf in CASES if cdf])
def test_samples_follow_the_distribution_function(
    distribution: Distribution, cdf: Callable[[float], float]
) -> None:
    """Kolmogorov-Smirnov: sqrt(n) D exceeds 1.95 in one of a thousand samples; the seed is fixed."""
    ordered = [cdf(value) for value in sorted(samples(distribution))]
    distance = max(
        max((rank + 1) / SAMPLES - value, value - rank / SAMPLES)
        for rank, value in enumerate(ordered)
    )
    assert math.sqrt(SAMPLES) * distance < 1.95


def test_spread_of_a_gamma_without_a_simple_distribution_function_is_right() -> None:
    """The variance of n samples of a nearly normal value has a relative error of sqrt(2 / n); four of them."""
    values = samples(Gamma(shape=50, scale=0.1))
    assert pvariance(values) == pytest.approx(50 * 0.1**2, rel=4 * math.sqrt(2 / SAMPLES))


def test_median_of_a_lognormal_is_its_parameter() -> None:
    assert LogNormal(median=1.5, sigma=0.4).sample(FixedDraws(0.5)) == 1.5
    assert median(samples(LogNormal(median=1.5, sigma=0.4))) == pytest.approx(1.5, rel=0.02)


def test_empirical_gives_each_value_its_share() -> None:
    values = samples(Empirical(values=MEASURED))
    shares = {value: values.count(value) / SAMPLES for value in MEASURED}
    assert shares == pytest.approx({1.0: 0.5, 3.0: 0.25, 7.0: 0.25}, abs=0.02)  # 4 standard errors


# -- support and monotony ---------------------------------------------------------------------------

EXTREMES = [
    2.0**-53,
    2.0**-30,
    1e-6,
    0.001,
    *(n / 50 for n in range(1, 50)),
    0.999,
    1 - 2.0**-30,
    1 - 2.0**-53,
]


@each_distribution
def test_samples_are_finite_and_not_negative_even_for_extreme_draws(
    distribution: Distribution,
) -> None:
    if isinstance(
        distribution, Gamma
    ):  # rejects until it has a fitting pair, so it needs real draws
        values = samples(distribution)
    else:
        values = [distribution.sample(FixedDraws(value)) for value in EXTREMES]
    assert all(0 <= value < math.inf for value in values)


@pytest.mark.parametrize(
    "distribution", [case[0] for case in CASES if not isinstance(case[0], Gamma)]
)
def test_sample_is_monotone_in_the_draw(distribution: Distribution) -> None:
    """One draw, one sample, by the inverse of the distribution function; up or down, but never both."""
    values = [distribution.sample(FixedDraws(value)) for value in EXTREMES]
    assert values in (sorted(values), sorted(values, reverse=True))


def test_samples_stay_within_the_support() -> None:
    assert all(2 <= value <= 5 for value in samples(Uniform(low=2, high=5)))
    assert {Constant(2.5).sample(Draws(n)) for n in range(9)} == {2.5}
    assert set(samples(Empirical(values=MEASURED))) == set(MEASURED)
    assert min(samples(Normal(mu=0.1, sigma=5))) >= 0


def test_changed_parameter_moves_every_sample_and_replaces_none() -> None:
    """What makes two versions of a program comparable run by run."""
    pairs: list[tuple[Distribution, Distribution]] = [
        (Uniform(low=1, high=2), Uniform(low=1, high=2.2)),
        (Exponential(mean=1), Exponential(mean=1.1)),
        (Normal(mu=1, sigma=1), Normal(mu=1.1, sigma=1)),
        (LogNormal(median=1, sigma=1), LogNormal(median=1.1, sigma=1)),
        (Gamma(shape=2, scale=1), Gamma(shape=2, scale=1.1)),
        (Weibull(shape=0.8, scale=1), Weibull(shape=0.8, scale=1.1)),
    ]
    for before, after in pairs:
        for old, new in zip(samples(before, 200), samples(after, 200), strict=True):
            assert old < new <= 1.1 * old + 0.1 + 1e-9


@each_distribution
def test_sample_depends_on_seed_and_key_alone(distribution: Distribution) -> None:
    draws = Draws(7)
    first = [distribution.sample(draws, "a", number) for number in range(20)]
    for number in range(50):
        distribution.sample(draws, "b", number)
    assert [distribution.sample(Draws(7), "a", number) for number in range(20)] == first


@each_distribution
def test_distributions_are_values(distribution: Distribution) -> None:
    """They are compared, kept in sets, and sent to other processes."""
    for twin in (copy.deepcopy(distribution), pickle.loads(pickle.dumps(distribution))):
        assert twin == distribution
        assert hash(twin) == hash(distribution)
        assert samples(twin, 5) == samples(distribution, 5)


# -- what is refused --------------------------------------------------------------------------------

from_file: TypeAdapter[Distribution] = TypeAdapter(AnyDistribution)


@pytest.mark.parametrize(
    "entry",
    [
        -1,
        "fast",
        {},
        {"zipf": {"mean": 1}},
        {"constant": 1, "exponential": {"mean": 1}},
        {"constant": -1},
        {"uniform": {"low": -1, "high": 2}},
        {"uniform": {"low": 3, "high": 2}},
        {"uniform": {"low": 1}},
        {"exponential": {"mean": 0}},
        {"exponential": {"mean": -1}},
        {"exponential": {"mean": "long"}},
        {"normal": {"mu": -1, "sigma": 1}},
        {"normal": {"mu": 1, "sigma": 0}},
        {"lognormal": {"median": 0, "sigma": 1}},
        {"lognormal": {"median": 1, "sigma": -0.1}},
        {"gamma": {"shape": 0, "scale": 1}},
        {"gamma": {"shape": 1, "scale": 0}},
        {"weibull": {"shape": 0, "scale": 1}},
        {"weibull": {"shape": 1, "scale": -2}},
        {"empirical": {}},
        {"empirical": {"values": []}},
        {"empirical": {"values": [1, -1]}},
        {"empirical": {"values": [1], "file": "values.csv"}},
    ],
)
def test_wrong_entry_of_a_scenario_is_refused(entry: object) -> None:
    with pytest.raises(ValidationError) as caught:
        from_file.validate_python(entry)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("entry", "distribution"),
    [
        (3, Constant(3)),
        (0, Constant(0)),
        ({"uniform": {"high": 2}}, Uniform(high=2)),
        ({"lognormal": {"median": 1, "sigma": 0.4}}, LogNormal(median=1, sigma=0.4)),
        ({"empirical": {"values": [1, 2]}}, Empirical(values=(1, 2))),
    ],
)
def test_entry_of_a_scenario_becomes_a_distribution(
    entry: object, distribution: Distribution
) -> None:
    assert from_file.validate_python(entry) == distribution


def test_every_distribution_has_a_name_and_a_case_above() -> None:
    assert {type(case[0]) for case in CASES} == set(DISTRIBUTIONS.values())


def test_bounds_that_cross_are_refused_wherever_they_come_from() -> None:
    with pytest.raises(ValueError, match=r"^high \(2\) is below low \(3\)$"):
        Uniform(low=3, high=2)


def test_bounds_and_values_may_be_equal_and_zero(tmp_path: Path) -> None:
    assert Uniform(low=2, high=2).sample(Draws(1)) == 2
    assert Uniform(low=0, high=0).mean == 0
    assert empirical(tmp_path, "0\n0.0\n").sorted_values == (0, 0)


@pytest.mark.parametrize("arguments", [{}, {"values": (1.0,), "file": "values.csv"}])
def test_empirical_needs_values_or_a_file_and_not_both(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either values or file"):
        Empirical(**arguments)


# -- empirical values from a file -------------------------------------------------------------------


def empirical(folder: Path, content: str | bytes) -> Empirical:
    file = folder / "values.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Empirical(file=str(file))


@pytest.mark.parametrize(
    "content",
    [
        "3\n1\n2\n",
        "3\r\n1\r\n2",
        "latency_s\n3\n1\n2\n",
        "latency_s,model\n3,haiku\n1,opus\n2,haiku\n",
        '"latency_s"\n\n3\n  \n1\n2\n\n',
        "\ufeff3\n1\n2\n",
        "\ufefflatency_s\n3\n1\n2\n",
        " 3 \n1e0\n2.0\n",
    ],
)
def test_values_are_read_from_the_first_column_with_or_without_a_heading(
    tmp_path: Path, content: str
) -> None:
    distribution = empirical(tmp_path, content)
    assert distribution.sorted_values == (1, 2, 3)
    assert distribution.mean == 2
    assert set(samples(distribution, 100)) == {1, 2, 3}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("latency_s\n1\n\nfast\n", r"values\.csv:4: 'fast' is not a number"),
        ("1\n-2\n", r"values\.csv:2: -2 is not a finite number from 0 up"),
        ("1\nnan\n", r"values\.csv:2: nan is not a finite number"),
        ("1\n\n\ninf\n", r"values\.csv:4: inf is not a finite number"),
        ("", r"values\.csv: holds no values"),
        ("latency_s\n", r"values\.csv: holds no values"),
        (b"\xff\xfe1\n", r"values\.csv: the values of an empirical distribution cannot be read"),
    ],
)
def test_wrong_file_is_refused_with_its_name_and_line(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(ScenarioError, match=message):
        _ = empirical(tmp_path, content).mean


def test_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"nowhere\.csv: the values .* cannot be read"):
        Empirical(file=str(tmp_path / "nowhere.csv")).sample(Draws(1))


def test_file_is_read_once(tmp_path: Path) -> None:
    distribution = empirical(tmp_path, "1\n2\n")
    assert distribution.mean == 1.5
    (tmp_path / "values.csv").unlink()
    assert set(samples(distribution, 100)) == {1, 2}

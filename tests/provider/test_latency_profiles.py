"""How long a model takes: the arithmetic of a profile, and the profiles that are shipped."""

from __future__ import annotations

import math
import re
import tomllib
from importlib import resources
from statistics import NormalDist

import pytest

from harness.chance import Draws
from harness.chance.distributions import Constant, Exponential, LogNormal, Uniform
from harness.errors import ScenarioError
from harness.provider import Latency, Tail, latency_of

PROFILES = tomllib.loads(
    resources.files("harness.provider").joinpath("profiles.toml").read_text(encoding="utf-8")
)


def test_duration_is_the_sum_of_its_parts() -> None:
    latency = Latency(
        ttft_s=Constant(0.5), itl_s=Constant(0.02), prefill_s_per_1k_input_tokens=0.0125
    )
    duration = latency.sample(Draws(1), "k", 4000, 150)
    assert duration == (0.5 + 0.0125 * 4, 0.02 * 150)


def test_factor_tail_and_slowness_multiply_everything() -> None:
    latency = Latency(
        ttft_s=Constant(0.5),
        itl_s=Constant(0.02),
        prefill_s_per_1k_input_tokens=0.0125,
        factor=Constant(1.5),
        tail=Tail(probability=1.0, factor=8),
    )
    plain = latency.sample(Draws(1), "k", 4000, 150)
    assert plain == (6.6, 36.0)  # 0.55 and 3 s, times 12
    slow = latency.sample(Draws(1), "k", 4000, 150, 10.0)
    assert slow == (66.0, 360.0)


def test_reading_takes_no_time_unless_the_profile_says_so() -> None:
    latency = Latency(ttft_s=Constant(0.5))
    assert latency.sample(Draws(1), "k", 1_000_000, 1_000_000) == (0.5, 0.0)


def test_durations_are_whole_microseconds() -> None:
    latency = Latency(ttft_s=Constant(1 / 3), itl_s=Constant(1 / 7000))
    assert latency.sample(Draws(1), "k", 0, 100) == (0.333333, 0.014286)


def test_time_per_token_is_drawn_once_a_call() -> None:
    latency = Latency(ttft_s=Constant(0.0), itl_s=Uniform(low=0.01, high=0.03))
    one = latency.sample(Draws(1), "k", 0, 1)
    many = latency.sample(Draws(1), "k", 0, 1000)
    assert math.isclose(many.generate_s, one.generate_s * 1000, rel_tol=1e-3)  # rounded to 1 us


def test_same_attempt_of_the_same_seed_takes_the_same_time() -> None:
    latency = Latency(ttft_s=Exponential(mean=1.0), factor=LogNormal(median=1.0, sigma=0.5))
    first = latency.sample(Draws(1), "1/a/1/1", 10, 10)
    assert latency.sample(Draws(1), "1/a/1/1", 10, 10) == first
    assert latency.sample(Draws(2), "1/a/1/1", 10, 10) != first
    assert latency.sample(Draws(1), "1/a/1/2", 10, 10) != first


def test_tail_changes_no_other_draw() -> None:
    """A tail multiplies the unlucky ones, and leaves each of the others as it was."""
    body = LogNormal(median=1.0, sigma=0.5)
    plain = Latency(ttft_s=body, factor=body)
    tailed = Latency(ttft_s=body, factor=body, tail=Tail(probability=0.3, factor=8))
    ratios = [
        tailed.sample(Draws(1), str(n), 0, 0).prefill_s
        / plain.sample(Draws(1), str(n), 0, 0).prefill_s
        for n in range(100)
    ]
    assert all(math.isclose(ratio, 8 if ratio > 2 else 1, rel_tol=1e-4) for ratio in ratios)
    assert any(ratio > 2 for ratio in ratios)


def test_tail_hits_its_share() -> None:
    """A binomial share of 0.05 over 10,000 draws lies within its interval of 99 %; fixed seed."""
    latency = Latency(ttft_s=Constant(1.0), tail=Tail(probability=0.05, factor=8))
    hits = sum(latency.sample(Draws(1), str(n), 0, 0).prefill_s == 8 for n in range(10_000))
    half_width = NormalDist().inv_cdf(0.995) * math.sqrt(0.05 * 0.95 / 10_000)
    assert abs(hits / 10_000 - 0.05) < half_width


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_loads_and_draws_times_that_can_be(name: str) -> None:
    latency = latency_of(name)
    for number in range(50):
        duration = latency.sample(Draws(1), str(number), 1000, 200)
        assert 0.02 < duration.prefill_s < 200
        assert 0.02 < duration.generate_s < 400
    assert isinstance(latency.tail, Tail)


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_says_what_it_rests_on(name: str) -> None:
    profile = PROFILES[name]
    assert set(profile) <= {"fitted", "calls", "output_tokens_max", "source", "latency"}
    if profile["fitted"]:
        assert profile["calls"] > 0
        assert profile["output_tokens_max"] > 0
        assert profile["source"].startswith("fit of ")
        assert set(profile["latency"]["factor"]["lognormal"]) == {"median", "sigma"}
    else:
        assert profile["source"].startswith("a guess: ")
        assert "output_tokens_max" not in profile


FITS = """
    claude-sonnet-4-6  18 1.47 14.7 .70  469    claude-sonnet-4-5  34 1.87 16.0 .68  414
    claude-sonnet-4    38 1.96 10.8 .41 4096    claude-3-5-haiku   37 0.61 24.5 .30  270
    gpt-4o-mini       534 0.29 17.9 .40 1037    gpt-4.1-mini      267 0.26 13.6 .25 2478
    gpt-4o            255 0.32 16.5 .64 1443    gpt-5-mini        115 0.93 16.0 .32  896
    gpt-5              71 1.14 15.9 .77 4474    gpt-4.1            46 0.59 19.0 .44 1179
    gpt-5.6-sol        32 1.02 29.8 .88  100    gpt-5.4            29 0.62 28.3 .72   56
    o4-mini            23 1.00  9.5 .34 3152    gpt-5-nano         16 0.78  8.1 .27 2456
"""
"""Model, calls, a [s], b [ms/token], sigma, largest reply [tokens]: the table of the fit to 2,206 recorded calls."""


def test_fitted_profiles_are_those_of_the_fit() -> None:
    words = FITS.split()
    fits = [words[start : start + 6] for start in range(0, len(words), 6)]
    assert [name for name, *_ in fits] == [name for name in PROFILES if PROFILES[name]["fitted"]]
    for name, calls, ttft_s, itl_ms, sigma, output_tokens_max in fits:
        latency = latency_of(name)
        assert latency.ttft_s == Constant(float(ttft_s))
        assert math.isclose(latency.itl_s.mean, float(itl_ms) / 1000)
        assert latency.factor == LogNormal(median=1.0, sigma=float(sigma))
        assert PROFILES[name]["calls"] == int(calls)
        assert PROFILES[name]["output_tokens_max"] == int(output_tokens_max)


@pytest.mark.parametrize(
    ("dated", "name"),
    [
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("claude-sonnet-4-20250514", "claude-sonnet-4"),
        ("claude-3-5-haiku-20241022", "claude-3-5-haiku"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
    ],
)
def test_date_at_the_end_of_a_name_does_not_matter(dated: str, name: str) -> None:
    assert latency_of(dated) == latency_of(name)


@pytest.mark.parametrize("name", ["gpt-4o-minimal", "claude-sonnet-4-7", "made-up", ""])
def test_unknown_model_has_no_profile_even_if_it_looks_like_one(name: str) -> None:
    with pytest.raises(
        ScenarioError, match=rf"^no latency profile for model {re.escape(repr(name))}"
    ):
        latency_of(name)


def test_message_names_the_nearest_model_and_the_way_out() -> None:
    with pytest.raises(
        ScenarioError, match=r"did you mean 'claude-haiku-4-5'\?\n  How to fix: state"
    ):
        latency_of("claude-haiku-45")


def test_message_lists_all_models_when_none_is_near() -> None:
    with pytest.raises(ScenarioError, match=r"Known: claude-sonnet-4-6, .*claude-opus-5-5\n"):
        latency_of("zzz")

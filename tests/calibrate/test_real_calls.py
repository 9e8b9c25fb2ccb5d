"""Real calls of seven endpoints: a profile of one half gives the durations of the other.

HARNESS_DATA names the folder that holds `llmperf/*.json` (ray-project/llmperf-leaderboard, Apache-2.0); without it this is skipped.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.calibration import compared
from harness.calibrate.calls import MeasuredCall
from harness.calibrate.model import calibrate
from harness.calibrate.plot import simulated_s
from harness.calibrate.profile import latency_as_data
from harness.calibrate.sources import calls_of_file
from harness.provider.latency import latency_of

DATA = Path(os.environ.get("HARNESS_DATA", "no-data"))
FILES = sorted((DATA / "llmperf").glob("*.json"))

pytestmark = pytest.mark.skipif(not FILES, reason="HARNESS_DATA does not hold the measured calls")


def calls_of(name: str) -> list[MeasuredCall]:
    return calls_of_file(DATA / "llmperf" / f"{name}.json")


def test_one_half_gives_the_durations_of_the_other() -> None:
    """Of intervals of 95 % that know that both halves are samples; that of p99 is short, as it ends at the slowest call."""
    found = [
        one for seed in (1, 2, 3) for file in FILES for one in compared(calls_of_file(file), seed)
    ]
    outside = [one for one in found if not one.tolerance[0] <= one.simulated <= one.tolerance[1]]
    assert len(found) == 3 * 4 * len(FILES)
    assert len(outside) <= 0.15 * len(found), outside


def test_whole_calls_keep_the_tail_that_independent_draws_overstate() -> None:
    calls = calls_of("anyscale_70b")
    ((one,), _) = calibrate(calls)
    assert one.draws_whole_calls
    real_s = one.measured.total_s
    joint = np.quantile(simulated_s(one.latency, np.tile(one.measured.tokens, 40)), 0.99)
    random = np.random.default_rng(1)
    first_s, tokens, per_token_s = (
        random.choice(column, 6000)
        for column in (
            one.measured.first_s,
            one.measured.tokens,
            one.measured.rest_s / one.measured.tokens,
        )
    )
    apart = np.quantile(first_s + tokens * per_token_s, 0.99)
    real = np.quantile(real_s, 0.99)
    assert abs(joint / real - 1) < 0.05
    assert apart / real > 1.35


def test_failed_calls_of_an_endpoint_are_counted() -> None:
    ((one,), _) = calibrate(calls_of("perplexity_70b"))
    assert one.errors["http_429"].value == pytest.approx(2 / 150)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("llama-2-7b-chat@anyscale", "anyscale_7b"),
        ("llama-2-70b-chat@fireworks", "fireworks_70b"),
        ("llama-2-70b-chat@together", "together_70b"),
    ],
)
def test_built_in_profile_of_an_endpoint_is_the_fit_of_its_calls(name: str, file: str) -> None:
    ((one,), _) = calibrate(calls_of(file))
    assert not one.draws_whole_calls
    assert latency_as_data(latency_of(name)) == latency_as_data(one.latency)
    simulated = np.tile(one.measured.tokens, 40)
    mean, _, p95, _ = one.quantities.values()
    drawn_s = simulated_s(latency_of(name), simulated)
    assert mean.low < float(np.mean(drawn_s)) < mean.high
    assert p95.low < float(np.quantile(drawn_s, 0.95)) < p95.high

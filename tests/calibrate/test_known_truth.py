"""Calls that are drawn from known parameters give these parameters back, within their intervals."""

from __future__ import annotations

import numpy as np
import pytest

from harness.calibrate.calls import MeasuredCall
from harness.calibrate.model import Calibrated, calibrate
from harness.chance.distributions import Constant, LogNormal, LogNormalTail
from harness.errors import HarnessError

TRUTH = {
    "overhead_s": 0.5,
    "ttft_s.median": 0.3,
    "ttft_s.sigma": 0.25,
    "itl_s.median": 0.012,
    "itl_s.sigma": 0.15,
}


def streamed(count: int, seed: int, tail_share: float = 0.0, agent: str = "") -> list[MeasuredCall]:
    random = np.random.default_rng(seed)
    tokens = random.integers(20, 400, count)
    first_s = 0.3 * np.exp(0.25 * random.standard_normal(count))
    slow = random.random(count) < tail_share
    first_s[slow] = 6.0 * np.exp(0.5 * random.standard_normal(int(slow.sum())))
    per_token_s = 0.012 * np.exp(0.15 * random.standard_normal(count))
    total_s = first_s + 0.5 + per_token_s * tokens
    columns = zip(tokens.tolist(), first_s.tolist(), total_s.tolist(), strict=True)
    return [
        MeasuredCall(model="m", agent=agent, output_tokens=n, first_s=first, total_s=total)
        for n, first, total in columns
    ]


def whole(count: int, seed: int) -> list[MeasuredCall]:
    random = np.random.default_rng(seed)
    tokens = random.integers(20, 800, count)
    total_s = (0.4 + 0.015 * tokens) * np.exp(0.3 * random.standard_normal(count))
    columns = zip(tokens.tolist(), total_s.tolist(), strict=True)
    return [MeasuredCall(model="m", output_tokens=n, total_s=total) for n, total in columns]


def only(calls: list[MeasuredCall]) -> Calibrated:
    ((one,), refused) = calibrate(calls)
    assert refused == []
    return one


def within(one: Calibrated, truth: dict[str, float]) -> dict[str, bool]:
    return {
        name: one.intervals[name].low <= value <= one.intervals[name].high
        for name, value in truth.items()
    }


def misses(found: list[dict[str, bool]]) -> int:
    return sum(not hit for each in found for hit in each.values())


def test_parameters_of_streamed_calls_lie_within_their_intervals() -> None:
    found = [within(only(streamed(200, seed)), TRUTH) for seed in range(1000, 1020)]
    assert (
        misses(found) <= 12
    )  # of 100 intervals of 95 %, three of each call depend on one another: more have a chance of 1 %


def test_parameters_of_calls_that_came_whole_lie_within_their_intervals() -> None:
    truth = {"ttft_s": 0.4, "itl_s": 0.015, "factor.sigma": 0.3}
    fitted = [only(whole(300, seed)) for seed in range(5)]
    assert {one.measured.kind for one in fitted} == {"whole"}
    assert misses([within(one, truth) for one in fitted]) <= 3  # of 15


def test_a_tail_is_found_and_its_parameters_lie_within_their_intervals() -> None:
    one = only(streamed(400, 3, tail_share=0.08))
    assert isinstance(one.fitted.first_s, LogNormalTail)
    truth = {"ttft_s.tail_share": 0.08, "ttft_s.tail_median": 6.0, "ttft_s.tail_sigma": 0.5}
    assert all(within(one, truth).values())


def test_no_tail_is_found_where_there_is_none() -> None:
    assert isinstance(only(streamed(400, 3)).fitted.first_s, LogNormal)


def test_parts_that_depend_on_one_another_are_not_drawn_apart() -> None:
    random = np.random.default_rng(1)
    slowness = np.exp(0.4 * random.standard_normal(200))  # slow calls are slow from first to last
    calls = [
        MeasuredCall(model="m", output_tokens=100 + at, first_s=0.3 * slow, total_s=2.3 * slow)
        for at, slow in enumerate(slowness.tolist())
    ]
    one = only(calls)
    assert not one.goodness.holds
    assert one.goodness.dependence["first token and time per token"] > 0.8
    assert one.latency.rows is not None
    assert len(one.latency.rows) == 200


def test_replies_of_one_size_have_no_overhead() -> None:
    calls = [
        MeasuredCall(model="m", output_tokens=150, first_s=call.first_s, total_s=call.total_s)
        for call in streamed(60, 1)
    ]
    one = only(calls)
    assert one.fitted.overhead_s == 0.0
    assert one.output_tokens == Constant(150.0)
    assert any("nearly one size" in note for note in one.notes)


def test_too_few_calls_are_refused_by_name() -> None:
    with pytest.raises(HarnessError, match="m: 29 of 29 calls have a size and a duration, and 30"):
        calibrate(streamed(29, 1))


def test_an_agent_with_too_few_calls_is_refused_and_its_model_fitted() -> None:
    found, refused = calibrate([*streamed(40, 1, agent="lead"), *streamed(5, 2, agent="critic")])
    assert [one.name for one in found] == ["m", "m / lead"]
    assert [str(one) for one in refused] == [
        "m / critic: 5 of 5 calls have a size and a duration, and 30 are needed"
    ]


def test_failed_calls_give_shares_with_intervals_and_no_durations() -> None:
    calls = streamed(90, 1) + [MeasuredCall(model="m", error="rate_limit_error")] * 10
    one = only(calls)
    share = one.errors["rate_limit_error"]
    assert share.value == 0.1
    assert 0.05 < share.low < 0.1 < share.high < 0.18
    assert len(one.measured.tokens) == 90


def test_the_same_calls_give_the_same_profile() -> None:
    from harness.calibrate.profile import profile_text

    assert profile_text([only(streamed(100, 1))]) == profile_text([only(streamed(100, 1))])

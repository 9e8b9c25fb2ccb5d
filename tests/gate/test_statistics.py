"""Intervals against scipy.stats and closed forms, and what no interval may depend on."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from harness.gate.quantiles import false_discovery, share_bounds, t_p_value, t_quantile
from harness.gate.statistics import (
    FALSE_ALARMS,
    IDENTICAL,
    LOOKS,
    TAIL,
    Change,
    paired_difference,
    paired_ratio,
    unpaired_difference,
    unpaired_ratio,
)

BASE = [10.0, 12.0, 9.0, 11.0, 10.5, 13.0, 8.0, 10.0]
SLOWER = [12.6, 14.7, 11.5, 13.6, 13.3, 15.9, 10.1, 12.4]


def bounds(change: Change) -> tuple[float, float, float]:
    return change.value, change.low, change.high


def test_looks_share_the_false_alarms_among_them() -> None:
    assert TAIL * len(LOOKS) == FALSE_ALARMS


def test_paired_ratio_is_students_t_on_the_logarithms() -> None:
    logs = [math.log(after / before) for before, after in zip(BASE, SLOWER, strict=True)]
    expected = stats.ttest_1samp(logs, 0.0)
    interval = expected.confidence_interval(1 - 2 * 0.0125)
    change = paired_ratio(BASE, SLOWER, tail=0.0125)
    assert change.value == pytest.approx(math.exp(sum(logs) / 8) - 1)
    assert change.low == pytest.approx(math.exp(interval.low) - 1)
    assert change.high == pytest.approx(math.exp(interval.high) - 1)
    assert change.p == pytest.approx(expected.pvalue)
    assert change.method == "paired"


def test_paired_ratio_of_two_seeds_has_the_closed_form_of_one_degree_of_freedom() -> None:
    """Student's t of one degree is Cauchy's distribution: its quantile is a cotangent."""
    change = paired_ratio([1.0, 1.0], [math.e, math.e**3], tail=0.025)
    reach = 1.0 / math.tan(math.pi * 0.025)
    assert math.log1p(change.low) == pytest.approx(2 - reach)
    assert math.log1p(change.high) == pytest.approx(2 + reach)


def test_paired_difference_is_students_t_on_the_differences() -> None:
    before, after = [0.9, 0.8, 0.95, 0.9], [0.88, 0.81, 0.9, 0.87]
    expected = stats.ttest_rel(after, before)
    interval = expected.confidence_interval(0.95)
    change = paired_difference(before, after, tail=0.025)
    assert bounds(change) == pytest.approx((-0.0225, interval.low, interval.high))
    assert change.p == pytest.approx(expected.pvalue)


def test_unpaired_ratio_is_welchs_t_on_the_logarithms() -> None:
    expected = stats.ttest_ind(
        [math.log(it) for it in SLOWER], [math.log(it) for it in BASE[:5]], equal_var=False
    )
    interval = expected.confidence_interval(0.95)
    change = unpaired_ratio(BASE[:5], SLOWER, tail=0.025)
    assert math.log1p(change.low) == pytest.approx(interval.low)
    assert math.log1p(change.high) == pytest.approx(interval.high)
    assert change.p == pytest.approx(expected.pvalue)
    assert change.method == "unpaired"


def test_unpaired_difference_is_welchs_t() -> None:
    before, after = [0.9, 0.8, 0.95], [0.88, 0.81, 0.9, 0.87]
    interval = stats.ttest_ind(after, before, equal_var=False).confidence_interval(0.95)
    change = unpaired_difference(before, after, tail=0.025)
    assert (change.low, change.high) == pytest.approx((interval.low, interval.high))


def test_equal_values_are_identical_and_need_no_test() -> None:
    assert paired_ratio(BASE, list(BASE)) == IDENTICAL
    assert paired_ratio([0.0, 0.0], [0.0, 0.0]) == IDENTICAL
    assert paired_difference([1.0], [1.0]) == IDENTICAL
    assert unpaired_ratio([2.0, 2.0], [2.0, 2.0, 2.0]) == IDENTICAL


def test_same_change_in_every_run_is_exact() -> None:
    change = paired_ratio(BASE, [1.01 * it for it in BASE])
    assert bounds(change) == pytest.approx((0.01, 0.01, 0.01))
    assert (change.method, change.p) == ("exact", 0.0)
    assert change.low == change.high
    assert unpaired_ratio([2.0, 2.0], [3.0, 3.0]).method == "exact"


def test_one_run_tells_nothing() -> None:
    for of in (paired_ratio, paired_difference, unpaired_ratio, unpaired_difference):
        change = of([1.0], [1.5])
        assert (change.method, change.high) == ("none", math.inf)
        assert change.low <= -1
    assert paired_ratio([0.0], [1.5]).method == "none"


def test_zeros_give_the_ratio_of_the_means_with_fiellers_interval() -> None:
    """A bound r is where candidate - r * baseline is just not told from zero by Student's t."""
    before, after = [0.0, 3.0, 2.0, 4.0, 3.0, 2.0], [1.0, 4.0, 0.0, 6.0, 4.0, 3.0]
    change = paired_ratio(before, after, tail=0.025)
    assert change.value == pytest.approx(18 / 14 - 1)
    for bound in (change.low, change.high):
        left = [b - (1 + bound) * a for a, b in zip(before, after, strict=True)]
        assert stats.ttest_1samp(left, 0.0).pvalue == pytest.approx(0.05)


def test_unpaired_zeros_give_the_ratio_of_the_means() -> None:
    change = unpaired_ratio([0.0, 2.0, 2.0, 2.0, 2.0, 2.0], [4.0, 4.1, 3.9, 4.0], tail=0.025)
    assert change.value == pytest.approx(4.0 / (10 / 6) - 1)
    assert change.low < change.value < change.high
    assert change.method == "unpaired"


def test_baseline_of_zeros_makes_a_certain_increase_infinite_and_an_uncertain_one_unknown() -> None:
    nothing = [0.0] * 8
    certain = paired_ratio(nothing, [5.0, 6.0, 5.0, 6.0, 5.0, 6.0, 5.0, 6.0])
    assert bounds(certain) == (math.inf, math.inf, math.inf)
    uncertain = paired_ratio(nothing, [0.0] * 7 + [1.0])
    assert bounds(uncertain) == (math.inf, -math.inf, math.inf)


def test_baseline_that_may_be_zero_rules_out_no_ratio() -> None:
    change = paired_ratio([0.0] * 7 + [1.0], [0.0] * 6 + [1.0, 2.0])
    assert (change.low, change.high) == (-math.inf, math.inf)


def test_negative_values_have_no_ratio() -> None:
    assert paired_ratio([-1.0, -2.0], [1.0, 2.0]).method == "none"


def test_ratio_beyond_all_numbers_is_infinite() -> None:
    change = paired_ratio([1e-300, 1e-300], [1e300, 1e299])
    assert change.high == math.inf


@pytest.mark.parametrize(("hits", "cases"), [(0, 10), (1, 400), (7, 20), (10, 10), (399, 400)])
def test_bounds_of_a_share_are_those_of_clopper_and_pearson(hits: int, cases: int) -> None:
    expected = stats.binomtest(hits, cases).proportion_ci(0.95, method="exact")
    assert share_bounds(hits, cases, 0.025) == pytest.approx((expected.low, expected.high))


def test_bounds_of_a_share_that_was_never_hit_have_a_closed_form() -> None:
    assert share_bounds(0, 20, 0.05) == pytest.approx((0.0, 1 - 0.05 ** (1 / 20)))


@pytest.mark.parametrize("degrees", [1, 7, 63, 12.5])
def test_quantiles_and_p_values_are_those_of_student(degrees: float) -> None:
    assert t_quantile(0.0125, degrees) == pytest.approx(stats.t.ppf(1 - 0.0125, degrees))
    assert t_p_value(-2.3, degrees) == pytest.approx(2 * stats.t.sf(2.3, degrees))


def test_adjusted_p_values_are_those_of_benjamini_and_hochberg() -> None:
    p_values = [0.5, 0.001, 0.04, 0.02, 1.0, 0.02, 0.0]
    expected = stats.false_discovery_control(p_values)
    assert false_discovery(p_values) == pytest.approx(list(expected))
    assert false_discovery([]) == []


VALUE = st.floats(min_value=0.01, max_value=1000)
PAIRS = st.lists(st.tuples(VALUE, VALUE), min_size=2, max_size=20)


def sides(pairs: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [one for one, _ in pairs], [other for _, other in pairs]


@settings(derandomize=True, deadline=None)
@given(PAIRS, st.randoms(use_true_random=False))
def test_order_of_the_seeds_changes_nothing(pairs: list[tuple[float, float]], dice: object) -> None:
    shuffled = list(pairs)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    for of in (paired_ratio, paired_difference, unpaired_ratio, unpaired_difference):
        assert of(*sides(shuffled)) == of(*sides(pairs))


@settings(derandomize=True, deadline=None)
@given(PAIRS, st.sampled_from([0.001, 60.0, 1e6]))
def test_unit_changes_no_ratio(pairs: list[tuple[float, float]], factor: float) -> None:
    base, candidate = sides(pairs)
    scaled = [factor * it for it in base], [factor * it for it in candidate]
    for of in (paired_ratio, unpaired_ratio):
        before, after = of(base, candidate), of(*scaled)
        assert math.log1p(after.value) == pytest.approx(math.log1p(before.value), abs=1e-9)
        if math.isfinite(before.high) and math.isfinite(after.high) and before.low > -1:
            assert math.log1p(after.low) == pytest.approx(math.log1p(before.low), abs=1e-6)


@settings(derandomize=True, deadline=None)
@given(PAIRS)
def test_interval_holds_the_guess_and_a_turned_comparison_turns_it(
    pairs: list[tuple[float, float]],
) -> None:
    base, candidate = sides(pairs)
    there, back = paired_ratio(base, candidate), paired_ratio(candidate, base)
    assert there.low <= there.value <= there.high
    assert math.log1p(there.value) == pytest.approx(-math.log1p(back.value), abs=1e-9)

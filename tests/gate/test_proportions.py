"""The share of tasks that ended well: exact intervals, against scipy.stats and by enumeration."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest
from scipy import stats  # type: ignore[import-untyped]

from harness.gate import Samples
from harness.gate.proportions import paired_success, unpaired_success
from harness.gate.statistics import IDENTICAL, Change

MakeSide = Callable[..., Samples]


def paired(side: MakeSide, base: Sequence[object], candidate: Sequence[object]) -> Change:
    return paired_success(side(failed=base).runs, side(failed=candidate).runs, tail=0.025)


def test_same_failures_are_identical(side: MakeSide) -> None:
    assert paired(side, [[3], []], [[3], []]) == IDENTICAL


def test_other_failures_are_not_identical_even_if_they_are_as_many(side: MakeSide) -> None:
    change = paired(side, [[3], [], [], []], [[4], [], [], []])
    assert change.value == 0.0
    assert change.low == pytest.approx(-change.high)
    assert change.high > 0


def test_interval_is_made_of_the_exact_bounds_of_two_shares(side: MakeSide) -> None:
    """In 8 runs of 50 tasks one failure was mended and eight are new, one in each run."""
    base = [[50], *([[]] * 7)]
    candidate = [[1]] * 8
    change = paired(side, base, candidate)
    differing = stats.binomtest(9, 400).proportion_ci(0.975, method="exact")
    mended = stats.binomtest(1, 9).proportion_ci(0.975, method="exact")
    assert change.value == pytest.approx(-7 / 400)
    assert change.low == pytest.approx(differing.high * (2 * mended.low - 1))
    assert change.high == pytest.approx(
        (2 * mended.high - 1) * (differing.high if mended.high > 0.5 else differing.low)
    )
    assert change.method == "proportion"


def test_failures_of_one_run_with_one_cause_do_not_count_as_many(side: MakeSide) -> None:
    """An outage in one run of eight fails twenty tasks: Student's t over the runs sees one event, and is the wider."""
    change = paired(side, [[]] * 8, [list(range(1, 21)), *([[]] * 7)])
    by_seed = stats.ttest_1samp([-0.4, *([0.0] * 7)], 0.0).confidence_interval(0.95)
    assert change.low == pytest.approx(by_seed.low)
    assert change.high == pytest.approx(by_seed.high)


def test_everything_failing_is_almost_minus_one(side: MakeSide) -> None:
    change = paired(side, [[]] * 8, [list(range(1, 51))] * 8)
    assert change.value == -1
    assert change.low == -1
    assert change.high < -0.9


def test_one_run_tells_nothing(side: MakeSide) -> None:
    assert paired(side, [[]], [[1]]).method == "none"


def test_runs_with_other_numbers_of_tasks_are_compared_by_their_shares(side: MakeSide) -> None:
    base, candidate = side(failed=[[1], [], []]), side(failed=[[1], [2], []], tasks=40)
    change = paired_success(base.runs, candidate.runs, tail=0.025)
    assert change.method == "paired"


def test_unpaired_interval_holds_both_exact_intervals(side: MakeSide) -> None:
    base, candidate = side(failed=[[1], [], [2], []]), side(failed=[[1, 2], [3, 4], [5], []])
    change = unpaired_success(base.runs, candidate.runs, tail=0.025)
    before = stats.binomtest(198, 200).proportion_ci(0.975, method="exact")
    after = stats.binomtest(195, 200).proportion_ci(0.975, method="exact")
    assert change.value == pytest.approx(-3 / 200)
    assert change.low <= after.low - before.high + 1e-12
    assert change.high >= after.high - before.low - 1e-12


def test_paired_interval_covers_at_least_as_often_as_it_says(side: MakeSide) -> None:
    """Two runs of three tasks, of which one in three breaks: over all outcomes, each with its probability."""
    broken, tail, covered = 1 / 3, 0.1, 0.0
    for outcome in itertools.product((0, 1), repeat=6):
        probability = 1.0
        for one in outcome:
            probability *= broken if one else 1 - broken
        failed = [[1 + n for n in range(3) if outcome[3 * run + n]] for run in range(2)]
        change = paired_success(
            side(failed=[[], []], tasks=3).runs, side(failed=failed, tasks=3).runs, tail=tail
        )
        # With nothing broken the sides are identical, and there is no interval to speak of.
        if not any(outcome) or change.low <= -broken <= change.high:
            covered += probability
    assert covered >= 1 - 2 * tail

"""Which ways no other dominates."""

from __future__ import annotations

import pytest

from harness.metrics.pareto import objectives_of, pareto_optimal


def point(latency_s: float, cost_usd: float, success_rate: float = 1.0) -> dict[str, float]:
    return {
        "latency_s_mean": latency_s,
        "cost_usd_mean": cost_usd,
        "success_rate": success_rate,
    }


def test_the_fastest_and_the_cheapest_are_optimal_and_what_is_worse_in_both_is_not() -> None:
    points = {"fast": point(1, 9), "cheap": point(9, 1), "neither": point(9, 9)}
    assert pareto_optimal(points) == ("fast", "cheap")


def test_a_slower_and_dearer_way_is_optimal_if_it_succeeds_more_often() -> None:
    assert pareto_optimal({"a": point(1, 1, 0.9), "b": point(2, 2, 0.95)}) == ("a", "b")


def test_equal_ways_are_both_optimal() -> None:
    assert pareto_optimal({"a": point(1, 1), "b": point(1, 1)}) == ("a", "b")


def test_a_way_that_is_equal_but_for_one_objective_is_dominated() -> None:
    assert pareto_optimal({"a": point(1, 1), "b": point(1, 1.01)}) == ("a",)


def test_a_way_with_which_nothing_ends_well_is_never_optimal() -> None:
    points = {"fails": point(0.1, 0, 0.0), "works": point(5, 5)}
    assert pareto_optimal(points) == ("works",)
    assert pareto_optimal({"fails": point(0.1, 0, 0.0)}) == ()


def test_what_one_way_has_not_measured_decides_nothing() -> None:
    priced, unpriced = point(1, 1), point(2, 0)
    del unpriced["cost_usd_mean"]
    assert objectives_of([priced, unpriced]) == ("latency_s_mean", "success_rate")
    assert pareto_optimal({"priced": priced, "unpriced": unpriced}) == ("priced",)


@pytest.mark.parametrize("quality", [0.5, 1.0])
def test_quality_is_an_objective_where_all_have_it(quality: float) -> None:
    points = {
        "a": {**point(1, 1), "quality_mean": 0.7},
        "b": {**point(2, 2), "quality_mean": quality},
    }
    assert ("b" in pareto_optimal(points)) == (quality > 0.7)

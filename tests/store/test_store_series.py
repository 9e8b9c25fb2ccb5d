"""What figures are drawn from, on runs that are small enough to count by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from harness.store import RunRecord, Store, series

MakeRecord = Callable[..., RunRecord]


def task(number: int, arrival_s: float, end_s: float, status: str = "ok") -> dict[str, Any]:
    return {
        "span_id": number * 10, "task": number, "kind": "task", "name": "job", "arrival_s": arrival_s, "start_s": arrival_s,
        "end_s": end_s, "status": status,
    }  # fmt: skip


def attempt(
    number: int, arrival_s: float, start_s: float, end_s: float, **more: object
) -> dict[str, Any]:
    return {
        "span_id": number * 10 + 1, "parent_id": number * 10, "task": number, "kind": "attempt", "name": "fast",
        "agent": "lead", "model": "fast", "ordinal": 1, "arrival_s": arrival_s, "start_s": start_s, "end_s": end_s,
        "input_tokens": 100, "output_tokens": 10, "cost_usd": 0.01, "status": "ok", **more,
    }  # fmt: skip


@pytest.fixture
def runs(store: Store, make_record: MakeRecord) -> list[int]:
    spans = [
        task(1, 0.0, 4.0), attempt(1, 0.0, 1.0, 4.0),
        task(2, 2.0, 8.0, "error"),
        attempt(2, 2.0, math.nan, 6.0, status="error", error="overloaded_error", http_status=529, fault="overloaded", cost_usd=0.0),
        task(3, 4.0, 10.0), attempt(3, 4.0, 4.0, 8.0, cost_usd=0.03),
    ]  # fmt: skip
    return store.write([make_record(tasks=3, spans=spans, budgets=[("latency_s_p95", "below", 9.0)],
                                    limits=[("anthropic", "requests_per_min", 50.0)])])  # fmt: skip


def test_each_of_few_tasks_is_a_point_of_the_distribution(store: Store, runs: list[int]) -> None:
    thirds = [pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0]
    assert series.distribution(store, runs, "latency_s") == list(
        zip(thirds, [4.0, 6.0, 6.0], strict=True)
    )
    assert series.distribution(store, runs, "cost_usd") == list(
        zip(thirds, [0.0, 0.01, 0.03], strict=True)
    )
    assert series.quantiles(store, runs, "latency_s", [0.0, 0.5, 1.0]) == {
        0.0: 4.0,
        0.5: 6.0,
        1.0: 6.0,
    }


def test_of_many_tasks_two_hundred_quantiles_are_points(
    store: Store, make_record: MakeRecord
) -> None:
    run_ids = store.write(
        [make_record(tasks=1000, spans=[task(it, 0.0, float(it)) for it in range(1, 1001)])]
    )
    points = series.distribution(store, run_ids, "latency_s")
    assert len(points) == 200
    assert (points[0], points[-1]) == ((0.0, 1.0), (1.0, 1000.0))
    assert all(value == pytest.approx(1 + 999 * share) for share, value in points)


def test_cost_that_is_not_known_of_one_task_has_no_distribution(
    store: Store, make_record: MakeRecord
) -> None:
    spans = [task(1, 0.0, 4.0), attempt(1, 0.0, 1.0, 4.0, cost_usd=math.nan)]
    run_ids = store.write([make_record(spans=spans)])
    assert series.distribution(store, run_ids, "cost_usd") == []
    assert series.quantiles(store, run_ids, "cost_usd", [0.5]) == {}


def test_warm_up_is_in_no_distribution(store: Store, make_record: MakeRecord) -> None:
    spans = [task(1, 0.0, 4.0), task(2, 0.0, 5.0)]
    run_ids = store.write([make_record(tasks=2, warmup_tasks=1, spans=spans)])
    assert series.distribution(store, run_ids, "latency_s") == [(1.0, 5.0)]


def test_course_of_a_run_is_its_means_in_equal_parts(store: Store, runs: list[int]) -> None:
    # Attempts: one waits from 0 to 1 and is served from 1 to 4; one waits from 2 to 6 and hangs up; one is served from 4 to 8.
    rows = series.pressure(store, runs[0], bins=4)
    assert [(row["from_s"], row["until_s"]) for row in rows] == [(0, 2), (2, 4), (4, 6), (6, 8)]
    assert [row["waiting"] for row in rows] == [0.5, 1.0, 1.0, 0.0]
    assert [row["in_service"] for row in rows] == [0.5, 1.0, 1.0, 1.0]
    assert [row["attempts"] for row in rows] == [1, 1, 1, 0]
    assert [(row["rate_limited"], row["failed"]) for row in rows] == [
        (0, 0),
        (0, 1),
        (0, 0),
        (0, 0),
    ]
    assert [row["input_tokens"] for row in rows] == [100, 100, 100, 0]


def test_area_under_the_course_is_the_time_of_all_attempts(store: Store, runs: list[int]) -> None:
    for bins in (1, 3, 7, 120):
        rows = series.pressure(store, runs[0], bins)
        width_s = 8.0 / bins
        assert sum(row["waiting"] for row in rows) * width_s == pytest.approx(5.0)
        assert sum(row["in_service"] for row in rows) * width_s == pytest.approx(7.0)
        assert sum(row["attempts"] for row in rows) == 3


def test_run_without_an_attempt_has_no_course(store: Store, make_record: MakeRecord) -> None:
    (run_id,) = store.write([make_record()])
    assert series.pressure(store, run_id) == []


def test_fault_is_told_with_what_became_of_its_tasks(store: Store, runs: list[int]) -> None:
    assert series.faults(store, runs) == [
        {
            "fault": "overloaded", "agent": "lead", "attempts": 1, "failed": 1, "wasted_usd": 0.0, "tasks": 1,
            "failed_tasks": 1, "latency_s_mean": 6.0, "other_latency_s_mean": 5.0,
        }
    ]  # fmt: skip
    assert series.failures(store, runs) == [
        {
            "agent": "lead",
            "error": "overloaded_error",
            "http_status": 529,
            "attempts": 1,
            "of_faults": 1,
        }
    ]


def test_tasks_worth_a_look_are_the_slowest_the_middle_one_and_a_failure(
    store: Store, make_record: MakeRecord
) -> None:
    spans = [
        task(1, 0.0, 9.0),
        task(2, 0.0, 1.0, "error"),
        task(3, 0.0, 5.0),
        task(4, 0.0, 2.0, "error"),
    ]
    run_ids = store.write([make_record(tasks=4, spans=spans)])
    found = series.tasks_to_show(store, run_ids)
    assert [(row["task"], row["shown_as"]) for row in found] == [
        (1, "slowest"),
        (4, "median"),
        (2, "failed"),
    ]


def test_only_task_is_shown_once(store: Store, make_record: MakeRecord) -> None:
    run_ids = store.write([make_record(spans=[task(1, 0.0, 9.0, "error")])])
    assert [row["shown_as"] for row in series.tasks_to_show(store, run_ids)] == ["slowest"]


def test_budgets_and_limits_are_told_once_for_all_runs(store: Store, runs: list[int]) -> None:
    assert series.bounds(store, runs, "budgets") == [
        {"metric": "latency_s_p95", "bound": "below", "value": 9.0}
    ]
    assert series.bounds(store, runs, "limits") == [
        {"provider": "anthropic", "name": "requests_per_min", "value": 50.0}
    ]
    assert series.sizes(store, runs) == [{"run_id": 1, "spans": 6, "calls": 0, "tasks": 3}]

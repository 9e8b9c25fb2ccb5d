from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.errors import StoreError
from harness.store import RunRecord, Store, queries

MakeRecord = Callable[..., RunRecord]


def test_runs_are_numbered_on_from_the_last(store: Store, make_record: MakeRecord) -> None:
    assert store.write([make_record(), make_record()]) == [1, 2]
    assert store.write([make_record()]) == [3]
    assert queries.latest_run_id(store) == 3


def test_runs_come_in_the_order_of_writing_each_with_its_numbers(
    store: Store, make_record: MakeRecord
) -> None:
    store.write([make_record(seed=seed, metrics={"retries": seed * 10.0}) for seed in (5, 3, 4)])
    found = queries.runs(store)
    assert [(run["run_id"], run["seed"], run["metrics"]) for run in found] == [
        (1, 5, {"retries": 50.0}),
        (2, 3, {"retries": 30.0}),
        (3, 4, {"retries": 40.0}),
    ]


def test_runs_can_be_narrowed_to_a_scenario_and_to_the_last(
    store: Store, make_record: MakeRecord
) -> None:
    store.write([make_record(scenario=name) for name in ("a", "b", "a", "a", "b")])
    assert [run["run_id"] for run in queries.runs(store, scenario="a")] == [1, 3, 4]
    assert [run["run_id"] for run in queries.runs(store, scenario="a", last=2)] == [3, 4]
    assert [run["run_id"] for run in queries.runs(store, last=2)] == [4, 5]
    assert queries.runs(store, scenario="c") == []


def test_the_latest_run_is_that_of_the_scenario_asked_for(
    store: Store, make_record: MakeRecord
) -> None:
    store.write([make_record(scenario="a"), make_record(scenario="b")])
    assert queries.latest_run_id(store, scenario="a") == 1
    assert queries.latest_run_id(store, scenario="b") == 2


def test_an_empty_store_has_no_latest_run(store: Store) -> None:
    store.write([])
    assert queries.latest_run_id(store) is None
    assert queries.runs(store) == []


def test_metrics_come_by_run_then_agent_then_name(store: Store, make_record: MakeRecord) -> None:
    numbers = {"b": 2.0, "a": 1.0}
    store.write(
        [
            make_record(metrics=numbers, agent_metrics={"z": numbers, "m": {"c": 3.0}})
            for _ in range(3)
        ]
    )
    found = queries.metrics(store, [3, 1])
    assert [(row["run_id"], row["agent"], row["name"], row["value"]) for row in found] == [
        (run_id, agent, name, value)
        for run_id in (1, 3)
        for agent, name, value in (
            (None, "a", 1.0), (None, "b", 2.0), ("m", "c", 3.0), ("z", "a", 1.0), ("z", "b", 2.0),
        )
    ]  # fmt: skip


@pytest.mark.parametrize("ask", [queries.run, queries.spans, queries.events])
def test_a_run_that_does_not_exist_is_named(
    store: Store, make_record: MakeRecord, ask: Callable[[Store, int], object]
) -> None:
    store.write([make_record(), make_record()])
    with pytest.raises(
        StoreError, match=r"(?s)no run 3 in the store .*runs\.duckdb.*holds runs 1 to 2"
    ):
        ask(store, 3)


def test_metrics_of_a_run_that_does_not_exist_are_refused(store: Store) -> None:
    store.write([])
    with pytest.raises(StoreError, match=r"(?s)no run 1 in the store .*holds no runs yet"):
        queries.metrics(store, [1])


def test_the_view_of_attempts_has_the_times_between_the_times(
    store: Store, make_record: MakeRecord
) -> None:
    times = {"arrival_s": 1.0, "start_s": 1.5, "first_token_s": 3.5, "end_s": 7.5}
    store.write(
        [
            make_record(
                warmup_tasks=1,
                spans=[
                    {"span_id": 1, "task": 1, "kind": "attempt", "arrival_s": 1.0, "end_s": 4.0},
                    {"span_id": 2, "task": 2, "kind": "attempt", **times},
                    {"span_id": 3, "task": 2, "kind": "call", **times},
                ],
            )
        ]
    )
    with store.reading() as connection:
        rows = connection.execute(
            "SELECT span_id, is_warmup, queue_wait_s, prefill_s, ttft_s, service_time_s, latency_s FROM attempts "
            "ORDER BY span_id"
        ).fetchall()
    assert rows == [(1, True, None, None, None, None, 3.0), (2, False, 0.5, 2.0, 2.5, 6.0, 6.5)]


def test_the_view_of_tasks_tells_warm_up_from_what_is_measured(
    store: Store, make_record: MakeRecord
) -> None:
    spans = [
        {
            "span_id": n,
            "task": n,
            "kind": "task",
            "name": "review",
            "arrival_s": 1.0 * n,
            "end_s": 3.0 * n,
        }
        for n in (1, 2)
    ]
    store.write([make_record(warmup_tasks=0, spans=[]), make_record(warmup_tasks=1, spans=spans)])
    with store.reading() as connection:
        rows = connection.execute(
            "SELECT run_id, task, kind, is_warmup, latency_s FROM tasks ORDER BY task"
        ).fetchall()
    assert rows == [(2, 1, "review", True, 2.0), (2, 2, "review", False, 4.0)]


def test_a_query_that_duckdb_objects_to_is_an_error_of_the_store(store: Store) -> None:
    store.write([])
    with (
        pytest.raises(StoreError, match=r"(?s)cannot read the store .*runs\.duckdb.*no_such_table"),
        store.reading() as connection,
    ):
        connection.execute("SELECT * FROM no_such_table")


def test_a_query_cannot_change_the_store(store: Store, make_record: MakeRecord) -> None:
    store.write([make_record()])
    with pytest.raises(StoreError, match="read-only"), store.reading() as connection:
        connection.execute("DELETE FROM runs")
    assert queries.latest_run_id(store) == 1


def test_a_data_frame_holds_the_answer(store: Store, make_record: MakeRecord) -> None:
    store.write([make_record(seed=seed) for seed in (5, 6)])
    frame = queries.data_frame(store, "SELECT run_id, seed FROM runs WHERE seed = ?", [6])
    assert frame.to_dict("records") == [{"run_id": 2, "seed": 6}]

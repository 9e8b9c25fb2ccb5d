"""Stores of schema version 1 live on: `version_1.sql` is what harness made then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from harness.errors import StoreError
from harness.spans import SPAN_COLUMNS
from harness.store import SCHEMA_VERSION, RunRecord, Store, database, queries

MakeRecord = Callable[..., RunRecord]
Ask = Callable[[Store], Any]

OLD_SCHEMA = Path(__file__).with_name("version_1.sql")

ROWS = """
INSERT INTO meta VALUES ('schema_version', '1');
INSERT INTO runs VALUES (1, 'review', 'abc', 7, 'done', 2, 1, 12.25, 0.5, '2026-01-02 03:04:05', '0.0.9',
    'scenarios/review.yaml', 'harness simulate scenarios/review.yaml --seed 7');
INSERT INTO spans (run_id, span_id, task, kind, name, arrival_s, end_s, status) VALUES
    (1, 1, 1, 'task', 'pull_request', 0.0, 2.5, 'ok'),
    (1, 2, 2, 'task', 'pull_request', 1.0, 4.75, 'error');
INSERT INTO spans (run_id, span_id, parent_id, task, kind, agent, arrival_s, start_s, end_s, input_tokens, cost_usd)
    VALUES (1, 3, 2, 2, 'attempt', 'lead', 1.0, 1.5, 4.0, 120, 0.03);
INSERT INTO events VALUES (1, 1, 1.5, 3, 2, 'lead', 'retry', NULL);
INSERT INTO metrics VALUES (1, NULL, 'latency_s_mean', 3.75), (1, 'lead', 'calls_mean', 2.0);
"""


@pytest.fixture
def old(store: Store) -> Store:
    with duckdb.connect(store.path) as connection:
        connection.execute(OLD_SCHEMA.read_text())
        connection.execute(ROWS)
    return store


def version(store: Store) -> str:
    with duckdb.connect(store.path, read_only=True) as connection:
        [(found,)] = connection.execute("SELECT value FROM meta").fetchall()
    return str(found)


@pytest.mark.parametrize(
    "ask",
    [
        queries.runs,
        lambda store: queries.span_table(store, 1),
        lambda store: queries.values(store, "latency_s_mean"),
        lambda store: store.write([]),
    ],
    ids=["runs", "spans", "values", "writing"],
)
def test_any_use_brings_an_old_store_up_to_the_present(old: Store, ask: Ask) -> None:
    ask(old)
    assert version(old) == str(SCHEMA_VERSION)
    assert queries.run(old, 1)["seed"] == 7
    assert list(old.path.parent.iterdir()) == [old.path]


def test_numbers_of_an_old_store_are_kept(old: Store) -> None:
    run = queries.run(old, 1)
    assert (run["scenario"], run["makespan_s"], run["harness_version"]) == (
        "review",
        12.25,
        "0.0.9",
    )
    assert (run["commit_id"], str(run["written_at"])) == (None, "2026-01-02 03:04:05")
    assert (run["metrics"], run["agents"]) == (
        {"latency_s_mean": 3.75},
        {"lead": {"calls_mean": 2}},
    )
    *_, attempt = queries.spans(old, 1)
    assert attempt == {
        **dict.fromkeys(["run_id", *SPAN_COLUMNS]),
        "run_id": 1, "span_id": 3, "parent_id": 2, "task": 2, "kind": "attempt", "agent": "lead", "arrival_s": 1.0,
        "start_s": 1.5, "end_s": 4.0, "input_tokens": 120, "cost_usd": 0.03,
    }  # fmt: skip
    assert [event["name"] for event in queries.events(old, 1)] == ["retry"]
    assert queries.failed_tasks(old, [1]) == {1: [2]}
    with old.reading() as connection:
        found = connection.execute(
            "SELECT latency_s, is_warmup FROM tasks ORDER BY task"
        ).fetchall()
        assert found == [(2.5, True), (3.75, False)]
        assert connection.execute("SELECT queue_wait_s FROM attempts").fetchall() == [(0.5,)]


def test_old_store_takes_new_runs_with_all_that_they_know(
    old: Store, make_record: MakeRecord
) -> None:
    span = {"span_id": 1, "task": 1, "kind": "attempt", "cache_read_tokens": 20, "cost_usd": 0.5}
    assert old.write([make_record(commit_id="0123abc+", spans=[span])]) == [2]
    assert [run["commit_id"] for run in queries.runs(old)] == [None, "0123abc+"]
    (found,) = queries.spans(old, 2)
    assert (found["cache_read_tokens"], found["cost_usd"]) == (20, 0.5)
    assert queries.runs(old)[0]["metrics"] == {"latency_s_mean": 3.75}


def test_old_store_learns_the_engine_of_each_run(old: Store) -> None:
    with duckdb.connect(old.path) as connection:
        connection.execute(
            "INSERT INTO runs (run_id, scenario, scenario_hash, seed, status, tasks, warmup_tasks, written_at, "
            "harness_version) SELECT 2, scenario, 'live-abc', 1, status, 1, 0, written_at, harness_version FROM runs"
        )
        connection.execute(
            "INSERT INTO runs (run_id, scenario, scenario_hash, seed, status, tasks, warmup_tasks, written_at, "
            "harness_version) SELECT 3, scenario, 'def', 1, status, 1, 0, written_at, harness_version FROM runs "
            "WHERE run_id = 1"
        )
        connection.execute("INSERT INTO events (run_id, event_id, name) VALUES (3, 1, 'recorded')")
    assert [run["engine"] for run in queries.runs(old)] == ["simulated", "live", "replayed"]


def test_old_store_gets_the_columns_of_a_new_one(old: Store, tmp_path: Path) -> None:
    def columns(store: Store) -> set[tuple[Any, ...]]:
        store.write([])
        with store.reading() as connection:
            found = connection.execute(
                "SELECT table_name, column_name, data_type FROM duckdb_columns() "
                "WHERE table_name NOT IN (SELECT view_name FROM duckdb_views())"
            )
            return set(found.fetchall())

    assert columns(old) == columns(Store(tmp_path / "new.duckdb"))


def test_upgrade_that_fails_leaves_the_old_store(
    old: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        upgrades = {**database._UPGRADES, 2: (*database._UPGRADES[2], "ALTER TABLE nothing")}
        patch.setattr(database, "_UPGRADES", upgrades)
        with pytest.raises(StoreError):
            queries.runs(old)
    assert version(old) == "1"
    assert queries.run(old, 1)["metrics"] == {"latency_s_mean": 3.75}


def test_store_of_version_2_gets_only_what_version_3_brought(old: Store) -> None:
    with duckdb.connect(old.path) as connection:
        for statement in database._UPGRADES[2]:
            connection.execute(statement)
        connection.execute("UPDATE meta SET value = '2'")
    assert queries.run(old, 1)["seed"] == 7
    assert version(old) == str(SCHEMA_VERSION)


def test_store_that_somebody_else_brought_up_meanwhile_is_left_alone(
    old: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries.runs(old)
    versions = iter([1])
    real = Store._version
    monkeypatch.setattr(
        Store, "_version", lambda self, connection: next(versions, 0) or real(self, connection)
    )
    assert [run["seed"] for run in queries.runs(old)] == [7]

"""Runs in columns: however they are joined and sent, the store gets the same rows."""

from __future__ import annotations

import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.store import RunBatch, RunRecord, Store, batch_of, joined

MakeRecord = Callable[..., RunRecord]

TABLES = ("runs", "metrics", "budgets", "limits", "models", "spans", "events")


def rows(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a store, but for the moment of writing."""
    with store.reading() as connection:
        return {
            table: connection.execute(
                f"SELECT * {'EXCLUDE written_at' if table == 'runs' else ''} FROM {table} ORDER BY ALL"
            ).fetchall()
            for table in TABLES
        }


def several(make_record: MakeRecord) -> list[RunRecord]:
    """Runs that have little in common: texts, columns with values, rows."""
    return [
        make_record(seed=1),
        make_record(seed=2, spans=[], events=[], metrics={}, agent_metrics={}),
        make_record(seed=3, spans=[{"span_id": 1, "customer": "acme", "priority": 0}]),
        make_record(seed=4, limits=[("anthropic", "concurrency", 4.0)], events=[{"detail": "é"}]),
        make_record(seed=5, commit_id="abc", models=[("anthropic", "fast", "")]),
    ]


def sent(batch: RunBatch) -> RunBatch:
    """A batch as another process gets it."""
    copy: RunBatch = pickle.loads(pickle.dumps(batch))
    return copy


def test_rows_are_the_same_one_by_one_and_joined_twice(
    tmp_path: Path, make_record: MakeRecord
) -> None:
    records = several(make_record)
    alone = Store(tmp_path / "alone.duckdb")
    for record in records:
        alone.write([record])
    batches = [batch_of(record) for record in records]
    jobs = [sent(joined(batches[:2])), sent(joined(batches[2:4])), sent(batches[4])]
    together = Store(tmp_path / "together.duckdb")
    assert together.write_batches([joined(jobs)]) == [1, 2, 3, 4, 5]
    assert rows(together) == rows(alone)


def test_joining_leaves_what_is_joined_as_it_was(make_record: MakeRecord) -> None:
    batches = [batch_of(record) for record in several(make_record)]
    before = pickle.dumps(batches)
    joined(batches)
    assert pickle.dumps(batches) == before


def test_runs_are_written_after_those_that_are_there(store: Store, make_record: MakeRecord) -> None:
    batches = [batch_of(record) for record in several(make_record)]
    assert store.write_batches(batches[:2]) == [1, 2]
    assert store.write_batches(batches[2:]) == [3, 4, 5]
    assert [row[0] for row in rows(store)["runs"]] == [1, 2, 3, 4, 5]
    assert store.write_batches([]) == []


def test_what_is_sent_has_no_object_for_a_run_or_a_span(make_record: MakeRecord) -> None:
    def size(runs: int) -> int:
        records = [
            make_record(seed=seed, command=f"harness simulate --seed {seed}")
            for seed in range(runs)
        ]
        batch = joined([batch_of(record) for record in records])
        return sum(1 for _ in pickletools.genops(pickle.dumps(batch)))

    # The command of a run, with its seed, is a text of its own.
    assert size(100) - size(50) <= 50 * 4

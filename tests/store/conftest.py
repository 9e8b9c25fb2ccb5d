from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.spans import ABSENT, EVENT_COLUMNS, SPAN_COLUMNS, Table
from harness.store import RunRecord, Store

MakeRecord = Callable[..., RunRecord]


def table_of(columns: dict[str, Any], rows: list[dict[str, Any]]) -> Table:
    """A table of the rows; what a row does not name is absent in it."""
    absent = {"float": ABSENT, "int": -1, "text": ""}
    table = Table(columns)
    table.extend(*([row.get(name, absent[kind]) for row in rows] for name, kind in columns.items()))
    return table


def make_a_record(
    *,
    spans: list[dict[str, Any]] | None = None,
    events: list[dict[str, Any]] | None = None,
    **fields: object,
) -> RunRecord:
    """A small run: two spans and one event, unless others are given."""
    if spans is None:
        spans = [
            {
                "span_id": 2,
                "parent_id": 1,
                "task": 1,
                "kind": "agent",
                "name": "lead",
                "agent": "lead",
            },
            {"span_id": 1, "task": 1, "kind": "task", "name": "pull_request", "status": "ok"},
        ]
    if events is None:
        events = [{"at_s": 1.5, "span_id": 2, "task": 1, "agent": "lead", "name": "retry"}]
    defaults: dict[str, Any] = {
        "scenario": "review", "scenario_hash": "abc", "seed": 1, "status": "done", "tasks": 1, "warmup_tasks": 0,
        "makespan_s": 12.25, "wall_s": 0.5, "harness_version": "0.1.0", "commit_id": "", "source": "scenarios/review.yaml",
        "command": "harness simulate scenarios/review.yaml --seed 1", "metrics": {"latency_s_mean": 3.5},
        "agent_metrics": {"lead": {"calls_mean": 2.0}},
    }  # fmt: skip
    values: dict[str, Any] = {**defaults, **fields}
    return RunRecord(
        **values,
        spans=table_of(SPAN_COLUMNS, spans),
        events=table_of(EVENT_COLUMNS, events),
    )


@pytest.fixture
def make_record() -> MakeRecord:
    return make_a_record


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs.duckdb")

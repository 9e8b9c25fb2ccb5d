"""Runs to write traces of: of every scenario, and made by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness.run import Simulation
from harness.spans import ABSENT, ATTEMPT, EVENT_COLUMNS, OK, SPAN_COLUMNS, TASK, ColumnType, Table
from harness.trace.run import TracedRun

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))

Row = dict[str, Any]
ABSENT_VALUES: dict[ColumnType, Any] = {"float": ABSENT, "int": -1, "text": ""}


def made_table(columns: dict[str, ColumnType], rows: list[Row]) -> Table:
    made = Table(columns)
    made.extend(
        *([row.get(name, ABSENT_VALUES[kind]) for row in rows] for name, kind in columns.items())
    )
    return made


def made_run(rows: list[Row], events: list[Row] | None = None, **more: Any) -> TracedRun:  # noqa: ANN401 - columns
    plain: dict[str, Any] = {
        "run_id": 12, "scenario": "made", "scenario_hash": "ab" * 32, "seed": 7, "status": "done", "harness_version": "1.2",
        "commit_id": "", "spans": made_table(SPAN_COLUMNS, rows), "events": made_table(EVENT_COLUMNS, events or []),
    }  # fmt: skip
    return TracedRun(**{**plain, **more})


def made_span(
    span_id: int, parent_id: int, kind: str, begin_s: float, end_s: float, **more: Any  # noqa: ANN401 - columns
) -> Row:  # fmt: skip
    return {
        "span_id": span_id, "parent_id": parent_id, "task": 1, "kind": kind, "arrival_s": begin_s, "start_s": begin_s,
        "end_s": end_s, "status": OK, "agent": "" if kind == TASK else "a", "name": f"n{span_id}", **more,
    }  # fmt: skip


@cache
def _simulated(path: Path) -> TracedRun:
    run = Simulation(path).run()
    return replace(made_run([]), scenario=path.stem, spans=run.spans, events=run.events)


@pytest.fixture(params=SCENARIOS, ids=lambda path: str(path.stem))
def traced(request: pytest.FixtureRequest) -> TracedRun:
    """A run of each scenario."""
    return _simulated(request.param)


@pytest.fixture
def make_run() -> Callable[..., TracedRun]:
    """A run from rows of spans and events."""
    return made_run


@pytest.fixture
def make_span() -> Callable[..., Row]:
    """A row of spans."""
    return made_span


HOSTILE = '100%s %d%% a"b\\c\x00\x1b[31m\n\u202egnp.exe</script>\u2028é😀'


@pytest.fixture
def hostile_run() -> TracedRun:
    """A run in which every text wants to be something else."""
    rows = [
        made_span(1, -1, TASK, 0.0, 2.0, name=HOSTILE),
        made_span(
            2, 1, ATTEMPT, 0.0, 2.0, name=HOSTILE, agent=HOSTILE, model=HOSTILE, status="error", error=HOSTILE,
            fault=HOSTILE,
        ),
    ]  # fmt: skip
    events = [
        {"at_s": 1.0, "span_id": 2, "task": 1, "agent": HOSTILE, "name": HOSTILE, "detail": HOSTILE}
    ]
    return made_run(
        rows, events, scenario=HOSTILE, scenario_hash=HOSTILE, status=HOSTILE, commit_id=HOSTILE
    )


@pytest.fixture
def hostile_text() -> str:
    """What every text is there."""
    return HOSTILE

"""The verdict of a page: what tested nothing is not good, and neither is what broke its budget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.report import Contents, Side
from harness.spans import EVENT_COLUMNS, SPAN_COLUMNS, Table
from harness.store import RunRecord, Store
from tests.report.conftest import draw


def made(spans: list[dict[str, Any]], **more: Any) -> RunRecord:  # noqa: ANN401 - fields of a record
    """A run of these spans."""
    table = Table(SPAN_COLUMNS)
    absent: dict[str, Any] = {"float": float("nan"), "int": -1, "text": ""}
    table.extend(*([it.get(name, absent[kind]) for it in spans] for name, kind in SPAN_COLUMNS.items()))  # fmt: skip
    plain: dict[str, Any] = {
        "scenario": "made", "scenario_hash": "abc", "seed": 1, "status": "done", "warmup_tasks": 0,
        "tasks": sum(it["kind"] == "task" for it in spans), "makespan_s": 10.0 if spans else float("nan"), "wall_s": 0.1,
        "harness_version": "1", "commit_id": "", "source": "", "command": "", "metrics": {}, "agent_metrics": {},
    }  # fmt: skip
    return RunRecord(**plain | more, spans=table, events=Table(EVENT_COLUMNS))


def task(span_id: int, status: str = "ok") -> dict[str, Any]:
    return {
        "span_id": span_id, "task": span_id, "kind": "task", "name": "plain", "arrival_s": 0.0, "start_s": 0.0, "end_s": 4.0,
        "status": status,
    }  # fmt: skip


def call(span_id: int, of: int) -> list[dict[str, Any]]:
    both = {
        "task": of, "agent": "answerer", "model": "m", "name": "m", "ordinal": 1, "arrival_s": 1.0, "start_s": 1.0,
        "end_s": 3.0, "status": "ok",
    }  # fmt: skip
    return [
        {**both, "span_id": span_id, "parent_id": of, "kind": "call"},
        {**both, "span_id": span_id + 1, "parent_id": span_id, "kind": "attempt", "first_token_s": 2.0, "input_tokens": 5,
         "output_tokens": 5, "cost_usd": 0.5},
    ]  # fmt: skip


def verdict(tmp_path: Path, *records: RunRecord) -> tuple[str, str, str]:
    """The title of a page, its tone, and the sentences below."""
    store = Store(tmp_path / "made.duckdb")
    page = draw(Contents(side=Side(store, tuple(store.write(records)))), tmp_path / "made")
    tone = page.all("section")[0]["class"]
    return page.texts["h1"].strip(), str(tone), page.texts["bdi"]


def test_run_that_uses_only_tools_has_tested_something(tmp_path: Path) -> None:
    push = {
        "span_id": 2,
        "parent_id": 1,
        "task": 1,
        "kind": "tool",
        "name": "git push",
        "arrival_s": 1.0,
        "end_s": 3.0,
    }
    title, tone, _ = verdict(tmp_path, made([task(1), {**push, "status": "ok"}]))
    assert (title, tone) == ("Good", "verdict good")


def test_run_in_which_all_is_well_is_good(tmp_path: Path) -> None:
    title, tone, words = verdict(tmp_path, made([task(1), *call(2, of=1)]))
    assert (title, tone) == ("Good", "verdict good")
    assert "The task ended well." in words


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (made([]), "No task was measured, so nothing was tested."),
        (made([task(1)], warmup_tasks=1), "No task was measured, so nothing was tested."),
        (made([task(1)]), "No call was made and no tool used, so nothing was tested."),
        (made([task(1), *call(2, of=1)], status="horizon"), "1 of 1 runs reached their horizon"),
        (
            made([task(1), task(2, "error"), *call(3, of=1)]),
            "1 of 2 tasks did not end well (50.0%).",
        ),
    ],
)
def test_run_that_tested_nothing_or_was_cut_is_never_good(
    tmp_path: Path, record: RunRecord, says: str
) -> None:
    title, tone, words = verdict(tmp_path, record)
    assert (title, tone) == ("Look closer", "verdict unsure")
    assert says in words


@pytest.mark.parametrize(
    ("budget", "says"),
    [
        (("latency_s_p95", "below", 4.0), "budget latency_s_p95 below 4 s does not hold: it is 4 s."),
        (("cost_usd_mean", "at_most", 0.1), "at most $0.100 does not hold: it is $0.500."),
        (("quality_mean", "at_least", 0.5), "at least 50.0% does not hold: it was not measured."),
    ],
)  # fmt: skip
def test_run_whose_budget_does_not_hold_is_not_good(
    tmp_path: Path, budget: tuple[str, str, float], says: str
) -> None:
    held = ("success_rate", "above", 0.5)
    record = made([task(1), *call(2, of=1)], budgets=[held, budget])
    title, tone, words = verdict(tmp_path, record)
    assert (title, tone) == ("Not good", "verdict bad")
    assert says in words
    assert "The budget success_rate above 50.0% holds: it is 100.0%." in words


def test_run_in_which_every_task_failed_is_not_good(tmp_path: Path) -> None:
    title, _, words = verdict(tmp_path, made([task(1, "error"), *call(2, of=1)]))
    assert title == "Not good"
    assert "1 of 1 tasks did not end well (100.0%)." in words

"""What a timeline holds: pieces of spans, the path, faults, lanes, and what they come to in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.metrics.critical_path import critical_path
from harness.report.timeline import (
    COLUMNS,
    ROWS,
    Timeline,
    finding,
    rows,
    run_timeline,
    task_timeline,
)
from harness.report.timeline.fold import LANES, lane_names
from harness.run import Simulation
from harness.spans import (
    ABSENT,
    AGENT,
    ATTEMPT,
    CALL,
    ERROR,
    EVENT_COLUMNS,
    OK,
    SPAN_COLUMNS,
    TASK,
    TOOL,
    WAIT,
    ColumnType,
    Table,
)  # fmt: skip

Row = dict[str, Any]

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def table(columns: dict[str, ColumnType], *given: Row) -> Table:
    absent = {"float": ABSENT, "int": -1, "text": ""}
    made = Table(columns)
    made.extend(*([row.get(name, absent[kind]) for row in given] for name, kind in columns.items()))
    return made


def events(*given: Row) -> Table:
    return table(EVENT_COLUMNS, *given)


def spans(*given: Row) -> Table:
    """Spans with ids in their order; those that say nothing else are parts of the first, and of task 1."""
    standard = {"task": 1, "status": OK, "agent": "", "name": "n"}
    return table(
        SPAN_COLUMNS,
        *(
            standard
            | {"span_id": number, "parent_id": 1 if number > 1 else -1, "start_s": row["arrival_s"]}
            | row
            for number, row in enumerate(given, 1)
        ),
    )


def span(kind: str, arrival_s: float, end_s: float, **more: object) -> Row:
    return {"kind": kind, "arrival_s": arrival_s, "end_s": end_s, **more}


def drawn(timeline: Timeline) -> list[tuple[str, str, float, float]]:
    """Lane, kind and times of each mark."""
    names = lane_names(timeline.lanes)
    return [(names[it.lane], it.kind, it.from_s, it.until_s) for it in timeline.marks]


def one_task(*given: Row) -> Timeline:
    return task_timeline(spans(span(TASK, 0, 10), *given), events(), 1)


# -- spans become marks -------------------------------------------------------------------------------------------------


def test_an_attempt_with_a_reply_is_queue_and_reading_and_generating() -> None:
    timeline = one_task(span(ATTEMPT, 0, 10, agent="a", start_s=2, first_token_s=5))
    assert drawn(timeline) == [("a", "queue", 0, 2), ("a", "prefill", 2, 5), ("a", "work", 5, 10)]


def test_an_attempt_without_a_reply_is_queue_and_retry() -> None:
    timeline = one_task(
        span(ATTEMPT, 0, 5, agent="a", start_s=2, status=ERROR),
        span(ATTEMPT, 6, 9, agent="a", start_s=ABSENT, status=ERROR),
    )
    assert drawn(timeline) == [("a", "queue", 0, 2), ("a", "retry", 2, 5), ("a", "retry", 6, 9)]


def test_an_attempt_that_was_refused_at_once_is_a_mark_without_width() -> None:
    timeline = one_task(span(ATTEMPT, 3, 3, agent="a", start_s=ABSENT, status=ERROR))
    assert drawn(timeline) == [("a", "retry", 3, 3)]


def test_without_a_first_token_all_service_is_generating() -> None:
    timeline = one_task(span(ATTEMPT, 0, 10, agent="a", start_s=0))
    assert drawn(timeline) == [("a", "work", 0, 10)]


def test_tools_and_waits_have_kinds_of_their_own() -> None:
    waits = ("backoff", "silence", "in_flight", "unheard_of")
    timeline = one_task(
        span(TOOL, 0, 1, agent="a"),
        *(span(WAIT, at, at + 1, agent="a", name=name) for at, name in enumerate(waits, 1)),
    )
    kinds = ["tool", "back_off", "silence", "in_flight", "overhead"]
    assert [mark.kind for mark in timeline.marks] == kinds


def test_tasks_turns_and_calls_are_not_filled() -> None:
    timeline = one_task(span(AGENT, 1, 9, agent="a"), span(CALL, 2, 8, agent="a", parent_id=2))
    assert timeline.marks == ()
    assert timeline.turns == ((0, 0, 10), (1, 1, 9), (1, 2, 8))
    assert lane_names(timeline.lanes) == ["task", "a"]


def test_what_an_agent_does_at_once_lies_in_numbered_lanes() -> None:
    timeline = one_task(span(TOOL, 0, 5, agent="a"), span(TOOL, 1, 6, agent="a"))
    assert lane_names(timeline.lanes) == ["task", "a 1", "a 2"]


def test_a_span_without_an_end_is_not_drawn() -> None:
    timeline = one_task(span(ATTEMPT, 1, ABSENT, agent="a"), span(TOOL, 2, 3, agent="b"))
    assert drawn(timeline) == [("b", "tool", 2, 3)]
    assert timeline.path[0].from_s == 0
    assert timeline.path[-1].until_s == 10


def test_a_mark_tells_all_that_its_span_holds() -> None:
    timeline = one_task(
        span(
            ATTEMPT, 1, 3, agent="security", name="deep", model="claude", ordinal=2, input_tokens=1234, output_tokens=5,
            cache_read_tokens=7, cost_usd=0.0123, status=ERROR, error="overloaded_error", http_status=529,
            retry_after_s=4, fault="overloaded",
        )
    )  # fmt: skip
    (mark,) = timeline.marks
    assert mark.text == (
        "security, attempts without a reply: 2 s from 1 s; attempt deep; model claude; task 1; number 2; "
        "1,234 tokens read; 7 from a cache; 5 written; $0.0123; error; overloaded_error; HTTP 529; asked to wait 4 s; "
        "fault overloaded; no slack"
    )


def test_slack_is_told_of_what_nobody_waited_for() -> None:
    timeline = one_task(span(TOOL, 0, 10, agent="a"), span(TOOL, 0, 4, agent="b"))
    assert [mark.text.rpartition("; ")[2] for mark in timeline.marks] == ["no slack", "slack 6 s"]


# -- the path, and faults -----------------------------------------------------------------------------------------------


def test_the_path_goes_from_lane_to_lane_without_a_gap() -> None:
    timeline = one_task(
        span(TOOL, 1, 4, agent="a"), span(TOOL, 1, 2, agent="b"), span(TOOL, 4, 10, agent="b")
    )
    assert timeline.path == ((0, 0, 1), (1, 1, 4), (2, 4, 10))


def test_a_path_through_a_call_without_marks_has_its_lane() -> None:
    timeline = one_task(span(CALL, 0, 10, agent="a"))
    assert timeline.path == ((1, 0, 10),)
    assert [(it.agent, it.kind, it.duration_s) for it in timeline.shares] == [("a", "back_off", 10)]


def test_a_fault_is_marked_in_the_lane_of_what_it_struck() -> None:
    found = spans(span(TASK, 0, 10), span(TOOL, 0, 9, agent="a"), span(TOOL, 1, 8, agent="a"))
    struck = events(
        {"name": "fault", "at_s": 1, "span_id": 3, "task": 1, "agent": "a", "detail": "hang"},
        {"name": "fault", "at_s": 2, "span_id": 99, "task": 1, "agent": "a", "detail": "status"},
        {"name": "retry", "at_s": 1, "span_id": 3, "task": 1, "agent": "a"},
        {"name": "fault", "at_s": 3, "span_id": 3, "task": 2, "agent": "a", "detail": "another"},
    )
    assert task_timeline(found, struck, 1).faults == (
        (1, 2, "fault: status"),
        (2, 1, "fault: hang"),
    )


def test_faults_in_one_place_are_one_cross() -> None:
    found = spans(span(TASK, 0, 1000), span(TOOL, 0, 1000, agent="a"))
    details = [f"kind {number}" for number in range(7)] + ["kind 3"]
    struck = events(
        *({"name": "fault", "at_s": 5, "span_id": 2, "task": 1, "detail": text} for text in details)
    )
    (fault,) = task_timeline(found, struck, 1).faults
    assert (
        fault.text == "8 faults: kind 3 2 times, kind 0, kind 1, kind 2, kind 4, and 2 other kinds"
    )


# -- in words, and as a table -------------------------------------------------------------------------------------------


def test_the_finding_says_what_the_time_was_spent_on() -> None:
    found = spans(
        span(TASK, 100, 110),
        span(ATTEMPT, 100, 107, agent="security", start_s=100, first_token_s=101),
        span(TOOL, 107, 109.8, agent="lead"),
    )
    assert finding(task_timeline(found, events(), 1)) == (
        "Task 1, which arrived at 100 s, took 10 s: 60% of it was security generating, 28% lead using a tool and 10% "
        "security reading the prompt."
    )
    assert finding(run_timeline(found, events())) == (
        "The whole run took 10 s: 61% of the time that agents spent was security generating, 29% lead using a tool and "
        "10% security reading the prompt."
    )


def test_the_finding_holds_names_with_braces() -> None:
    assert (
        finding(one_task(span(TOOL, 0, 10, agent="{0} %s")))
        == "Task 1 took 10 s: 100% of it was {0} %s using a tool."
    )


def test_a_task_that_is_not_there_has_an_empty_timeline() -> None:
    timeline = task_timeline(spans(span(TASK, 0, 1)), events(), 7)
    assert (timeline.lanes, timeline.marks, timeline.path, timeline.spans) == ((), (), (), 0)
    assert finding(timeline) == "Task 7: nothing was recorded."
    assert rows(timeline) == []


def test_the_table_counts_time_as_the_picture_does() -> None:
    found = spans(span(TASK, 5, 9), span(TOOL, 6, 9, agent="a"))
    (row,) = rows(task_timeline(found, events(), 1))
    assert len(row) == len(COLUMNS)
    assert row[:6] == ("a", "a tool at work", 1, 3, 1, 2)


def test_the_table_keeps_the_longest_in_the_order_of_time() -> None:
    found = [span(TOOL, 10 * at, 10 * at + 1 + at % 7, agent="a") for at in range(ROWS + ROWS // 5)]
    kept = rows(task_timeline(spans(span(TASK, 0, 10 * len(found)), *found), events(), 1))
    assert len(kept) == ROWS
    assert [row[2] for row in kept] == sorted(row[2] for row in kept)
    assert min(row[3] for row in kept) == 2


# -- whole runs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["code_review", "research_assistant", "tool_agent", "hang"])
def test_paths_of_a_scenario_are_those_of_the_metrics(name: str) -> None:
    run = Simulation(SCENARIOS / f"{name}.yaml").run()
    for task in range(1, 4):
        timeline = task_timeline(run.spans, run.events, task)
        path = critical_path(run.spans, task)
        assert timeline.path[0].from_s == path[0].start_s == timeline.from_s
        assert timeline.path[-1].until_s == path[-1].end_s
        assert all(
            one.until_s == other.from_s
            for one, other in zip(timeline.path, timeline.path[1:], strict=False)
        )
        assert sum(it.duration_s for it in timeline.shares) == pytest.approx(
            path[-1].end_s - path[0].start_s
        )


def test_a_run_shows_all_attempts_without_turns_and_path() -> None:
    run = Simulation(SCENARIOS / "hang.yaml").run()
    timeline = run_timeline(run.spans, run.events)
    assert (timeline.path, timeline.turns) == ((), ())
    assert {lane.agent for lane in timeline.lanes} == {"left", "right", "joiner"}
    assert len(timeline.lanes) <= LANES
    assert len(timeline.faults) == list(run.events.values("name")).count("fault")
    assert {mark.kind for mark in timeline.marks} == {
        "prefill", "work", "retry", "back_off", "silence"
    }  # fmt: skip


def test_the_order_of_the_table_does_not_matter() -> None:
    run = Simulation(SCENARIOS / "hang.yaml").run()
    turned = Table(SPAN_COLUMNS)
    turned.extend(*map(list, zip(*reversed(list(run.spans.rows())), strict=True)))
    assert run_timeline(turned, run.events) == run_timeline(run.spans, run.events)
    assert task_timeline(turned, run.events, 3) == task_timeline(run.spans, run.events, 3)

"""What a task's latency is made of, worked out by hand, on random trees of spans and in real runs."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.chance import Draws
from harness.metrics.critical_path import SEGMENT_KINDS, Segment, critical_path, critical_paths
from harness.run import Simulation
from harness.spans import (
    ABSENT,
    AGENT,
    ATTEMPT,
    CALL,
    CANCELLED,
    DEADLOCK,
    ERROR,
    OK,
    SPAN_COLUMNS,
    TASK,
    TOOL,
    WAIT,
    Table,
)
from tests.examples import examples

Row = dict[str, Any]

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
OF_PATTERNS = [path for path in SCENARIOS if "\ntarget:" not in path.read_text(encoding="utf-8")]
"""A program may do nothing for a while."""


def table(*rows: Row) -> Table:
    """The spans of a run; what a row does not name is absent in it."""
    absent = {"float": ABSENT, "int": -1, "text": ""}
    spans = Table(SPAN_COLUMNS)
    spans.extend(
        *([row.get(name, absent[kind]) for row in rows] for name, kind in SPAN_COLUMNS.items())
    )
    return spans


def span(
    span_id: int, parent_id: int, kind: str, arrival_s: float, end_s: float, **more: Any  # noqa: ANN401 - columns
) -> Row:  # fmt: skip
    return {
        "span_id": span_id, "parent_id": parent_id, "task": 1, "kind": kind, "arrival_s": arrival_s,
        "start_s": arrival_s, "end_s": end_s, "status": OK, "agent": "a", "name": f"n{span_id}", **more,
    }  # fmt: skip


def task(arrival_s: float, end_s: float) -> Row:
    return span(0, -1, TASK, arrival_s, end_s, agent="", name="job")


def told(*rows: Row) -> list[tuple[str, int, float, float]]:
    """The kinds, spans and times of the path of task 1."""
    return [(it.kind, it.span_id, it.start_s, it.end_s) for it in critical_path(table(*rows), 1)]


def check_partition(path: list[Segment], arrival_s: float, end_s: float) -> None:
    assert [it.position for it in path] == list(range(len(path)))
    assert all(it.start_s < it.end_s for it in path)
    assert all(one.end_s == other.start_s for one, other in pairwise(path))
    assert (path[0].start_s, path[-1].end_s) == (arrival_s, end_s)
    edges = [edge for it in path for edge in (it.end_s, -it.start_s)]
    assert math.fsum(edges) == end_s - arrival_s


# -- by hand ------------------------------------------------------------------------------------------------------------


def test_spans_that_follow_one_another_without_a_gap_are_all_on_the_path() -> None:
    path = told(task(0, 100), span(1, 0, ATTEMPT, 0, 40), span(2, 0, ATTEMPT, 40, 100))
    assert path == [("work", 1, 0, 40), ("work", 2, 40, 100)]


def test_of_parallel_branches_the_last_to_end_is_on_the_path() -> None:
    rows = [
        span(1, 0, AGENT, 0, 5), span(2, 1, ATTEMPT, 0, 5),
        span(3, 0, AGENT, 0, 9), span(4, 3, ATTEMPT, 0, 9),
        span(5, 0, AGENT, 9, 10), span(6, 5, ATTEMPT, 9, 10),
    ]  # fmt: skip
    assert told(task(0, 10), *rows) == [("work", 4, 0, 9), ("work", 6, 9, 10)]


def test_an_attempt_waits_in_its_queue_before_it_works() -> None:
    path = critical_path(
        table(task(0, 5), span(1, 0, CALL, 0, 5), span(2, 1, ATTEMPT, 0, 5, start_s=3, name="m")), 1
    )
    assert path == [Segment(0, "queue", "a", "m", 0, 3, 2), Segment(1, "work", "a", "m", 3, 5, 2)]


def test_a_failed_attempt_and_the_wait_after_it_are_retries() -> None:
    rows = [
        span(1, 0, CALL, 0, 9),
        span(2, 1, ATTEMPT, 0, 1, status=ERROR, start_s=ABSENT),
        span(3, 1, WAIT, 1, 4, name="backoff"),
        span(4, 1, WAIT, 4, 6, name="in_flight"),
        span(5, 1, ATTEMPT, 6, 9),
    ]
    kinds = [(kind, end_s) for kind, _, _, end_s in told(task(0, 9), *rows)]
    assert kinds == [("retry", 1), ("back_off", 4), ("in_flight", 6), ("work", 9)]


def test_a_program_backs_off_between_its_attempts_without_a_span_of_it() -> None:
    rows = [
        span(1, 0, CALL, 0, 9),
        span(2, 1, ATTEMPT, 0, 2, status=CANCELLED),
        span(3, 1, ATTEMPT, 5, 9),
    ]
    assert told(task(0, 9), *rows) == [("retry", 2, 0, 2), ("back_off", 1, 2, 5), ("work", 3, 5, 9)]


def test_silence_before_an_attempt_is_its_own_kind() -> None:
    rows = [
        span(1, 0, CALL, 0, 700),
        span(2, 1, WAIT, 0, 600, name="silence", status=CANCELLED),
        span(3, 1, ATTEMPT, 600, 600, status=CANCELLED, start_s=ABSENT),
        span(4, 1, ATTEMPT, 600, 700),
    ]
    assert told(task(0, 700), *rows) == [("silence", 2, 0, 600), ("work", 4, 600, 700)]


def test_time_in_which_nothing_was_open_belongs_to_the_turn_or_to_the_task() -> None:
    rows = [span(1, 0, AGENT, 1, 8), span(2, 1, ATTEMPT, 2, 5), span(3, 1, TOOL, 5, 7)]
    assert told(task(0, 10), *rows) == [
        ("hand_off", 0, 0, 1), ("overhead", 1, 1, 2), ("work", 2, 2, 5), ("work", 3, 5, 7), ("overhead", 1, 7, 8),
        ("hand_off", 0, 8, 10),
    ]  # fmt: skip


def test_what_was_still_running_fills_a_gap_that_a_stream_leaves() -> None:
    rows = [span(1, 0, ATTEMPT, 0, 8), span(2, 0, ATTEMPT, 0, 12), span(3, 0, ATTEMPT, 10, 20)]
    assert told(task(0, 20), *rows) == [("work", 1, 0, 8), ("work", 2, 8, 10), ("work", 3, 10, 20)]


def test_nobody_waited_for_what_was_cancelled_when_another_ended() -> None:
    winner, loser = span(1, 0, ATTEMPT, 0, 5), span(2, 0, ATTEMPT, 1, 5, status=CANCELLED)
    for rows in ((winner, loser), (loser, winner)):
        assert told(task(0, 5), *rows) == [("work", 1, 0, 5)]


def test_a_call_that_outlives_the_turn_it_was_begun_in_is_on_the_path() -> None:
    rows = [span(1, 0, AGENT, 0, 1), span(2, 1, ATTEMPT, 0.5, 9)]
    assert told(task(0, 9), *rows) == [("overhead", 1, 0, 0.5), ("work", 2, 0.5, 9)]


def test_spans_outside_their_task_are_cut_to_it() -> None:
    rows = [span(1, 0, ATTEMPT, -3, 2), span(2, 0, ATTEMPT, 2, 30)]
    assert told(task(0, 10), *rows) == [("work", 1, 0, 2), ("work", 2, 2, 10)]


def test_spans_that_are_still_open_or_whose_parent_is_count() -> None:
    open_turn = span(1, 0, AGENT, 1, ABSENT, status="")
    assert told(task(0, 10), open_turn) == [("hand_off", 0, 0, 1), ("overhead", 1, 1, 10)]
    orphan = span(2, 77, ATTEMPT, 0, 10)
    assert told(task(0, 10), orphan) == [("work", 2, 0, 10)]


def test_a_task_without_an_end_or_a_duration_has_no_path() -> None:
    assert told(task(0, ABSENT), span(1, 0, ATTEMPT, 0, 1)) == []
    assert told(span(1, 0, ATTEMPT, 0, 1)) == []
    assert told(task(3, 3)) == []
    assert critical_paths(table(task(0, ABSENT))) == {}
    assert critical_paths(table(task(3, 3))) == {1: []}


def test_a_deep_tree_needs_no_recursion() -> None:
    rows = [span(number, number - 1, AGENT, number, 10_000) for number in range(1, 5_000)]
    assert len(told(task(0, 10_000), *rows)) == 5_000


def test_many_spans_take_a_moment() -> None:
    rows = [span(number, 0, ATTEMPT, number / 7, number / 7 + 50) for number in range(1, 50_000)]
    assert len(told(task(0, 50_000), *rows)) > 100


# -- random trees -------------------------------------------------------------------------------------------------------

_KINDS = (AGENT, CALL, ATTEMPT, TOOL, WAIT)
_STATUSES = (OK, OK, OK, ERROR, CANCELLED)


def random_tree(draws: Draws) -> list[Row]:
    """Spans of one task, which begin and end where they like, many of them where others do."""
    times = [draws.uniform("end") * 1000]
    rows = [task(0, times[0])]

    def time(*key: object) -> float:
        if draws.uniform(*key, "old") < 0.5:
            return times[int(draws.uniform(*key, "which") * len(times))]
        times.append((draws.uniform(*key, "at") * 1.4 - 0.2) * times[0])
        return times[-1]

    for number in range(1, int(draws.uniform("size") * 40)):
        arrival_s, start_s, end_s = sorted(time(number, edge) for edge in range(3))
        pick = {what: draws.uniform(number, what) for what in ("parent", "kind", "status", "open")}
        rows.append(
            span(
                number,
                int(
                    pick["parent"] * (number + 1)
                ),  # its own id stands for a parent that is not there
                _KINDS[int(pick["kind"] * len(_KINDS))],
                arrival_s,
                end_s if pick["open"] < 0.95 else ABSENT,
                start_s=start_s if pick["open"] > 0.05 else ABSENT,
                status=_STATUSES[int(pick["status"] * len(_STATUSES))],
            )
        )
        if rows[-1]["parent_id"] == number:
            rows[-1]["parent_id"] = 10_000
    return rows


def test_segments_fill_the_latency_of_two_thousand_random_tasks_exactly() -> None:
    for seed in range(2_000):
        rows = random_tree(Draws(seed))
        path = critical_path(table(*rows), 1)
        check_partition(path, 0, rows[0]["end_s"])
        by_id = {row["span_id"]: row for row in rows}
        for part in path:
            row = by_id[part.span_id]
            assert part.kind in SEGMENT_KINDS
            assert row["arrival_s"] <= part.start_s
            assert not row["end_s"] < part.end_s
            if part.kind == "hand_off":
                assert not any(
                    row["arrival_s"] < part.end_s and not row["end_s"] <= part.start_s
                    for row in rows[1:]
                    if row["arrival_s"] != row["end_s"]
                )


def slow_path(rows: list[Row]) -> list[tuple[int, float, float]]:
    """The path by definition: at each moment all spans are looked at anew."""
    by_id = {row["span_id"]: row for row in rows}
    parts: dict[int, list[int]] = {row["span_id"]: [] for row in rows}
    for row in rows[1:]:
        parent = row["parent_id"]
        while parent != 0 and (
            by_id[parent]["end_s"] < row["end_s"] or by_id[parent]["arrival_s"] > row["arrival_s"]
        ):
            parent = by_id[parent]["parent_id"]
        parts[parent].append(row["span_id"])

    def on(span_id: int, from_s: float, to_s: float) -> list[tuple[int, float, float]]:
        inside = [by_id[part] for part in parts[span_id] if by_id[part]["arrival_s"] < to_s]
        inside = [part for part in inside if part["arrival_s"] < part["end_s"]]
        before = [part["end_s"] for part in inside if part["end_s"] < to_s]
        ended = [part for part in inside if part["end_s"] == to_s]
        running = [part for part in inside if part["end_s"] > to_s]
        since_s = max([from_s, *before])
        if from_s >= to_s:
            return []
        if ended:
            best = max(
                ended, key=lambda it: (it["status"] != CANCELLED, it["arrival_s"], it["span_id"])
            )
            cut_s = max(from_s, best["arrival_s"])
            return [*on(span_id, from_s, cut_s), *on(best["span_id"], cut_s, to_s)]
        if running:
            best = max(running, key=lambda it: (it["arrival_s"], it["span_id"]))
            cut_s = max(since_s, best["arrival_s"])
            return [*on(span_id, from_s, cut_s), *on(best["span_id"], cut_s, to_s)]
        return [*on(span_id, from_s, since_s), (span_id, since_s, to_s)]

    return on(0, rows[0]["arrival_s"], rows[0]["end_s"])


@st.composite
def small_trees(draw: st.DrawFn) -> list[Row]:
    rows = [task(0, 10)]
    for number in range(1, draw(st.integers(1, 8))):
        parent_id = draw(st.integers(0, number - 1))
        arrival_s, end_s = sorted(draw(st.tuples(st.integers(-1, 12), st.integers(-1, 12))))
        status = draw(st.sampled_from([OK, CANCELLED]))
        rows.append(span(number, parent_id, TOOL, arrival_s, end_s, status=status))
    return rows


@given(small_trees())
@settings(max_examples=examples(500), deadline=None)
def test_the_walk_finds_the_path_by_definition(rows: list[Row]) -> None:
    assert [(span_id, *times) for _, span_id, *times in told(*rows)] == slow_path(rows)


# -- real runs ----------------------------------------------------------------------------------------------------------


def check_run(spans: Table) -> dict[int, list[Segment]]:
    paths = critical_paths(spans)
    tasks = [row[1:] for row in spans.rows("kind", "task", "arrival_s", "end_s") if row[0] == TASK]
    assert sorted(paths) == sorted(number for number, _, _ in tasks)
    for number, arrival_s, end_s in tasks:
        if arrival_s < end_s:
            check_partition(paths[number], arrival_s, end_s)
    number = tasks[0][0]
    assert critical_path(spans, number) == paths[number]
    return paths


@pytest.mark.parametrize("path", OF_PATTERNS, ids=lambda path: str(path.stem))
def test_every_task_of_a_scenario_is_filled_and_nobody_is_idle(path: Path) -> None:
    spans = Simulation(path).run().spans
    paths = check_run(spans)
    rows = spans.rows("kind", "task", "error")
    stuck = {task for kind, task, error in rows if kind == TASK and error == DEADLOCK}
    idle_s = math.fsum(
        part.duration_s
        for task, parts in paths.items()
        for part in parts
        if part.kind in ("hand_off", "overhead") and task not in stuck
    )
    assert idle_s == 0.0


PROGRAM = """
import asyncio
import anthropic

client = anthropic.AsyncAnthropic(api_key="unused")


async def ask(system, text):
    message = await client.messages.create(
        model="claude-sonnet-4-6", max_tokens=500, system=system, messages=[{"role": "user", "content": text}]
    )
    return message.content[0].text


async def main(question):
    plan = await ask("You are a planner.", question)
    await asyncio.sleep(1.25)
    findings = await asyncio.gather(*(ask("You are a worker.", plan + str(line)) for line in range(3)))
    return await ask("You are a synthesizer.", "; ".join(findings))
"""

SCENARIO = """
scenario: program
workload: {tasks: 5, arrivals: {every_s: 2}}
target: program_on_a_path:main
providers: {anthropic: {concurrency: 4}}
agents:
  planner: {match: {system: "*planner*"}}
  worker: {match: {system: "*worker*"}}
  synthesizer: {match: {system: "*synthesizer*"}}
faults: [{overloaded: {agent: worker, attempt: 1, probability: 0.5}}]
"""


def test_the_tasks_of_a_program_of_ones_own_are_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("anthropic")
    monkeypatch.syspath_prepend(tmp_path)
    tmp_path.joinpath("program_on_a_path.py").write_text(PROGRAM, encoding="utf-8")
    tmp_path.joinpath("scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    paths = check_run(Simulation(tmp_path / "scenario.yaml").run().spans)
    for parts in paths.values():
        slept_s = math.fsum(part.duration_s for part in parts if part.kind == "hand_off")
        assert slept_s == pytest.approx(1.25)
    assert {part.kind for parts in paths.values() for part in parts} == {
        "work", "queue", "retry", "back_off", "hand_off",
    }  # fmt: skip

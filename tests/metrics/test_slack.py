"""How much longer spans could have taken: by hand, by definition, in programs whose end can be computed, in real runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.chance import Draws
from harness.metrics.critical_path import critical_paths
from harness.metrics.parts import holders, parts
from harness.metrics.slack import slack
from harness.run import Simulation
from harness.spans import (
    ABSENT,
    AGENT,
    ATTEMPT,
    CALL,
    CANCELLED,
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


def table(*rows: Row) -> Table:
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
        "start_s": arrival_s, "end_s": end_s, "status": OK, "agent": "a", "name": "n", **more,
    }  # fmt: skip


def task(arrival_s: float, end_s: float, *, span_id: int = 1, number: int = 1) -> Row:
    return span(span_id, -1, TASK, arrival_s, end_s, agent="", task=number)


def slack_by_id(*rows: Row) -> dict[int, float]:
    return slack(table(*rows))


# -- by hand ------------------------------------------------------------------------------------------------------------


def test_the_shorter_of_two_parallel_spans_may_take_as_long_as_the_longer() -> None:
    rows = [task(0, 9), span(2, 1, TOOL, 0, 9), span(3, 1, TOOL, 0, 4)]
    assert slack_by_id(*rows) == {1: 0, 2: 0, 3: 5}


def test_a_span_may_end_when_those_do_that_the_next_waited_for() -> None:
    rows = [
        task(0, 12), span(2, 1, TOOL, 0, 9), span(3, 1, TOOL, 0, 4), span(4, 1, TOOL, 10, 12), span(5, 1, TOOL, 10, 11),
    ]  # fmt: skip
    assert slack_by_id(*rows) == {1: 0, 2: 0, 3: 5, 4: 0, 5: 1}


def test_a_chain_beside_a_longer_span_has_one_slack_together() -> None:
    rows = [task(0, 9), span(2, 1, TOOL, 0, 9), span(3, 1, TOOL, 0, 2), span(4, 1, TOOL, 2, 5)]
    assert slack_by_id(*rows) == {1: 0, 2: 0, 3: 4, 4: 4}


def test_a_part_has_the_slack_of_what_holds_it_and_its_own() -> None:
    rows = [
        task(0, 9), span(2, 1, AGENT, 0, 9), span(3, 1, AGENT, 0, 6), span(4, 3, CALL, 0, 6), span(5, 3, CALL, 0, 5),
        span(6, 5, ATTEMPT, 0, 5),
    ]  # fmt: skip
    assert slack_by_id(*rows) == {1: 0, 2: 0, 3: 3, 4: 3, 5: 4, 6: 4}


def test_time_of_its_own_at_a_parents_end_waits_for_the_last_part_alone() -> None:
    rows = [task(0, 9), span(2, 1, TOOL, 0, 6), span(3, 1, TOOL, 0, 4)]
    assert slack_by_id(*rows) == {1: 0, 2: 0, 3: 2}


def test_a_stream_that_was_read_further_on_the_path_has_no_slack() -> None:
    rows = [task(0, 20), span(2, 1, ATTEMPT, 0, 8), span(3, 1, ATTEMPT, 0, 12), span(4, 1, ATTEMPT, 10, 20)]  # fmt: skip
    assert slack_by_id(*rows) == {1: 0, 2: 0, 3: 0, 4: 0}


def test_what_outlives_its_task_counts_as_ending_with_it() -> None:
    rows = [task(0, 10), span(2, 1, TOOL, 0, 99), span(3, 1, TOOL, 0, 10), span(4, 1, TOOL, 0, 7)]
    assert slack_by_id(*rows) == {1: 0, 2: 0, 3: 0, 4: 3}


def test_spans_that_nobody_can_have_waited_for_have_none() -> None:
    rows = [task(0, 10), span(2, 1, TOOL, 3, 3), span(3, 1, TOOL, 11, 12)]
    assert slack_by_id(*rows) == {1: 0}
    assert slack_by_id(task(0, ABSENT), span(2, 1, TOOL, 0, 1)) == {}
    assert slack_by_id() == {}


def test_parts_are_found_from_what_holds_them_and_the_other_way_round() -> None:
    rows = [
        task(0, 9),
        span(2, 1, AGENT, 0, 6),
        span(3, 2, CALL, 0, 4),
        span(4, 2, CALL, 5, 8),
        span(5, 2, CALL, 3, 3),
    ]
    known = parts(table(*rows))
    assert [known.of(row) for row in range(5)] == [[1, 3], [2], [], [], []]
    assert list(known.holder_of) == [-1, 0, 1, 0, -1]
    assert known.roots == {1: 0}


def test_tasks_have_nothing_to_do_with_one_another() -> None:
    rows = [
        task(0, 9), span(2, 1, TOOL, 0, 9), span(3, 1, TOOL, 0, 4),
        task(1, 5, span_id=4, number=2), span(5, 4, TOOL, 1, 5, task=2), span(6, 4, TOOL, 1, 4, task=2),
    ]  # fmt: skip
    assert slack_by_id(*rows) == {1: 0, 2: 0, 3: 5, 4: 0, 5: 0, 6: 1}


# -- by definition ------------------------------------------------------------------------------------------------------


def random_tree(draws: Draws) -> list[Row]:
    """Spans of one task with whole times, so that sums are exact; some lie outside their parents."""
    end_s = 5 + int(draws.uniform("end") * 40)
    rows = [task(0, end_s)]
    for number in range(2, 3 + int(draws.uniform("size") * 30)):
        times = [int(draws.uniform(number, edge) * (end_s + 8)) - 4 for edge in "ab"]
        parent_id = 1 + int(draws.uniform(number, "parent") * (number - 1))
        kind = (AGENT, CALL, ATTEMPT, TOOL, WAIT)[int(draws.uniform(number, "kind") * 5)]
        status = CANCELLED if draws.uniform(number, "status") < 0.2 else OK
        rows.append(span(number, parent_id, kind, float(min(times)), float(max(times)), status=status))  # fmt: skip
    return rows


def slow_slack(spans: Table) -> dict[int, float]:
    """The slack by definition: every pair of parts of a span is looked at."""
    rows = [dict(zip(spans.columns, row, strict=True)) for row in spans.rows()]
    holder_of = holders(spans)
    critical = {part.span_id for path in critical_paths(spans).values() for part in path}
    for row in reversed(range(len(rows))):
        if any(
            rows[part]["span_id"] in critical
            for part in range(len(rows))
            if row in _above(part, holder_of)
        ):
            critical.add(rows[row]["span_id"])
    for each in rows:
        each["end_s"] = min(each["end_s"], rows[0]["end_s"])
    found: dict[int, float] = {0: 0.0}

    def of(row: int) -> float:
        if row not in found:
            end_s, holder = rows[row]["end_s"], holder_of[row]
            beside = [it for it, one in enumerate(holder_of) if one == holder and alive(it)]
            bounds = [max(rows[it]["end_s"] for it in beside) - end_s + of(holder)]
            for other in beside:
                begin_s = rows[other]["arrival_s"]
                if begin_s >= end_s:
                    before = [rows[it]["end_s"] for it in beside if rows[it]["end_s"] <= begin_s]
                    bounds.append(max(before) - end_s + of(other))
            found[row] = 0.0 if rows[row]["span_id"] in critical else max(0.0, min(bounds))
        return found[row]

    def alive(row: int) -> bool:
        return bool(rows[row]["arrival_s"] < rows[row]["end_s"])

    wanted = [row for row in range(len(rows)) if row == 0 or (holder_of[row] >= 0 and alive(row))]
    return {rows[row]["span_id"]: of(row) for row in wanted}


def _above(row: int, holder_of: Any) -> list[int]:  # noqa: ANN401 - an array
    above = [row]
    while holder_of[above[-1]] >= 0:
        above.append(holder_of[above[-1]])
    return above


def test_slack_of_five_hundred_random_trees_is_that_of_the_definition() -> None:
    some = 0
    for seed in range(500):
        spans = table(*random_tree(Draws(seed)))
        found = slack(spans)
        assert found == slow_slack(spans), seed
        some += sum(slack_s > 0 for slack_s in found.values())
    assert some > 1_000


# -- programs whose end can be computed ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Leaf:
    took_s: int


@dataclass(frozen=True, slots=True)
class Block:
    parallel: bool
    parts: tuple[Program, ...]


Program = Leaf | Block

programs = st.recursive(
    st.builds(Leaf, st.integers(1, 20)),
    lambda parts: st.builds(Block, st.booleans(), st.lists(parts, min_size=1, max_size=4).map(tuple)),
    max_leaves=25,
)  # fmt: skip


def run(program: Program, *, longer: int = -1, by_s: float = 0.0) -> list[Row]:
    """The spans of a program in which blocks fork and join; one leaf, by its span_id, may take longer."""
    rows: list[Row] = []

    def do(part: Program, parent_id: int, begin_s: float) -> float:
        row = span(len(rows) + 2, parent_id, AGENT if isinstance(part, Block) else TOOL, begin_s, begin_s)  # fmt: skip
        rows.append(row)
        end_s = begin_s
        if isinstance(part, Leaf):
            end_s += part.took_s + (by_s if row["span_id"] == longer else 0.0)
        else:
            for inner in part.parts:
                at_s = begin_s if part.parallel else end_s
                end_s = max(end_s, do(inner, row["span_id"], at_s))
        row["end_s"] = end_s
        return end_s

    end_s = do(program, 1, 0.0)
    return [task(0.0, end_s), *rows]


@given(programs)
@settings(max_examples=examples(200), deadline=None)
def test_a_leaf_may_take_longer_by_its_slack_and_no_more(program: Program) -> None:
    rows = run(program)
    found = slack_by_id(*rows)
    for row in rows:
        if row["kind"] == TOOL:
            leaf, slack_s = row["span_id"], found[row["span_id"]]
            later_s = {by_s: run(program, longer=leaf, by_s=by_s)[0]["end_s"] for by_s in (slack_s, slack_s + 3)}  # fmt: skip
            assert later_s == {slack_s: rows[0]["end_s"], slack_s + 3: rows[0]["end_s"] + 3}


# -- real runs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: str(path.stem))
def test_what_the_critical_path_runs_through_has_no_slack(path: Path) -> None:
    spans = Simulation(path).run().spans
    paths = critical_paths(spans)
    found = slack(spans, paths)
    holder_of = holders(spans)
    row_of = {span_id: row for row, span_id in enumerate(spans["span_id"])}
    through = {row for path in paths.values() for part in path for row in _above(row_of[part.span_id], holder_of)}  # fmt: skip
    assert {found[spans["span_id"][row]] for row in through} == {0.0}
    assert all(slack_s >= 0 and math.isfinite(slack_s) for slack_s in found.values())
    ended = {row[0] for row in spans.rows("span_id", "arrival_s", "end_s") if row[1] < row[2]}
    assert found.keys() == ended
    assert found == slack(spans)

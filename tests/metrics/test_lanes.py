"""Where spans lie in a drawing: nested on their parents, or beside them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics.lanes import Lane, lanes
from harness.run import Simulation
from harness.spans import ABSENT, AGENT, ATTEMPT, OK, SPAN_COLUMNS, TASK, Table
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
    span_id: int, parent_id: int, agent: str, arrival_s: float, end_s: float, kind: str = AGENT
) -> Row:
    return {
        "span_id": span_id, "parent_id": parent_id, "task": 1, "kind": kind, "name": "n", "agent": agent,
        "arrival_s": arrival_s, "start_s": arrival_s, "end_s": end_s, "status": OK,
    }  # fmt: skip


def laid(*rows: Row) -> dict[int, str]:
    """By span_id, the lane that a span lies in, such as `lead 2`."""
    spans = table(*rows)
    found = lanes(spans)
    names = [f"{lane.agent} {lane.number}" for lane in found.names] + ["nowhere"]
    return {
        span_id: names[lane] for span_id, lane in zip(spans["span_id"], found.of_row, strict=True)
    }


def check_nesting(spans: Table) -> None:
    """Any two spans of a lane have no time in common, or one contains the other."""
    of_lane: dict[int, list[tuple[float, float]]] = {}
    for lane, (arrival_s, end_s) in zip(lanes(spans).of_row, spans.rows("arrival_s", "end_s"), strict=True):  # fmt: skip
        if lane >= 0:
            of_lane.setdefault(lane, []).append((arrival_s, end_s))
    for inside in of_lane.values():
        around: list[float] = []
        for arrival_s, end_s in sorted(inside, key=lambda it: (it[0], -it[1])):
            while around and around[-1] <= arrival_s:
                around.pop()
            assert not around or end_s <= around[-1]
            around.append(end_s)


# -- by hand ------------------------------------------------------------------------------------------------------------


def test_a_call_lies_on_the_turn_of_its_agent() -> None:
    rows = [span(1, -1, "", 0, 9, TASK), span(2, 1, "lead", 0, 9), span(3, 2, "lead", 1, 8)]
    assert laid(*rows) == {1: " 1", 2: "lead 1", 3: "lead 1"}


def test_what_an_agent_does_at_the_same_time_lies_in_lanes_of_its_own() -> None:
    rows = [
        span(1, -1, "lead", 0, 9), span(2, 1, "lead", 0, 5), span(3, 1, "lead", 2, 4), span(4, 1, "lead", 3, 7),
        span(5, 1, "lead", 6, 8),
    ]  # fmt: skip
    assert laid(*rows) == {1: "lead 1", 2: "lead 1", 3: "lead 2", 4: "lead 3", 5: "lead 1"}


def test_a_span_does_not_lie_on_one_that_is_not_its_parent() -> None:
    rows = [span(1, -1, "lead", 0, 9), span(2, -1, "lead", 1, 3), span(3, 2, "lead", 1, 2)]
    assert laid(*rows) == {1: "lead 1", 2: "lead 2", 3: "lead 2"}


def test_the_lowest_lane_that_is_free_is_taken() -> None:
    rows = [
        span(1, -1, "a", 0, 9), span(2, -1, "a", 1, 3), span(3, -1, "a", 2, 4), span(4, -1, "a", 3, 5),
        span(5, -1, "a", 4, 6), span(6, -1, "a", 9, 10),
    ]  # fmt: skip
    assert laid(*rows) == {1: "a 1", 2: "a 2", 3: "a 3", 4: "a 2", 5: "a 3", 6: "a 1"}


def test_a_span_that_outlives_its_parent_lies_beside_it() -> None:
    rows = [span(1, -1, "a", 0, 5), span(2, 1, "a", 1, 6)]
    assert laid(*rows) == {1: "a 1", 2: "a 2"}


def test_spans_that_take_no_time_lie_where_they_happened() -> None:
    rows = [
        span(1, -1, "a", 0, 5), span(2, 1, "a", 0, 0), span(3, 1, "a", 5, 5), span(4, -1, "a", 7, 7), span(5, 4, "a", 7, 7),
    ]  # fmt: skip
    assert set(laid(*rows).values()) == {"a 1"}


def test_a_span_without_an_end_lies_nowhere_and_its_parts_lie_without_it() -> None:
    rows = [
        span(1, -1, "a", 0, ABSENT),
        span(2, 1, "a", 1, 2),
        span(3, 77, "a", 1, 2, ATTEMPT),
    ]
    assert laid(*rows) == {1: "nowhere", 2: "a 1", 3: "a 2"}


def test_lanes_stand_by_agent_in_the_order_of_their_first_spans() -> None:
    rows = [
        span(1, -1, "", 0, 9, TASK), span(2, 1, "z", 1, 9), span(3, 1, "a", 2, 9), span(4, 1, "z", 3, 9),
    ]  # fmt: skip
    expected = (Lane("", 1), Lane("z", 1), Lane("z", 2), Lane("a", 1))
    assert lanes(table(*rows)).names == expected
    assert lanes(table(*reversed(rows))).names == expected
    assert lanes(table()).names == ()


# -- random and real tables ---------------------------------------------------------------------------------------------


@st.composite
def tables(draw: st.DrawFn) -> list[Row]:
    rows = []
    for number in range(1, draw(st.integers(1, 25))):
        arrival_s, end_s = sorted(draw(st.tuples(st.integers(0, 12), st.integers(0, 12))))
        rows.append(
            span(number, draw(st.integers(-1, 25)), draw(st.sampled_from("ab")), arrival_s, end_s)
        )
    return rows


@given(tables(), st.randoms())
@settings(max_examples=examples(500), deadline=None)
def test_spans_of_a_lane_nest_whatever_they_are(rows: list[Row], dice: Any) -> None:  # noqa: ANN401 - hypothesis'
    check_nesting(table(*rows))
    expected = laid(*rows)
    dice.shuffle(rows)
    assert laid(*rows) == expected


@given(tables())
@settings(max_examples=examples(200), deadline=None)
def test_no_lane_begins_while_a_lower_one_is_free(rows: list[Row]) -> None:
    found = laid(*rows)
    for row in rows:
        agent, _, number = found[row["span_id"]].rpartition(" ")
        lower = {f"{agent} {below}" for below in range(1, int(number))}
        # Spans that begin together are laid one after another, and a lane may be free again at once.
        busy = {
            found[it["span_id"]]
            for it in rows
            if it["arrival_s"] <= row["arrival_s"] <= it["end_s"]
        }
        assert lower <= busy or row["parent_id"] in found, row


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: str(path.stem))
def test_every_span_of_a_scenario_lies_in_a_lane_of_its_agent(path: Path) -> None:
    spans = Simulation(path).run().spans
    check_nesting(spans)
    found = lanes(spans)
    assert min(found.of_row) == 0
    agents: Sequence[str] = spans.values("agent")
    assert [found.names[lane].agent for lane in found.of_row] == list(agents)
    assert all(
        other == Lane(one.agent, one.number + 1) or other.number == 1
        for one, other in pairwise(found.names)
    )

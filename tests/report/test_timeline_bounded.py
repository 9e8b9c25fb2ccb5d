"""Pictures of timelines stay small and readable, whatever the run."""

from __future__ import annotations

from collections import Counter
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics.lanes import Lane
from harness.report.drawing import as_png
from harness.report.timeline import (
    as_figure,
    as_svg,
    run_timeline,
    task_timeline,
)
from harness.report.timeline.faults import FAULTS
from harness.report.timeline.fold import LANES, folded, lane_names
from harness.report.timeline.merge import MARKS, PIXELS, crowd, merged
from harness.report.timeline.pieces import Piece
from harness.report.timeline.ticks import TICKS, ticks
from harness.spans import (
    ABSENT,
    ATTEMPT,
    ERROR,
    EVENT_COLUMNS,
    OK,
    SPAN_COLUMNS,
    TASK,
    TOOL,
    Table,
)
from tests.examples import examples

Row = dict[str, Any]


def table(*given: Row) -> Table:
    """Spans of task 1, with ids in their order; the first is the task's."""
    absent = {"float": ABSENT, "int": -1, "text": ""}
    standard = {"task": 1, "status": OK, "parent_id": 1}
    made = [standard | {"span_id": number} | row for number, row in enumerate(given, 1)]
    made[0]["parent_id"] = -1
    spans = Table(SPAN_COLUMNS)
    spans.extend(
        *([row.get(name, absent[kind]) for row in made] for name, kind in SPAN_COLUMNS.items())
    )
    return spans


def span(kind: str, arrival_s: float, end_s: float, **more: object) -> Row:
    return {"kind": kind, "arrival_s": arrival_s, "start_s": arrival_s, "end_s": end_s} | more


def busy(count: int, *, agents: int, every_s: float, for_s: float) -> Table:
    """Attempts of some agents in turn, each in queue, reading and generating."""
    attempts = [
        span(
            ATTEMPT, at * every_s, at * every_s + for_s, agent=f"agent {at % agents}", name="deep", model="claude",
            start_s=at * every_s + for_s / 4, first_token_s=at * every_s + for_s / 2, input_tokens=100, output_tokens=20,
            cost_usd=0.01, status=ERROR if at % 5 == 0 else OK,
        )
        for at in range(count)
    ]  # fmt: skip
    return table(span(TASK, 0, count * every_s + for_s), *attempts)


NO_EVENTS = Table(EVENT_COLUMNS)


def marks_of(svg: str) -> list[ET.Element]:
    return [it for it in ET.fromstring(svg).iter("g") if "m" in it.get("class", "").split()]


# -- bounded ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agents", "every_s", "for_s"),
    [(1, 0.01, 0.01), (6, 0.05, 1), (6, 1, 0.01), (3, 0.001, 100), (40_000, 0.001, 100)],
)
def test_a_run_of_forty_thousand_spans_is_a_small_file(
    agents: int, every_s: float, for_s: float
) -> None:
    timeline = run_timeline(busy(40_000, agents=agents, every_s=every_s, for_s=for_s), NO_EVENTS)
    assert len(timeline.lanes) <= LANES
    assert timeline.spans == 40_001
    svg = as_svg(timeline, "t", "trace.json")
    assert len(svg) < 150_000
    assert f"{timeline.merged:,} short or parallel stretches are drawn together" in svg
    assert 'all 40,001 spans: <a href="trace.json"' in svg


def test_a_task_of_a_thousand_spans_is_a_small_file() -> None:
    spans = busy(1000, agents=8, every_s=0.1, for_s=0.7)
    assert len(as_svg(task_timeline(spans, NO_EVENTS, 1), "t")) < 125_000


def test_a_thousand_workers_keep_the_lanes_that_the_end_waited_for() -> None:
    workers = [span(TOOL, 0, 1, agent="worker") for _ in range(999)]
    spans = table(span(TASK, 0, 2), *workers, span(TOOL, 0.5, 2, agent="worker"))
    timeline = task_timeline(spans, NO_EVENTS, 1)
    names = lane_names(timeline.lanes)
    assert len(names) == LANES
    assert names[:3] == ["task", "worker 1", "worker 2"]
    assert names[-2:] == ["worker 1000", "worker, 962 more"]
    assert timeline.path[-1].lane == LANES - 2
    assert timeline.marks[-1].text == "962 times a tool at work: 1 s from 0 s"


def test_more_agents_than_lanes_share_the_last_one() -> None:
    names = [Lane(f"agent {number}", 1) for number in range(100)]
    into = folded(names, set(range(100)), {77})
    assert len(into.lanes) == LANES
    assert into.lanes[into.of[77]] == ("agent 77", 1, 0)
    assert lane_names(into.lanes)[-1] == "61 more lanes"
    assert len(into.of) == 100


def test_no_lane_is_shared_while_there_is_room() -> None:
    names = [Lane("a", number) for number in range(1, LANES)] + [Lane("b", 1)]
    assert [lane[:2] for lane in folded(names, set(range(LANES)), set()).lanes] == names


PIECES = st.lists(
    st.builds(
        lambda from_s, for_s, lane, kind, row: Piece(from_s, from_s + for_s, lane, row, kind, row),
        st.integers(0, 90_000).map(lambda at: at / 1000),
        st.integers(0, 300).map(lambda at: at / 1000),
        st.integers(0, 2),
        st.sampled_from(["queue", "work"]),
        st.integers(1, 99),
    ),
    min_size=1,
    max_size=300,
)


@given(PIECES)
@settings(max_examples=examples(200), deadline=None)
def test_merging_loses_no_time_and_no_span(pieces: list[Piece]) -> None:
    def time_of(given: list[Piece]) -> dict[tuple[int, str], float]:
        times: Counter[tuple[int, str]] = Counter()
        for it in given:
            times[it.lane, it.kind] += round((it.until_s - it.from_s) * 1e6)
        return dict(times)

    found = merged(sorted(pieces), 0, 100)
    assert sum(it.number for it in found) == len(pieces)
    expected = time_of(pieces)
    assert {key: pytest.approx(value, abs=400) for key, value in time_of(found).items()} == expected
    assert len(found) <= MARKS
    pixel_s = 100 / PIXELS
    # What is wide enough to be seen is left as it is.
    assert {it for it in pieces if it.until_s - it.from_s >= pixel_s} <= set(found)


def test_narrow_marks_of_a_pixel_are_laid_by_their_time() -> None:
    pieces = [Piece(0.01, 0.03, 0, 1, "queue", 1), Piece(0.03, 0.04, 0, 2, "work", 2), Piece(0.05, 0.08, 0, 3, "queue", 3)]  # fmt: skip
    queue, work = merged(pieces, 0, 100)
    assert (queue.from_s, queue.number, work.number) == (0.01, 2, 1)
    assert queue.until_s == pytest.approx(0.06)
    assert work.from_s == queue.until_s
    assert work.until_s == pytest.approx(0.07)


def test_a_shared_lane_shows_what_most_were_doing() -> None:
    pieces = [
        Piece(0, 50, 0, 1, "queue", 1),
        Piece(0, 100, 0, 2, "work", 2),
        Piece(0, 50, 0, 3, "queue", 3),
    ]
    assert [(it.kind, it.from_s, it.until_s, it.number) for it in crowd(pieces, 0, 100)] == [
        ("queue", 0, 50, 2),
        ("work", 50, 100, 1),
    ]


def test_what_took_no_time_at_all_is_drawn() -> None:
    timeline = task_timeline(table(span(TASK, 3, 3), span(TOOL, 3, 3, agent="a")), NO_EVENTS, 1)
    assert len(marks_of(as_svg(timeline, "t"))) == 1
    assert as_png(as_figure(timeline)).startswith(b"\x89PNG")


def test_thousands_of_faults_are_some_crosses() -> None:
    spans = busy(100, agents=2, every_s=1, for_s=1)
    struck = Table(EVENT_COLUMNS)
    many = 5000
    struck.extend(
        [at / 50 for at in range(many)], [2 + at % 100 for at in range(many)], [1] * many, [""] * many, ["fault"] * many,
        ["hang"] * many, [""] * many, *([-1] * many for _ in range(4)),
    )  # fmt: skip
    timeline = run_timeline(spans, struck)
    assert FAULTS / 4 < len(timeline.faults) <= FAULTS
    counts = [int(fault.text.split()[0]) for fault in timeline.faults]
    assert sum(counts) == many
    assert timeline.faults[0].text == f"{counts[0]} faults: hang {counts[0]} times"


# -- the axis -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("duration_s", "expected"),
    [
        (0, ["0 s"]),
        (0.0004, ["0 s", "0.05 ms", "0.1 ms", "0.15 ms", "0.2 ms", "0.25 ms", "0.3 ms", "0.35 ms", "0.4 ms"]),
        (1.5, ["0 s", "0.2 s", "0.4 s", "0.6 s", "0.8 s", "1.0 s", "1.2 s", "1.4 s"]),
        (18.4, ["0 s", "5 s", "10 s", "15 s"]),
        (200, ["0 s", "30 s", "60 s", "90 s", "2 min", "2 min 30 s", "3 min"]),
        (4000, ["0 s", "10 min", "20 min", "30 min", "40 min", "50 min", "60 min"]),
        (50_000, ["0 s", "2 h", "4 h", "6 h", "8 h", "10 h", "12 h"]),
        (1_000_000, ["0 s", "48 h", "96 h", "144 h", "192 h", "240 h"]),
    ],
)  # fmt: skip
def test_the_axis_is_marked_at_round_times(duration_s: float, expected: list[str]) -> None:
    assert [text for _, text in ticks(duration_s)] == expected


@given(st.floats(1e-6, 1e9))
@settings(max_examples=examples(500), deadline=None)
def test_the_axis_is_never_crowded_nor_empty(duration_s: float) -> None:
    marked = ticks(duration_s)
    assert 2 <= len(marked) <= TICKS + 1
    assert all(0 <= at_s <= duration_s * (1 + 1e-6) for at_s, _ in marked)
    assert len({text for _, text in marked}) == len(marked)

"""Chrome's trace format: slices of a thread nest, whatever the run; arrows and counters say what happened."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics.critical_path import critical_paths
from harness.spans import ABSENT, ATTEMPT, CANCELLED, ERROR, OK, SPAN_COLUMNS, TASK, TOOL, Table
from harness.trace.chrome import chrome_text
from harness.trace.ids import microseconds
from harness.trace.run import TracedRun
from tests.examples import examples

Event = dict[str, Any]
MakeRun = Callable[..., TracedRun]
MakeSpan = Callable[..., dict[str, Any]]


def events_of(*runs: TracedRun) -> list[Event]:
    found: list[Event] = json.loads("".join(chrome_text(runs)))["traceEvents"]
    return found


def slices_of(events: list[Event], *categories: str) -> list[Event]:
    return [it for it in events if it["ph"] == "X" and (not categories or it["cat"] in categories)]


def check_nesting(events: list[Event]) -> None:
    """What Perfetto demands: sorted by their begin alone, each slice of a thread ends before the one around it does."""
    around: dict[tuple[int, int], list[int]] = {}
    for it in sorted(
        slices_of(events), key=lambda it: it["ts"]
    ):  # of equal ones, that of the file first
        assert isinstance(it["ts"], int)
        assert isinstance(it["dur"], int)
        assert it["dur"] >= 0
        open_until = around.setdefault((it["pid"], it["tid"]), [])
        while open_until and open_until[-1] <= it["ts"]:
            open_until.pop()
        assert not open_until or it["ts"] + it["dur"] <= open_until[-1], it
        open_until.append(it["ts"] + it["dur"])


def check_arrows(events: list[Event]) -> None:
    """Each arrow has two ends, on slices that are there at that moment, and does not go back in time."""
    spans: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for it in slices_of(events):
        spans.setdefault((it["pid"], it["tid"]), []).append((it["ts"], it["ts"] + it["dur"]))
    ends: dict[int, list[Event]] = {}
    for it in events:
        if it["ph"] in "sf":
            ends.setdefault(it["id"], []).append(it)
            here = spans[it["pid"], it["tid"]]
            assert any(begin <= it["ts"] and (it["ts"] < end or begin == end) for begin, end in here)  # fmt: skip
    for one, other in ends.values():
        assert (one["ph"], other["ph"], other["bp"]) == ("s", "f", "e")
        assert one["ts"] <= other["ts"]


def test_slices_of_every_scenario_nest_and_arrows_have_ends(traced: TracedRun) -> None:
    events = events_of(traced)
    check_nesting(events)
    check_arrows(events)


def test_every_span_is_a_slice_in_a_thread_of_its_agent(traced: TracedRun) -> None:
    events = events_of(traced)
    threads = {it["tid"]: it["args"]["name"] for it in events if it["name"] == "thread_name"}
    columns = ("span_id", "kind", "agent", "arrival_s", "end_s")
    rows = {row[0]: row[1:] for row in traced.spans.rows(*columns)}
    drawn = {it["args"]["span_id"]: it for it in slices_of(events) if it["cat"] not in ("phase", "critical path")}  # fmt: skip
    assert drawn.keys() == rows.keys()
    for span_id, (kind, agent, arrival_s, end_s) in rows.items():
        it = drawn[span_id]
        assert it["cat"] == kind
        assert (it["ts"], it["ts"] + it["dur"]) == (microseconds(arrival_s), microseconds(end_s))
        name, _, number = threads[it["tid"]].rpartition(" ")
        assert (agent or "tasks") in (name, threads[it["tid"]])
        assert number.isdecimal() or not name


def test_the_critical_paths_stand_beside_their_tasks(traced: TracedRun) -> None:
    events = events_of(traced)
    drawn = sorted((it["ts"], it["dur"], it["args"]["span_id"]) for it in slices_of(events, "critical path"))  # fmt: skip
    parts = [part for path in critical_paths(traced.spans).values() for part in path]
    expected = sorted(
        (microseconds(it.start_s), microseconds(it.end_s) - microseconds(it.start_s), it.span_id)
        for it in parts
    )
    assert drawn == expected
    names = {it["tid"]: it["args"]["name"] for it in events if it["name"] == "thread_name"}
    assert all(names[it["tid"]].startswith("critical path") for it in slices_of(events, "critical path"))  # fmt: skip


def test_counters_return_to_zero_and_add_up_the_cost(traced: TracedRun) -> None:
    last: dict[str, float] = {}
    for it in events_of(traced):
        if it["ph"] == "C":
            ((name, value),) = it["args"].items()
            assert value >= 0
            assert name == it["name"]
            last[name] = value
    assert last["attempts waiting"] == last["attempts in service"] == 0
    costs = [cost for cost in traced.spans["cost_usd"] if cost == cost]
    assert abs(last.get("cost_usd", 0.0) - sum(costs)) < 1e-9


def test_the_times_of_an_attempt_are_slices_in_it(make_run: MakeRun, make_span: MakeSpan) -> None:
    rows = [
        make_span(1, -1, TASK, 0, 20),
        make_span(2, 1, ATTEMPT, 0, 9, start_s=2, first_token_s=5, input_tokens=3, output_tokens=4, cost_usd=0.5),
        make_span(3, 1, ATTEMPT, 9, 12, start_s=ABSENT, status=CANCELLED),
        make_span(4, 1, ATTEMPT, 12, 15, start_s=13, status=ERROR, error="timeout"),
    ]  # fmt: skip
    events = events_of(make_run(rows))
    phases = [(it["name"], it["ts"] // 10**6, it["dur"] // 10**6) for it in slices_of(events, "phase")]  # fmt: skip
    assert phases == [
        ("queue", 0, 2), ("prefill", 2, 3), ("generation", 5, 4), ("queue", 9, 3), ("queue", 12, 1), ("prefill", 13, 2),
    ]  # fmt: skip
    attempts = slices_of(events, "attempt")
    assert [it.get("cname") for it in attempts] == [None, "grey", "terrible"]
    assert attempts[0]["args"] == {
        "span_id": 2, "task": 1, "status": "ok", "input_tokens": 3, "output_tokens": 4, "cost_usd": 0.5, "slack_s": 0.0,
        "critical": True,
    }  # fmt: skip


def test_queue_and_service_are_counted(make_run: MakeRun, make_span: MakeSpan) -> None:
    rows = [
        make_span(1, -1, TASK, 0, 9),
        make_span(2, 1, ATTEMPT, 0, 3, cost_usd=0.25),
        make_span(3, 1, ATTEMPT, 0, 5, start_s=3, cost_usd=0.5),
        make_span(4, 1, ATTEMPT, 1, 2, start_s=ABSENT),
    ]
    changes: dict[str, list[tuple[int, float]]] = {}
    for it in events_of(make_run(rows)):
        if it["ph"] == "C":
            changes.setdefault(it["name"], []).append((it["ts"] // 10**6, it["args"][it["name"]]))
    assert changes == {
        "attempts waiting": [(0, 1), (1, 2), (2, 1), (3, 0)],
        "attempts in service": [(0, 1), (5, 0)],
        "cost_usd": [(0, 0.0), (3, 0.25), (5, 0.75)],
    }


def test_arrows_go_from_parents_to_parts_and_from_replies_to_prompts(
    make_run: MakeRun, make_span: MakeSpan
) -> None:
    rows = [
        make_span(1, -1, TASK, 0, 9),
        make_span(2, 1, "call", 1, 4, agent="a"),
        make_span(3, 1, "call", 5, 8, agent="b"),
    ]
    heard = {"at_s": 5.0, "span_id": 3, "task": 1, "agent": "b", "name": "heard", "detail": "2"}
    lost = {**heard, "detail": "77"}
    arrows: dict[int, list[tuple[str, int, int]]] = {}
    events = events_of(make_run(rows, [heard, lost, {**heard, "detail": "x"}]))
    tids = {it["args"]["name"]: it["tid"] for it in events if it["name"] == "thread_name"}
    for it in events:
        if it["ph"] in "sf":
            arrows.setdefault(it["id"], []).append((it["name"], it["tid"], it["ts"]))
    tasks, a, b = tids["tasks"], tids["a"], tids["b"]
    assert list(arrows.values()) == [
        [("part", tasks, 1_000_000), ("part", a, 1_000_000)],
        [("part", tasks, 5_000_000), ("part", b, 5_000_000)],
        [("heard", a, 3_999_999), ("heard", b, 5_000_000)],
    ]


def test_each_run_is_a_process_and_no_thread_has_its_number(traced: TracedRun) -> None:
    other = TracedRun(**{name: getattr(traced, name) for name in TracedRun.__slots__} | {"run_id": 3})  # fmt: skip
    events = events_of(traced, other)
    assert {it["pid"] for it in events} == {12, 3}
    assert all(it["tid"] != it["pid"] for it in events if "tid" in it)
    ids = Counter(it["id"] for it in events if it["ph"] in "sf")
    assert set(ids.values()) <= {2}
    check_nesting(events)


def test_hostile_texts_stay_texts(hostile_run: TracedRun, hostile_text: str) -> None:
    text = "".join(chrome_text([hostile_run]))
    assert text.isascii()
    assert all(char.isprintable() or char == "\n" for char in text)
    events = events_of(hostile_run)
    (attempt,) = slices_of(events, "attempt")
    assert attempt["name"] == hostile_text
    assert attempt["args"]["error"] == attempt["args"]["fault"] == hostile_text
    assert hostile_text in [it["args"]["name"] for it in events if it["name"] == "thread_name"]


def test_the_same_run_is_written_with_the_same_bytes(traced: TracedRun) -> None:
    first, second = ("".join(chrome_text([traced])) for _ in range(2))
    assert first == second


def test_a_run_of_nothing_is_a_document(make_run: MakeRun) -> None:
    assert {it["ph"] for it in events_of(make_run([]))} == {"M"}
    assert events_of() == []


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Spans of a few tasks, with parents and times as they come."""
    columns: list[list[Any]] = []
    task_count = draw(st.integers(1, 3))
    for number in range(1, draw(st.integers(1, 25))):
        times = sorted(draw(st.tuples(*[st.integers(0, 12)] * 4)))
        kind = TASK if number <= task_count else draw(st.sampled_from([ATTEMPT, TOOL, "call", "agent"]))  # fmt: skip
        row: dict[str, Any] = {
            "span_id": number, "parent_id": -1 if kind == TASK else draw(st.integers(-1, 25)),
            "task": number if kind == TASK else draw(st.integers(1, task_count)), "kind": kind, "name": "n",
            "agent": "" if kind == TASK else draw(st.sampled_from("ab")), "model": "", "ordinal": -1,
            "arrival_s": times[0] / 4, "start_s": draw(st.sampled_from([times[1] / 4, ABSENT])),
            "first_token_s": draw(st.sampled_from([times[2] / 4, ABSENT])),
            "end_s": draw(st.sampled_from([times[3] / 4, times[3] / 4, ABSENT])), "cost_usd": ABSENT,
            "status": draw(st.sampled_from([OK, ERROR, CANCELLED])), "error": "", "fault": "", "retry_after_s": ABSENT,
        }  # fmt: skip
        columns.append([row.get(name, -1) for name in SPAN_COLUMNS])
    table = Table(SPAN_COLUMNS)
    if columns:
        table.extend(*map(list, zip(*columns, strict=True)))
    return table


@given(tables())
@settings(max_examples=examples(400), deadline=None)
def test_slices_nest_whatever_the_spans_are(spans: Table) -> None:
    run = TracedRun(
        run_id=1, scenario="s", scenario_hash="h", seed=1, status="done", harness_version="0", commit_id="", spans=spans,
        events=Table({"at_s": "float", "span_id": "int", "name": "text", "detail": "text"}),
    )  # fmt: skip
    events = events_of(run)
    check_nesting(events)
    check_arrows(events)

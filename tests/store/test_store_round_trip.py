from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta

import pytest

from harness import wall
from harness.errors import StoreError
from harness.spans import EVENT_COLUMNS, SPAN_COLUMNS, as_json_lines
from harness.store import RunRecord, Store, batches, queries

MakeRecord = Callable[..., RunRecord]

HOSTILE = [
    "'; DROP TABLE runs; --",
    '"quoted" and \\escaped\\',
    "$1 ? ?1 {name} %s getvariable('x')",
    "日本語 🦆 e\u0301 \u202eback",
    "one\ntwo\r\n\tthree",
    "NULL",
    "nan",
    "-1",
    " ",
    "nul\0inside",
    "x" * 10_000,
]


def test_a_run_comes_back_as_it_was_written(store: Store, make_record: MakeRecord) -> None:
    before = wall.now_utc()
    assert store.write([make_record(seed=7)]) == [1]
    run = queries.run(store, 1)
    written_at = run.pop("written_at")
    assert before <= written_at <= before + timedelta(minutes=1)
    assert run == {
        "run_id": 1, "scenario": "review", "scenario_hash": "abc", "seed": 7, "status": "done", "tasks": 1,
        "warmup_tasks": 0, "makespan_s": 12.25, "wall_s": 0.5, "harness_version": "0.1.0",
        "commit_id": None, "source": "scenarios/review.yaml", "command": "harness simulate scenarios/review.yaml --seed 1", "engine": "simulated",
        "metrics": {"latency_s_mean": 3.5}, "agents": {"lead": {"calls_mean": 2.0}},
    }  # fmt: skip


def test_a_span_comes_back_with_every_value(store: Store, make_record: MakeRecord) -> None:
    span = {
        "span_id": 2**40, "parent_id": 3, "task": 4, "kind": "attempt", "name": "claude", "agent": "style",
        "model": "fast", "ordinal": 2, "arrival_s": 0.1, "start_s": 0.1 + 0.2, "first_token_s": 1e-6,
        "end_s": 86_400.000001, "input_tokens": 0, "output_tokens": 150, "cache_read_tokens": 20,
        "cache_write_tokens": 0, "cost_usd": 0.0, "status": "error",
        "error": "overloaded_error", "http_status": 529, "retry_after_s": 0.0, "fault": "overloaded", "correct": 0, "repeats": 1,
        "customer": "acme", "priority": 0, "limited_by": "output_tokens_per_min",
    }  # fmt: skip
    assert list(span) == list(SPAN_COLUMNS)
    store.write([make_record(spans=[span])])
    assert queries.spans(store, 1) == [{"run_id": 1, **span}]


def test_an_absent_value_is_null_and_never_zero(store: Store, make_record: MakeRecord) -> None:
    store.write(
        [
            make_record(
                spans=[{"span_id": 1}], events=[{}], makespan_s=math.nan, source="", command=""
            )
        ]
    )
    (span,) = queries.spans(store, 1)
    assert span == {"run_id": 1, **dict.fromkeys(SPAN_COLUMNS), "span_id": 1}
    assert queries.events(store, 1) == [
        {"run_id": 1, "event_id": 1, **dict.fromkeys(EVENT_COLUMNS)}
    ]
    run = queries.run(store, 1)
    assert (run["makespan_s"], run["source"], run["command"]) == (None, None, None)


def test_a_table_of_spans_comes_back_as_the_run_had_it(
    store: Store, make_record: MakeRecord
) -> None:
    whole = {
        "span_id": 1, "parent_id": 0, "task": 4, "kind": "attempt", "name": "claude \\ ' 日本", "agent": "style",
        "model": "fast", "ordinal": 2, "arrival_s": 0.1, "start_s": 0.1 + 0.2, "first_token_s": 1e-6,
        "end_s": 86_400.000001, "input_tokens": 0, "output_tokens": 2**53 + 1, "cache_read_tokens": 20,
        "cache_write_tokens": 0, "cost_usd": 0.0, "status": "error", "error": "overloaded_error",
        "http_status": 529, "retry_after_s": 0.0, "fault": "overloaded", "correct": 0, "repeats": 1,
    }  # fmt: skip
    spans = [whole, *({"span_id": number} for number in range(2, 5_000))]
    records = [make_record(spans=spans), make_record(spans=[]), make_record()]
    store.write(records)
    for run_id, record in enumerate(records, 1):
        table = queries.span_table(store, run_id)
        assert table.columns == SPAN_COLUMNS
        assert as_json_lines(table) == as_json_lines(record.spans)
    assert list(map(repr, queries.span_table(store, 1).rows())) == list(
        map(repr, records[0].spans.rows())
    )
    tables = queries.span_tables(store, [3, 1])
    assert [(run_id, len(table)) for run_id, table in tables.items()] == [(3, 2), (1, 4_999)]
    with pytest.raises(StoreError, match="there is no run 9"):
        queries.span_table(store, 9)


def test_the_tables_have_a_column_for_everything_that_spans_and_events_know(store: Store) -> None:
    store.write([])
    with store.reading() as connection:
        columns = {
            table: [row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()]
            for table in ("spans", "events")
        }
    assert columns == {
        "spans": ["run_id", *SPAN_COLUMNS],
        "events": ["run_id", "event_id", *EVENT_COLUMNS],
    }


def test_spans_come_in_the_order_of_their_beginning(store: Store, make_record: MakeRecord) -> None:
    store.write([make_record(spans=[{"span_id": number} for number in (3, 1, 4, 2)])])
    assert [span["span_id"] for span in queries.spans(store, 1)] == [1, 2, 3, 4]


def test_events_of_one_instant_keep_their_order(store: Store, make_record: MakeRecord) -> None:
    # More than one row group of DuckDB, so that several threads read and write them.
    events = [
        {"at_s": 1.0, "task": number, "detail": f"detail {number % 7}"} for number in range(130_000)
    ]
    store.write([make_record(events=events)])
    assert [event["task"] for event in queries.events(store, 1)] == list(range(130_000))


def test_a_text_is_data_whatever_it_says(store: Store, make_record: MakeRecord) -> None:
    records = [
        make_record(
            scenario=text, scenario_hash=text, source=text, command=text, harness_version=text, commit_id=text,
            spans=[{"span_id": 1, "kind": text, "name": text, "error": text}],
            events=[{"name": text, "detail": text}], metrics={text: 1.0}, agent_metrics={text: {text: 2.0}},
        )
        for text in HOSTILE
    ]  # fmt: skip
    for run_id, text in zip(store.write(records), HOSTILE, strict=True):
        run = queries.run(store, run_id)
        names = ("scenario", "scenario_hash", "source", "command", "harness_version", "commit_id")
        assert [run[name] for name in names] == [text] * len(names)
        assert run["metrics"] == {text: 1.0}
        assert run["agents"] == {text: {text: 2.0}}
        (span,) = queries.spans(store, run_id)
        assert (span["kind"], span["name"], span["error"], span["agent"]) == (
            text,
            text,
            text,
            None,
        )
        (event,) = queries.events(store, run_id)
        assert (event["name"], event["detail"]) == (text, text)
        assert queries.latest_run_id(store, scenario=text) == run_id


def test_a_lone_surrogate_is_spelled_out(store: Store, make_record: MakeRecord) -> None:
    store.write([make_record(events=[{"detail": "caf\udce9"}])])
    assert queries.events(store, 1)[0]["detail"] == "caf\\udce9"


@pytest.mark.parametrize("batch_rows", [1, 3, 1000])
def test_every_row_finds_its_run_however_runs_are_grouped(
    store: Store, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch, batch_rows: int
) -> None:
    monkeypatch.setattr(batches, "_ROWS", batch_rows)
    # Every run has its own texts, and its codes mean other texts than those of the others.
    records = [
        make_record(
            spans=[
                {"span_id": n, "name": f"{seed}.{n}", "kind": "agent"} for n in range(1, seed + 1)
            ],
            events=[{"name": f"{seed}.{n}"} for n in range(1, seed % 3 + 1)],
        )
        for seed in (4, 1, 0, 3, 2)
    ]
    assert store.write(records) == [1, 2, 3, 4, 5]
    names = [[span["name"] for span in queries.spans(store, run_id)] for run_id in range(1, 6)]
    assert names == [
        ["4.1", "4.2", "4.3", "4.4"],
        ["1.1"],
        [],
        ["3.1", "3.2", "3.3"],
        ["2.1", "2.2"],
    ]
    names = [[event["name"] for event in queries.events(store, run_id)] for run_id in range(1, 6)]
    assert names == [["4.1"], ["1.1"], [], [], ["2.1", "2.2"]]


def test_a_table_may_grow_after_it_was_written(store: Store, make_record: MakeRecord) -> None:
    record = make_record(spans=[{"span_id": 1}])
    store.write([record])
    record.spans.extend(*([value] for (value,) in zip(*record.spans.rows(), strict=True)))
    store.write([record])
    assert (len(queries.spans(store, 1)), len(queries.spans(store, 2))) == (1, 2)


def test_a_number_that_was_not_measured_has_no_row(store: Store, make_record: MakeRecord) -> None:
    store.write(
        [make_record(metrics={"cost_usd_mean": math.nan, "retries": 0}, agent_metrics={"lead": {}})]
    )
    assert queries.metrics(store, [1]) == [
        {"run_id": 1, "agent": None, "name": "retries", "value": 0.0}
    ]


def test_a_seed_beyond_64_bits_is_refused_and_nothing_is_written(
    store: Store, make_record: MakeRecord
) -> None:
    store.write([make_record(seed=2**63 - 1)])
    with pytest.raises(StoreError, match=r"(?s)runs\.duckdb.*64 bits.*9223372036854775808"):
        store.write([make_record(), make_record(seed=2**63)])
    assert [run["seed"] for run in queries.runs(store)] == [2**63 - 1]

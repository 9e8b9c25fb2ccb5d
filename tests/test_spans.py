"""Spans and the tables that hold them."""

from __future__ import annotations

import json
import math
import pickle

from harness.spans import (
    ATTEMPT,
    CALL,
    CANCELLED,
    EVENT_COLUMNS,
    MESSAGE,
    OK,
    SPAN_COLUMNS,
    Event,
    SpanLog,
    Table,
    as_json_lines,
)


class _AnyNan(float):
    """Equal to NaN, which is not equal to itself."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and other != other

    __hash__ = float.__hash__


ANY_NAN = _AnyNan("nan")


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_span_begins_when_it_is_opened_and_ends_when_it_is_closed() -> None:
    clock = Clock()
    log = SpanLog(clock)
    clock.now_s = 1.5
    task = log.open_task("pull_request", 7)
    clock.now_s = 2.5
    call = log.open(CALL, "lead", task, "lead", "deep", 3)
    clock.now_s = 4.0
    log.close(call)
    clock.now_s = 5.0
    log.close(task, CANCELLED)
    columns = (
        "span_id",
        "parent_id",
        "task",
        "kind",
        "name",
        "agent",
        "model",
        "ordinal",
        "arrival_s",
        "end_s",
        "status",
    )
    assert list(log.spans.rows(*columns)) == [
        (2, 1, 7, "call", "lead", "lead", "deep", 3, 2.5, 4.0, "ok"),
        (1, -1, 7, "task", "pull_request", "", "", -1, 1.5, 5.0, "cancelled"),
    ]  # fmt: skip


def test_new_span_knows_nothing_but_its_beginning() -> None:
    span = SpanLog(lambda: 3.0).open_task("task", 1)
    assert (span.arrival_s, span.start_s) == (3.0, 3.0)
    assert all(
        math.isnan(value)
        for value in (span.first_token_s, span.end_s, span.cost_usd, span.retry_after_s)
    )
    assert (span.input_tokens, span.output_tokens, span.http_status, span.correct) == (
        -1,
        -1,
        -1,
        -1,
    )
    assert (span.status, span.error, span.fault) == ("", "", "")


def test_open_span_is_not_in_the_table() -> None:
    log = SpanLog(lambda: 0.0)
    log.open_task("task", 1)
    assert len(log.spans) == 0


def test_every_column_of_a_span_arrives_in_the_table() -> None:
    log = SpanLog(lambda: 0.0)
    span = log.open(ATTEMPT, "m", log.open_task("task", 1), "a", "m", 1)
    expected: dict[str, object] = {}
    for number, (name, kind) in enumerate(SPAN_COLUMNS.items(), 10):
        value = {"int": number, "float": number / 2, "text": f"text {number}"}[kind]
        if name not in {"end_s", "status"}:
            setattr(span, name, value)
        expected[name] = value
    log.close(span)
    expected.update(end_s=0.0, status=OK)
    (row,) = log.spans.rows()
    assert dict(zip(SPAN_COLUMNS, row, strict=True)) == expected


def test_thousands_of_spans_are_all_there_in_the_order_of_their_ends() -> None:
    log = SpanLog(lambda: 0.0)
    spans = [log.open_task("task", number) for number in range(5000)]
    for span in reversed(spans):
        log.close(span)
    assert list(log.spans["task"]) == list(range(4999, -1, -1))
    assert len(log.spans) == 5000  # asked for twice, and counted once


def test_events_keep_their_order_and_belong_to_a_span() -> None:
    clock = Clock()
    log = SpanLog(clock)
    call = log.open(CALL, "a", log.open_task("task", 4), "a")
    for at_s, name in ((1.0, "retry"), (2.0, "retry"), (2.0, "fallback")):
        clock.now_s = at_s
        log.event(name, call, "why")
    assert list(log.events.rows("at_s", "span_id", "task", "agent", "name", "detail")) == [
        (1.0, 2, 4, "a", "retry", "why"), (2.0, 2, 4, "a", "retry", "why"), (2.0, 2, 4, "a", "fallback", "why"),
    ]  # fmt: skip
    assert len(log.events) == 3
    assert tuple(log.events.columns) == tuple(EVENT_COLUMNS)


def test_message_is_an_event_between_two_with_its_size_and_what_it_answers() -> None:
    log = SpanLog(Clock())
    turn = log.open("agent", "b", log.open_task("task", 4), "b")
    log.note(*Event(1.5, turn.span_id, 4, "a", MESSAGE, "request", "b", 120, 1, 2, 1))
    (row,) = log.events.rows()
    assert dict(zip(EVENT_COLUMNS, row, strict=True)) == {
        "at_s": 1.5, "span_id": 2, "task": 4, "agent": "a", "name": MESSAGE, "detail": "request", "recipient": "b",
        "tokens": 120, "hop": 1, "message": 2, "answers": 1,
    }  # fmt: skip


def test_messages_become_columns_while_a_run_goes_on() -> None:
    log = SpanLog(Clock())
    turn = log.open("agent", "b", log.open_task("task", 1), "b")
    for number in range(3000):
        log.note(*Event(0.0, 2, 1, "a", MESSAGE, "request", "b", 1, 1, number, 1))
    log.event("retry", turn)
    assert list(log.events["message"]) == [*range(3000), -1]


def test_texts_are_kept_once_in_the_order_of_their_first_use() -> None:
    table = Table({"n": "int", "t": "text", "u": "text"})
    table.extend([1, 2], ["b", "a"], ["a", "a"])
    table.extend([3], ["c"], ["b"])
    assert table.texts == ["b", "a", "c"]
    assert list(table.values("t")) == ["b", "a", "c"]
    assert list(table.rows("u", "n")) == [("a", 1), ("a", 2), ("b", 3)]


def test_table_survives_pickling_and_can_grow_afterwards() -> None:
    table = Table({"n": "int", "x": "float", "t": "text"})
    table.extend([1], [0.5], ["a"])
    twin = pickle.loads(pickle.dumps(table))
    twin.extend([2], [1.5], ["b"])
    twin.extend([3], [2.5], ["a"])
    assert list(twin.rows()) == [(1, 0.5, "a"), (2, 1.5, "b"), (3, 2.5, "a")]
    assert list(table.rows()) == [(1, 0.5, "a")]


def test_json_lines_are_in_the_order_of_ids_and_leave_out_what_is_absent() -> None:
    log = SpanLog(lambda: 0.25)
    task = log.open_task("task", 1)
    call = log.open(CALL, "a", task, "a")
    call.cost_usd = 0.0
    log.close(call)
    log.close(task)
    lines = [json.loads(line) for line in as_json_lines(log.spans).splitlines()]
    times = {"arrival_s": 0.25, "start_s": 0.25, "end_s": 0.25, "status": "ok"}
    assert lines == [
        {"span_id": 1, "task": 1, "kind": "task", "name": "task", **times},
        {"span_id": 2, "parent_id": 1, "task": 1, "kind": "call", "name": "a", "agent": "a", "cost_usd": 0.0, **times},
    ]  # fmt: skip


def test_json_lines_keep_every_digit_of_a_time() -> None:
    table = Table(EVENT_COLUMNS)
    at_s = 0.1 + 0.2
    table.extend(*([value] for value in Event(at_s, 1, 1, "a", "retry", "")))
    assert json.loads(as_json_lines(table))["at_s"] == at_s


def test_event_has_every_field() -> None:
    log = SpanLog(lambda: 1.0)
    log.event("retry", log.open_task("kind", 1), "why", "a")
    assert Event(*next(log.events.rows())) == Event(1.0, 1, 1, "a", "retry", "why")


def test_values_of_rare_columns_stay_with_their_spans_however_many_there_are() -> None:
    log = SpanLog(Clock())
    task = log.open_task("task", 1, "acme", 2)
    for number in range(1, 3001):
        span = log.open(ATTEMPT, "deep", task, "lead", "deep", number)
        if number % 7 == 0:
            span.error, span.http_status, span.retry_after_s = (
                "overloaded_error",
                529,
                float(number),
            )
        log.close(span)
    log.close(task)
    rows = list(
        log.spans.rows("ordinal", "error", "http_status", "retry_after_s", "customer", "priority")
    )
    assert rows.pop() == (-1, "", -1, ANY_NAN, "acme", 2)
    for number, row in enumerate(rows, 1):
        failed = ("overloaded_error", 529, float(number)) if number % 7 == 0 else ("", -1, ANY_NAN)
        assert row == (number, *failed, "", -1)


def test_rare_column_of_an_open_span_has_its_absent_value_until_it_is_set() -> None:
    span = SpanLog(Clock()).open_task("task", 1)
    assert (span.error, span.correct, span.customer) == ("", -1, "")
    span.correct = 1
    assert (span.error, span.correct, span.customer) == ("", 1, "")


def test_table_that_was_sent_to_another_process_goes_on_with_its_texts() -> None:
    table = Table({"name": "text"})
    table.extend(["a", "b", "a"])
    sent = pickle.loads(pickle.dumps(table))
    sent.extend(["c", "b"])
    assert list(sent.values("name")) == ["a", "b", "a", "c", "b"]


def test_texts_come_back_as_plain_texts() -> None:
    class Name(str):
        __slots__ = ()

    table = Table({"agent": "text"})
    table.extend([Name("lead"), "lead", Name("other")])
    assert [(type(text), text) for text in table.values("agent")] == [
        (str, "lead"),
        (str, "lead"),
        (str, "other"),
    ]

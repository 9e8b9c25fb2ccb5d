"""OTLP/JSON: what OpenTelemetry's own definitions read out of it is what was in the run."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict  # type: ignore[import-untyped]  # it brings no types
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from harness.metrics.slack import slack
from harness.spans import ABSENT, ATTEMPT, CALL, CANCELLED, ERROR, SPAN_COLUMNS, TASK, TOOL, WAIT
from harness.trace.ids import EPOCH_NS, microseconds
from harness.trace.names import GEN_AI
from harness.trace.openinference import OPEN_INFERENCE
from harness.trace.otlp import BATCH_SPANS, otlp_bodies, otlp_text
from harness.trace.run import TracedRun

Row = dict[str, Any]
MakeRun = Callable[..., TracedRun]
MakeSpan = Callable[..., Row]


def parsed(document: str) -> ExportTraceServiceRequest:
    """A document as OpenTelemetry's definitions understand it; its ids are hexadecimal, protobuf's JSON wants base64."""
    found = json.loads(document)
    for resource in found["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in ("traceId", "spanId", "parentSpanId"):
                    if name in span:
                        span[name] = b64encode(bytes.fromhex(span[name])).decode()
    request = ExportTraceServiceRequest()
    ParseDict(found, request)
    return request


def attributes(pairs: Any) -> dict[str, Any]:  # noqa: ANN401 - protobuf
    found = {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
    assert len(found) == len(pairs)
    return found


def spans_of(run: TracedRun, vocabulary: Any = GEN_AI) -> dict[int, Any]:  # noqa: ANN401 - protobuf
    """The spans of a document by their numbers in the run."""
    (resource,) = parsed("".join(otlp_text([run], vocabulary))).resource_spans
    (scope,) = resource.scope_spans
    return {attributes(span.attributes)["harness.span_id"]: span for span in scope.spans}


def row_of(span: Any) -> Row:  # noqa: ANN401 - protobuf
    """A span of the store, put together again from a span of a trace."""
    told = attributes(span.attributes)
    milestones = {event.name: event.time_unix_nano for event in span.events}

    def seconds(at_ns: int | None) -> float:
        return ABSENT if at_ns is None else (at_ns - EPOCH_NS) / 10**9

    arrival_s = seconds(span.start_time_unix_nano)
    prompt = told.get("gen_ai.usage.input_tokens", -1)
    read = told.get("gen_ai.usage.cache_read.input_tokens", -1)
    written = told.get("gen_ai.usage.cache_creation.input_tokens", -1)
    attempt = told["harness.kind"] == ATTEMPT
    return {
        "span_id": told["harness.span_id"],
        "parent_id": int.from_bytes(span.parent_span_id) - int.from_bytes(span.span_id) + told["harness.span_id"]
        if span.parent_span_id else -1,
        "task": told["harness.task"],
        "kind": told["harness.kind"],
        "name": told["harness.name"],
        "agent": told.get("harness.agent", ""),
        "model": told.get("harness.model", ""),
        "ordinal": told.get("harness.ordinal", -1),
        "arrival_s": arrival_s,
        "start_s": seconds(milestones.get("service begins")) if attempt else arrival_s,
        "first_token_s": seconds(milestones.get("first token")),
        "end_s": seconds(span.end_time_unix_nano),
        "input_tokens": prompt - max(read, 0) - max(written, 0) if prompt >= 0 else -1,
        "output_tokens": told.get("gen_ai.usage.output_tokens", -1),
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "cost_usd": told.get("harness.cost_usd", ABSENT),
        "status": told["harness.status"],
        "error": told.get("error.type", "") if told.get("error.type") != CANCELLED else "",
        "http_status": told.get("http.response.status_code", -1),
        "retry_after_s": told.get("harness.retry_after_s", ABSENT),
        "fault": told.get("harness.fault", ""),
        "correct": int(told.get("harness.correct", -1)),
        "repeats": told.get("harness.repeats", -1),
        "customer": told.get("harness.customer", ""),
        "limited_by": told.get("harness.limited_by", ""),
        "priority": told.get("harness.priority", -1),
    }  # fmt: skip


def comparable(row: Row) -> Row:
    """A row with times in whole microseconds, and without NaN, which equals nothing."""
    return {
        name: None if value != value else microseconds(value) if name.endswith("_s") else value
        for name, value in row.items()
    }


def test_every_field_of_every_span_comes_back(traced: TracedRun) -> None:
    rows = [dict(zip(SPAN_COLUMNS, row, strict=True)) for row in traced.spans.rows()]
    found = spans_of(traced)
    assert list(found) == [row["span_id"] for row in rows]
    for row in rows:
        assert comparable(row_of(found[row["span_id"]])) == comparable(row)


def test_slack_critical_path_and_events_are_told(traced: TracedRun) -> None:
    found = spans_of(traced)
    slack_of = slack(traced.spans)
    for span_id, span in found.items():
        told = attributes(span.attributes)
        assert told.get("harness.slack_s") == (
            round(slack_of[span_id], 6) if span_id in slack_of else None
        )
        assert not told.get("harness.critical") or told["harness.slack_s"] == 0
    told_events = sorted(
        (event.time_unix_nano - EPOCH_NS, span_id, event.name, attributes(event.attributes).get("harness.detail", ""))
        for span_id, span in found.items()
        for event in span.events
        if event.name not in ("service begins", "first token")
    )  # fmt: skip
    names = ("at_s", "span_id", "name", "detail")
    assert told_events == sorted((microseconds(at_s) * 1000, *row) for at_s, *row in traced.events.rows(*names))  # fmt: skip


def test_a_task_is_a_trace_and_spans_know_their_parents(traced: TracedRun) -> None:
    found = spans_of(traced)
    tasks = {span_id: task for span_id, task in traced.spans.rows("span_id", "task")}  # noqa: C416 - pairs are wanted
    traces = {span.trace_id: tasks[span_id] for span_id, span in found.items()}
    assert sorted(traces.values()) == sorted(set(tasks.values()))
    ids = {span.span_id for span in found.values()}
    assert len(ids) == len(found)
    assert all(span.parent_span_id in ids for span in found.values() if span.parent_span_id)


@pytest.fixture
def one_of_each(make_run: MakeRun, make_span: MakeSpan) -> TracedRun:
    return make_run(
        [
            make_span(1, -1, TASK, 0, 9, name="job"),
            make_span(2, 1, "agent", 0, 9, name="a"),
            make_span(3, 2, CALL, 0, 9, name="a", model="m", ordinal=1, correct=0),
            make_span(
                4, 3, ATTEMPT, 0, 4, name="m", model="m", ordinal=1, start_s=1, first_token_s=2, input_tokens=5,
                output_tokens=7, cache_read_tokens=11, cache_write_tokens=13, cost_usd=0.25,
            ),
            make_span(5, 3, WAIT, 4, 5, name="backoff"),
            make_span(
                6, 3, ATTEMPT, 5, 5, name="m", model="m", ordinal=2, start_s=ABSENT, status=ERROR, error="overloaded_error",
                http_status=529, retry_after_s=2.5, fault="overloaded",
            ),
            make_span(7, 2, TOOL, 5, 9, name="search", status=CANCELLED),
        ]
    )  # fmt: skip


def test_spans_have_the_names_of_the_conventions(one_of_each: TracedRun) -> None:
    found = spans_of(one_of_each)
    assert [(span.name, span.kind) for span in found.values()] == [
        ("invoke_workflow made", 1), ("invoke_agent a", 1), ("call a", 1), ("chat m", 3), ("wait backoff", 1), ("chat m", 3),
        ("execute_tool search", 1),
    ]  # fmt: skip
    told = {span_id: attributes(span.attributes) for span_id, span in found.items()}
    assert {span_id: it.get("gen_ai.operation.name") for span_id, it in told.items()} == {
        1: "invoke_workflow", 2: "invoke_agent", 3: None, 4: "chat", 5: None, 6: "chat", 7: "execute_tool",
    }  # fmt: skip
    assert told[1]["gen_ai.workflow.name"] == "made"
    expected = {
        "gen_ai.provider.name": "simulated", "gen_ai.agent.name": "a", "gen_ai.request.model": "m",
        "gen_ai.response.model": "m", "gen_ai.usage.input_tokens": 29, "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 11, "gen_ai.usage.cache_creation.input_tokens": 13,
        "gen_ai.response.time_to_first_chunk": 2.0, "harness.queue_wait_s": 1.0, "harness.cost_usd": 0.25,
    }  # fmt: skip
    assert {name: told[4][name] for name in expected} == expected
    assert told[3]["harness.correct"] is False
    assert "gen_ai.response.model" not in told[6]
    assert told[7]["gen_ai.tool.name"] == "search"


def test_spans_that_failed_say_so(one_of_each: TracedRun) -> None:
    found = spans_of(one_of_each)
    assert {span_id: span.status.code for span_id, span in found.items()} == {
        1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 2, 7: 2,
    }  # fmt: skip
    assert attributes(found[6].attributes)["error.type"] == "overloaded_error"
    assert attributes(found[7].attributes)["error.type"] == "cancelled"


def test_openinference_has_names_of_its_own(one_of_each: TracedRun) -> None:
    found = spans_of(one_of_each, OPEN_INFERENCE)
    told = {span_id: attributes(span.attributes) for span_id, span in found.items()}
    assert [it["openinference.span.kind"] for it in told.values()] == [
        "CHAIN", "AGENT", "CHAIN", "LLM", "CHAIN", "LLM", "TOOL",
    ]  # fmt: skip
    expected = {
        "llm.model_name": "m", "llm.token_count.prompt": 29, "llm.token_count.completion": 7, "llm.token_count.total": 36,
        "llm.token_count.prompt_details.cache_read": 11, "llm.token_count.prompt_details.cache_write": 13,
        "llm.cost.total": 0.25,
    }  # fmt: skip
    assert {name: told[4][name] for name in expected} == expected
    assert not any(name.startswith("gen_ai.") for it in told.values() for name in it)


def test_resource_says_which_run_it_was_and_that_it_was_simulated(one_of_each: TracedRun) -> None:
    (resource,) = parsed("".join(otlp_text([one_of_each], GEN_AI))).resource_spans
    assert attributes(resource.resource.attributes) == {
        "service.name": "made", "harness.sim": True, "harness.scenario": "made", "harness.scenario_hash": "ab" * 32,
        "harness.seed": 7, "harness.run_status": "done", "harness.version": "1.2", "harness.run_id": 12,
    }  # fmt: skip


def test_hostile_texts_come_back_as_they_were(hostile_run: TracedRun, hostile_text: str) -> None:
    text = "".join(otlp_text([hostile_run], GEN_AI))
    assert text.isascii()
    assert all(char.isprintable() or char == "\n" for char in text)
    span = spans_of(hostile_run)[2]
    told = attributes(span.attributes)
    assert span.name == f"chat {hostile_text}"
    assert {told[name] for name in ("harness.agent", "error.type", "harness.fault", "gen_ai.request.model")} == {hostile_text}  # fmt: skip
    (event,) = (event for event in span.events if event.name == hostile_text)
    assert attributes(event.attributes) == {"harness.detail": hostile_text}


def test_a_span_without_an_end_is_left_out(make_run: MakeRun, make_span: MakeSpan) -> None:
    run = make_run([make_span(1, -1, TASK, 0, 9), make_span(2, 1, TOOL, 0, ABSENT)])
    assert list(spans_of(run)) == [1]


def test_several_runs_are_one_document_and_none_is_one_too(traced: TracedRun) -> None:
    assert len(parsed("".join(otlp_text([traced, traced], GEN_AI))).resource_spans) == 2
    assert len(parsed("".join(otlp_text([], GEN_AI))).resource_spans) == 0


def test_the_same_run_is_written_with_the_same_bytes(traced: TracedRun) -> None:
    for vocabulary in (GEN_AI, OPEN_INFERENCE):
        first, second = ("".join(otlp_text([traced], vocabulary)) for _ in range(2))
        assert first == second


def test_bodies_hold_a_bounded_number_of_spans_and_all_of_them(traced: TracedRun) -> None:
    bodies = list(otlp_bodies([traced], GEN_AI))
    assert [count for count, _ in bodies[:-1]] == [BATCH_SPANS] * (len(bodies) - 1)
    assert len(bodies) == math.ceil(len(traced.spans) / BATCH_SPANS)
    found = [
        attributes(span.attributes)["harness.span_id"]
        for count, body in bodies
        for resource in parsed(body.decode()).resource_spans
        for span in resource.scope_spans[0].spans
    ]
    assert found == list(traced.spans["span_id"])

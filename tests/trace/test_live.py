"""Live export: what exporters of the OpenTelemetry SDK get is what OTLP/JSON says, and their failures cost no run."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from opentelemetry import trace as otel_trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from harness.errors import HarnessError
from harness.trace.live import LiveExport
from harness.trace.names import GEN_AI
from harness.trace.run import TracedRun
from harness.trace.told import resource, told

MakeRun = Callable[..., TracedRun]
MakeSpan = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_TRACES_SAMPLER"):
        monkeypatch.delenv(name, raising=False)


class Failing(SpanExporter):
    """Fails each time, in one way or another."""

    def __init__(self, failure: Exception | None = None, *, flushes: bool = True) -> None:
        self.failure = failure
        self.flushes = flushes
        self.asked = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.asked += 1
        if self.failure:
            raise self.failure
        return SpanExportResult.FAILURE

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self.flushes


def test_an_exporter_gets_every_span_as_it_was(traced: TracedRun) -> None:
    exporter = InMemorySpanExporter()
    live = LiveExport([exporter])
    live.export(traced)
    spans = exporter.get_finished_spans()
    expected = list(told(traced, GEN_AI))
    assert len(spans) == len(expected)
    for span, one in zip(spans, expected, strict=True):
        assert span.context is not None
        assert (span.context.trace_id, span.context.span_id) == (one.trace_id, one.span_id)
        assert (span.parent.span_id if span.parent else 0) == one.parent_id
        assert (span.start_time, span.end_time, span.name) == (one.start_ns, one.end_ns, one.said.name)  # fmt: skip
        assert dict(span.attributes or {}) == one.attributes()
        assert [(it.timestamp, it.name, (it.attributes or {}).get("harness.detail", "")) for it in span.events] == one.events()  # fmt: skip
        assert (span.status.status_code is otel_trace.StatusCode.ERROR) == bool(one.said.error)
        assert (span.kind is otel_trace.SpanKind.CLIENT) == (one.said.kind == 3)
        assert dict(span.resource.attributes) == resource(traced)
    live.close()
    assert live.warnings == []


def test_a_span_that_is_open_in_the_program_is_nobodys_parent(
    make_run: MakeRun, make_span: MakeSpan
) -> None:
    exporter = InMemorySpanExporter()
    outer = otel_trace.NonRecordingSpan(
        otel_trace.SpanContext(1, 2, is_remote=False, trace_flags=otel_trace.TraceFlags(1))
    )
    with otel_trace.use_span(outer):
        LiveExport([exporter]).export(make_run([make_span(1, -1, "task", 0, 1)]))
    (span,) = exporter.get_finished_spans()
    assert span.parent is None


@pytest.mark.parametrize("failure", [None, ConnectionError("key=s3cr3t")])
def test_an_exporter_that_fails_is_asked_once_and_told_of_once(
    make_run: MakeRun, make_span: MakeSpan, failure: Exception | None
) -> None:
    failing, other = Failing(failure), InMemorySpanExporter()
    live = LiveExport([failing, other])
    for _ in range(3):
        live.export(make_run([make_span(1, -1, "task", 0, 1)]))
    live.close()
    assert failing.asked == 1
    assert len(other.get_finished_spans()) == 3
    (warning,) = live.warnings
    assert warning.startswith("warning: traces were not exported, or not all: Failing failed, ")
    assert "s3cr3t" not in warning


def test_an_exporter_that_does_not_finish_is_told_of() -> None:
    live = LiveExport([Failing(flushes=False)])
    live.close()
    assert "it was not done in time" in live.warnings[0]


def test_exporters_are_those_of_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    def names() -> list[str]:
        return [type(exporter).__name__ for exporter in LiveExport()._exporters]

    assert names() == ["OTLPSpanExporter"]
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console, otlp_proto_http,none")
    assert names() == ["ConsoleSpanExporter", "OTLPSpanExporter"]
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    assert names() == []


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("OTEL_TRACES_EXPORTER", "smoke", "there is no trace exporter named 'smoke'"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "pigeon", "there is no trace exporter named 'pigeon'"),
    ],
)
def test_an_exporter_that_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(HarnessError, match=says) as caught:
        LiveExport()
    assert "one of console, none, otlp" in str(caught.value)


def test_without_the_sdk_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:  # noqa: ANN401 - of the builtin
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.delitem(sys.modules, "harness.trace.sdk", raising=False)
    monkeypatch.delattr("harness.trace.sdk", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(HarnessError, match=r"pip install 'multiagent-harness\[otel\]'"):
        LiveExport()

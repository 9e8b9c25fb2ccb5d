"""Spans through the OpenTelemetry SDK, with virtual times and our own ids; needs the extra `otel`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator

from harness.errors import HarnessError
from harness.trace.names import DETAIL, GEN_AI
from harness.trace.run import TracedRun
from harness.trace.told import CLIENT, Told, resource, told

_GROUP: Final = "opentelemetry_traces_exporter"
"""Under which name packages announce their exporters."""

_PROTOCOLS: Final = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}


def exporters() -> list[SpanExporter]:
    """The exporters that OTEL_TRACES_EXPORTER names, each configured by its own variables; OTLP over HTTP if it is not set.

    Raises:
        HarnessError: One of them is not installed, or cannot be made from its variables.
    """
    wanted = os.environ.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp"
    names = [name.strip() for name in wanted.split(",")]
    return [_exporter(name) for name in names if name and name != "none"]


def _exporter(name: str) -> SpanExporter:
    entry = name
    if name == "otlp":
        protocol = next(filter(None, map(os.environ.get, _PROTOCOL_VARIABLES)), "http/protobuf")
        entry = _PROTOCOLS.get(protocol, protocol)
    found = next(iter(entry_points(group=_GROUP, name=entry)), None)
    if found is None:
        known = ", ".join(sorted({"otlp", "none", *entry_points(group=_GROUP).names}))
        raise HarnessError(
            f"there is no trace exporter named {entry!r}\n"
            f"  How to fix: set OTEL_TRACES_EXPORTER to one of {known}, or install the package that provides it"
        )
    try:
        exporter = found.load()()
    except Exception as error:
        # The message may quote a variable, and variables hold keys.
        raise HarnessError(
            f"the exporter {entry} cannot be made: {type(error).__name__}\n"
            "  How to fix: see the variables OTEL_EXPORTER_* that configure it"
        ) from error
    assert isinstance(exporter, SpanExporter), "that is what the group is for"
    return exporter


_PROTOCOL_VARIABLES: Final = (
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
)


class _Ids(IdGenerator):
    """Gives out the ids of the span that is made next."""

    def __init__(self) -> None:
        self.trace_id = self.span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id


class _Ended(SpanProcessor):
    """Keeps what has ended until it is taken."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


def readable_spans(run: TracedRun, batch_spans: int) -> Iterator[list[ReadableSpan]]:
    """The spans of a run as exporters take them, in batches; without those that a sampler of OTEL_TRACES_SAMPLER leaves out.

    Args:
        run: The run.
        batch_spans: How many are in a batch, at most.
    """
    made, ended = _Ids(), _Ended()
    provider = TracerProvider(
        id_generator=made, resource=Resource(resource(run)), shutdown_on_exit=False
    )
    provider.add_span_processor(ended)
    tracer = provider.get_tracer("harness.trace", run.harness_version)
    for span in told(run, GEN_AI):
        made.trace_id, made.span_id = span.trace_id, span.span_id
        _make(tracer, span)
        if len(ended.spans) == batch_spans:
            yield ended.spans
            ended.spans = []
    if ended.spans:
        yield ended.spans


def _make(tracer: trace.Tracer, span: Told) -> None:
    said = span.said
    started = tracer.start_span(
        said.name,
        context=_inside(span),
        kind=trace.SpanKind.CLIENT if said.kind == CLIENT else trace.SpanKind.INTERNAL,
        attributes=span.attributes(),
        start_time=span.start_ns,
    )
    for at_ns, name, detail in span.events():
        started.add_event(name, {DETAIL: detail} if detail else None, timestamp=at_ns)
    if said.error:
        started.set_status(trace.StatusCode.ERROR, said.error)
    started.end(span.end_ns)


def _inside(span: Told) -> Context:
    """The context in which a span begins: that of its parent, and never one that is open in this program."""
    if not span.parent_id:
        return Context()
    parent = trace.SpanContext(
        span.trace_id,
        span.parent_id,
        is_remote=False,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(parent), Context())

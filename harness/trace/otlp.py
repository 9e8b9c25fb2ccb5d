"""OTLP/JSON: what OpenTelemetry's collectors take, and Jaeger opens as a file.

Its rules beside those of JSON: ids are hexadecimal, integers of 64 bits are texts, enumerations are numbers. A span is
written by a template and the texts that repeat are escaped once, because `json.dumps` for every span takes five times as long.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Final

from harness.trace.names import Vocabulary
from harness.trace.run import TracedRun
from harness.trace.told import Attribute, Number, Said, Told, resource, told

_SCOPE: Final = "harness.trace"
_ERROR: Final = 2
"""The status of a span that failed; a span that did not has none."""

BATCH_SPANS: Final = 1_000
"""So many spans are in one body: about a megabyte, which collectors take (theirs begin to refuse at four)."""


def otlp_text(runs: Iterable[TracedRun], vocabulary: Vocabulary) -> Iterator[str]:
    """One OTLP/JSON document of some runs, in pieces; a run is taken when its turn comes."""
    yield '{"resourceSpans":['
    for number, run in enumerate(runs):
        yield f"{',' if number else ''}\n{_head(run)}"
        for place, span in enumerate(_spans(run, vocabulary)):
            yield f",\n{span}" if place else f"\n{span}"
        yield _TAIL
    yield "\n]}\n"


def otlp_bodies(runs: Iterable[TracedRun], vocabulary: Vocabulary) -> Iterator[tuple[int, bytes]]:
    """The same in documents of bounded size, for sending: the number of spans in each, and the document."""
    for run in runs:
        head, spans = _head(run), _spans(run, vocabulary)
        while batch := list(islice(spans, BATCH_SPANS)):
            yield len(batch), f'{{"resourceSpans":[{head}{",".join(batch)}{_TAIL}]}}'.encode()


def _head(run: TracedRun) -> str:
    """Everything before the spans of a run."""
    common = ",".join(_attribute(name, value) for name, value in resource(run).items())
    version = json.dumps(run.harness_version)
    return (
        f'{{"resource":{{"attributes":[{common}]}},'
        f'"scopeSpans":[{{"scope":{{"name":"{_SCOPE}","version":{version}}},"spans":['
    )


_TAIL: Final = "]}]}"


def _spans(run: TracedRun, vocabulary: Vocabulary) -> Iterator[str]:
    words: dict[int, tuple[str, str]] = {}
    for span in told(run, vocabulary):
        said = span.said
        key = id(said)  # told() keeps each alive and gives it to all spans that it fits
        if key not in words:
            words[key] = _words(said)
        head, tail = words[key]
        numbers = ",".join([_NUMBERS[type(value)](_escaped(name), value) for name, value in span.numbers])  # fmt: skip
        parent = f'"parentSpanId":"{span.parent_id:016x}",' if span.parent_id else ""
        events = f',"events":[{",".join(_events(span))}]' if span.events else ""
        yield (
            f'{{"traceId":"{span.trace_id:032x}","spanId":"{span.span_id:016x}",{parent}{head}'
            f'"startTimeUnixNano":"{span.start_ns}","endTimeUnixNano":"{span.end_ns}",{tail}{numbers}]{events}}}'
        )


def _words(said: Said) -> tuple[str, str]:
    """What stands before and behind the times of a span; behind it, attributes may follow."""
    head = f'"name":{json.dumps(said.name)},"kind":{said.kind},'
    status = f'"status":{{"code":{_ERROR},"message":{json.dumps(said.error)}}},' if said.error else ""  # fmt: skip
    attributes = "".join(f"{_attribute(name, value)}," for name, value in said.attributes.items())
    return head, f'{status}"attributes":[{attributes}'


def _events(span: Told) -> Iterator[str]:
    for at_ns, name, detail in span.events:
        more = f',"attributes":[{_attribute("harness.detail", detail)}]' if detail else ""
        yield f'{{"timeUnixNano":"{at_ns}","name":{_escaped(name)}{more}}}'


def _attribute(name: str, value: Attribute) -> str:
    if isinstance(value, str):
        return f'{{"key":{_escaped(name)},"value":{{"stringValue":{_escaped(value)}}}}}'
    return _NUMBERS[type(value)](_escaped(name), value)


_NUMBERS: Final[dict[type, Callable[[str, Number], str]]] = {
    bool: lambda name, value: (
        f'{{"key":{name},"value":{{"boolValue":{"true" if value else "false"}}}}}'
    ),
    int: lambda name, value: f'{{"key":{name},"value":{{"intValue":"{value}"}}}}',
    float: lambda name, value: f'{{"key":{name},"value":{{"doubleValue":{value!r}}}}}',
}
"""How a number is written, behind its escaped name."""

# Details of events may all differ; names do not.
_escaped = lru_cache(maxsize=4096)(json.dumps)

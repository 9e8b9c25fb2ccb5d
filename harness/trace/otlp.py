"""OTLP/JSON: accepted by OpenTelemetry collectors, and opened by Jaeger as a file.

Its rules beside those of JSON: ids are hexadecimal, integers of 64 bits are texts, enumerations are numbers. A span is
written by a template and the texts that repeat are escaped once, because `json.dumps` for every span takes five times as long.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Final

from harness.trace.names import DETAIL, Vocabulary
from harness.trace.run import TracedRun
from harness.trace.told import Attribute, Number, Said, resource, told

_SCOPE: Final = "harness.trace"
_ERROR: Final = 2
"""The status of a span that failed; a span that did not has none."""

BATCH_SPANS: Final = 1_000
"""So many spans are in one body: about a megabyte, which collectors take (theirs begin to refuse at four)."""


def otlp_text(runs: Iterable[TracedRun], vocabulary: Vocabulary) -> Iterator[str]:
    """One OTLP/JSON document of some runs, in pieces; each run is read when it is written."""
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
    templates: dict[int, str] = {}
    for said, trace_id, span_id, parent_id, start_ns, end_ns, numbers, noted in told(run, vocabulary):  # fmt: skip
        key = id(said)  # told() keeps each alive and gives it to all spans that it fits
        if key not in templates:
            templates[key] = _template(said, numbers)
        parent = f'"parentSpanId":"{parent_id:016x}",' if parent_id else ""
        more = _events(noted, bool(said.milestones)) if noted else ""
        yield templates[key] % (trace_id, span_id, parent, start_ns, end_ns, *numbers, more)


def _template(said: Said, numbers: tuple[Number, ...]) -> str:
    """The text of spans, with places for ids, parent, times, their own numbers, times of milestones, and further events.

    Args:
        said: What the spans have in common.
        numbers: Those of one of them.
    """
    status = f'"status":{{"code":{_ERROR},"message":{json.dumps(said.error)}}},' if said.error else ""  # fmt: skip
    own = iter(numbers)
    attributes = ",".join(
        _place(name, type(next(own))) if value is None else _literal(_attribute(name, value))
        for name, value in said.attributes.items()
    )
    milestones = ",".join(
        f'{{"timeUnixNano":"%s","name":{_literal(_escaped(name))}}}' for name in said.milestones
    )
    events = f',"events":[{milestones}%s]' if milestones else "%s"
    return (
        f'{{"traceId":"%032x","spanId":"%016x",%s"name":{_literal(json.dumps(said.name))},"kind":{said.kind},'
        f'"startTimeUnixNano":"%s","endTimeUnixNano":"%s",{_literal(status)}"attributes":[{attributes}]{events}}}'
    )


def _literal(text: str) -> str:
    """A text as it stands in a template."""
    return text.replace("%", "%%")


def _events(noted: list[tuple[int, str, str]], after_others: bool) -> str:  # noqa: FBT001 - whether a comma is due
    events: list[str] = []
    for at_ns, name, detail in noted:
        more = f',"attributes":[{_attribute(DETAIL, detail)}]' if detail else ""
        events.append(f'{{"timeUnixNano":"{at_ns}","name":{_escaped(name)}{more}}}')
    text = ",".join(events)
    return f",{text}" if after_others else f',"events":[{text}]'


_VALUES: Final[dict[type, str]] = {
    bool: '"boolValue":%s',
    int: '"intValue":"%s"',
    float: '"doubleValue":%s',
    str: '"stringValue":%s',
}
"""How a value is written, by its type."""


def _place(name: str, kind: type) -> str:
    """An attribute in a template, with a place for its value."""
    return f'{{"key":{_literal(_escaped(name))},"value":{{{_VALUES[kind]}}}}}'


def _attribute(name: str, value: Attribute) -> str:
    return _place(name, type(value)) % (
        json.dumps(value)
        if isinstance(value, bool)
        else _escaped(value)
        if isinstance(value, str)
        else value
    )


# Details of events may all differ; names do not.
_escaped = lru_cache(maxsize=4096)(json.dumps)
